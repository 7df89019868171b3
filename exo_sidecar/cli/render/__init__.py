"""Renderers: results as pages, one module per noun, one function per verb, as in operations."""
