"""People who buy and review."""
