"""loadstone.toml and toggles, read into frozen values; errors carry file, line and remedy."""
