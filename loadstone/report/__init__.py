"""One renderer a format. Each reads a `Result` and nothing else, and starts nothing."""
