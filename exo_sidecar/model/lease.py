"""A lease: the right of one session in the world to work on one ticket (docs/leases.md)."""

from typing import Final, Literal

import msgspec

from exo_sidecar.model.ids import CloneId, Nonce, SessionId, TicketId

DEFAULT_TTL_SECONDS: Final = 4 * 3600
TTL_SECONDS_MIN: Final = 60
TTL_SECONDS_MAX: Final = 7 * 24 * 3600
"""Constants of the format: a lease outside of them is not a lease."""
TAKEOVER_GRACE_SECONDS: Final = 30
"""A value is stale after `ttl * 1.01 + 30 s` unchanged on one machine's boot clock: 1 % covers clock rates."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds: the session is what counts, clone and actor are for people."""

    session: SessionId
    clone: CloneId
    actor: str


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a lease ref: the JSON in the commit message after the line `exo-lease/1`."""

    ticket: TicketId
    epoch: int
    """The fencing token, from 1; rises with every change of holder."""
    state: Literal["held", "released"]
    holder: Holder
    nonce: Nonce
    ttl_seconds: int
    branch: str | None = None
    """The code branch that the holder pushes under this lease."""
    claimed_at: str
    renewed_at: str
    """RFC 3339 UTC; shown to people, never compared."""


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """The one place that decides who holds (FORMAT, `authority` and `leases`)."""

    id: str
    """32 hexadecimal digits; the authority's ref there (leases.names) shows the same."""
    remote: str | None = None
    """Name of the git remote; None: this repository itself."""
    mode: Literal["refs", "branch"] = "refs"
    """Where its refs live: below `refs/exo/`, or, on servers that refuse those, as branches (`exo-leases/`)."""
    floor: int = 0
    """Every claim here stands above it: one more than the highest epoch known when the authority came here, because a
    claim at the old place whose advertisement came before that was retired may still land with just that epoch.
    """
