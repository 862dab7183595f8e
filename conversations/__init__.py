"""The domain of Hearout: what a complaint conversation is and how it goes. Pure: no I/O, no clock, no randomness."""
