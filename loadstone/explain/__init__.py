"""Why one variant is faster: exact facts of statements, cache commands and payloads."""
