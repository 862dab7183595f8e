"""What is kept: the Store port and its two backends, SQLite (the default) and PostgreSQL."""
