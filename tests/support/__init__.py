"""Builders, real processes and fixed inputs for tests; nothing here is imported by the package."""
