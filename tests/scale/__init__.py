"""Past one machine: PostgreSQL, several processes, and the move there."""
