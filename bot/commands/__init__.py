"""What the commands do, one file each; ``bot/cli.py`` is their face."""
