"""LEASES: at most one session in the world holds a ticket.

Pure rules for each move, and the refs that carry them, here or on a remote. Imports git, model and base. Touches lease
refs, and what this clone knows about them: nonces, observations, intents. Invariants: a lease changes by
compare-and-swap only; the epoch rises with every change of holder; what is ours is proven by a nonce written down
before it was sent. Reads no records.
"""
