"""The web console: the playground, and later the overview, the conversations and the templates. Loopback only, no build step."""
