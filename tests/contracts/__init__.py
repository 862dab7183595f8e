"""What every backend of the Store port has to do, and what SQLite does besides."""
