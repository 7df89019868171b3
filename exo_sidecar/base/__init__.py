"""BASE: canonical JSON, digests, durable and link-safe files.

Standard library only; every room may import it. Touches a file only when handed its path. Invariant: what is
written through this room is there whole or not at all, whenever the process dies.
"""
