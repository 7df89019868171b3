"""RULES: what may happen, what follows from it, and what is worth saying about it.

Each rule is a pure function from a read-only view to an outcome. Imports model, base and the kernel; rules composed of
others may import those. Touches nothing. Invariant: same arguments, same answer, so that a decision can be taken again
and compared; advice is returned as findings and blocks nobody.
"""
