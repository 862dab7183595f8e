"""The program around the domain: channels, the desk, the store, the engine, delivery, the console and the commands."""

__version__ = "0.1.0"
