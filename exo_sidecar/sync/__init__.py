"""CLONES: fetch, check, merge and push the governance branch.

Imports domain, store, git, host, model and base. Touches the governance branch and its remote; a lease's new value may
travel in the same atomic push when a caller hands it in. Invariants: a merge is union and fold and cannot conflict; of
what others wrote only ledger lines enter; no event is ever lost. Never touches a branch of code.
"""
