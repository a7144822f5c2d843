"""Deterministic demonstration data, loaded with COPY."""
