"""NOUNS: types, and tables as data.

Imports the standard library, msgspec and base; touches nothing. Invariant: every value here is frozen, and every
name that two rooms share is declared here once.
"""
