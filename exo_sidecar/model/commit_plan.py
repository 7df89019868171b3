"""Commit plans: what a transaction's commit on the governance branch says of itself."""

import msgspec


class CommitPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A commit but for its files and its parent."""

    message: str
    author: str
    """As git writes it: a name and an address."""
    seconds: int
    """When, since 1970."""
