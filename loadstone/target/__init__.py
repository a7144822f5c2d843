"""How a variant comes to run: services, recipes, slots and processes."""
