"""Settings, addresses, and the cost that is added and accounted for."""
