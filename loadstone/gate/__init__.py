"""Budgets, accepted changes, exit codes and CI annotations."""
