"""PLUMBING: objects, trees, refs, the index and the wire, spoken as git speaks them.

Imports model, base and dulwich; the only room that imports dulwich. C git is reached through `git.cgit` alone, for
what only C git does well: guarded pushes, maintenance, credentials. Touches the object store, refs, the mount's index
and sockets. Invariant: knows no ticket, and every change of a ref is a compare-and-swap.
"""
