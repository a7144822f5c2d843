"""What every part of the shop shares: toggles, lists, caching, throttling, health, metrics."""
