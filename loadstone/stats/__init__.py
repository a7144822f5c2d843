"""Estimators, sequential tests and verdicts: pure functions that do no input or output."""
