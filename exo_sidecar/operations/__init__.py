"""USE CASES: one file per noun, one function per verb, declared once for every door.

Imports every room below. Touches nothing itself: all effects go through its context. Invariant: an operation that
writes is one transaction and one commit. Prints nothing, opens no file, catches nothing broadly, imports no door.
"""
