"""What the bot says: templates, the tone guard, privacy, the mirror and length."""
