"""Which lease may follow which: the table "Moves" of docs/leases.md, as functions of values. Never reads a clock.

A move returns the lease to write, or the refusal. "Ours" is a value whose nonce this clone wrote down before sending
it (leases.nonces); nothing else proves identity. Invariants: the epoch rises with every change of holder and never
falls; a release leaves a tombstone, because the epoch must survive it.
"""

import math
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from exo_sidecar.model import duration
from exo_sidecar.model.errors import ExoError, LeaseHeld, LeaseLost, LeaseNotHeld, Refused, SessionFenced, Usage
from exo_sidecar.model.ids import Nonce, TicketId
from exo_sidecar.model.lease import (
    DEFAULT_TTL_SECONDS,
    TAKEOVER_GRACE_SECONDS,
    TTL_SECONDS_MAX,
    TTL_SECONDS_MIN,
    Holder,
    Lease,
)
from exo_sidecar.model.ticket import COUNT_MAX

EPOCH_MAX: Final = COUNT_MAX
"""What the ledger takes: a lease above it could be won, and the event that says so could never be read again."""
CLOCK_TOLERANCE: Final = 1.01
"""Rates of two machines' clocks differ by far less than one per cent."""


_Refusal = TypeVar("_Refusal", bound=ExoError)


class LeaseNotStale(Refused):
    """The holder may still be alive: its value has not been seen unchanged for long enough."""

    code = "LEASE_NOT_STALE"
    advice = "wait, or ask the holder; a person may take over: exo lease-takeover --force --reason"


class LeaseQuota(Refused):
    """The actor holds as many leases as one actor may."""

    code = "LEASE_QUOTA"
    advice = "finish one of the sessions first, or raise leases.per_actor in .exo/config.yaml"


class TtlOutOfRange(Usage):
    """A time to live outside of what the format allows."""

    code = "TTL_OUT_OF_RANGE"
    advice = f"give {TTL_SECONDS_MIN // 60} minute to {TTL_SECONDS_MAX // 86400} days, like 30m, 4h or 1d"


class EpochSpent(Refused):
    """No epoch is left above the one that the lease shows: nobody counts so far, somebody wrote it there."""

    code = "EPOCH_SPENT"
    advice = "a person goes on from what the ledger knows: exo lease-takeover --force --reason"


class Request(NamedTuple):
    """What a session asks for. The nonce must be new; `now` is shown to people and compared with nothing."""

    ticket: TicketId
    holder: Holder
    nonce: Nonce
    now: str
    ttl_seconds: int | None = None
    """None: the default for a claim, unchanged for a heartbeat."""
    branch: str | None = None
    """None: none for a claim, unchanged for a heartbeat."""


def claim(
    current: Lease | None,
    request: Request,
    highest_epoch: int,
    *,
    ours: bool,
    stale: bool,
    seen_for_seconds: int = 0,
) -> Lease | LeaseHeld | SessionFenced | TtlOutOfRange | EpochSpent:
    """Take a free ticket, or hold on to one that this session holds already.

    `highest_epoch` is the highest known to the ledger. `stale` changes the advice only: taking over is another move.
    """
    if current is None or current.state == "released":
        return _held_anew(current, request, highest_epoch)
    if current.holder.session == request.holder.session:
        return _renewed(current, request) if ours else _fenced(current)
    return _held(current, seen_for_seconds, stale=stale)


def heartbeat(
    current: Lease | None, request: Request, *, ours: bool
) -> Lease | LeaseLost | LeaseNotHeld | SessionFenced | TtlOutOfRange:
    """Show that the holder is alive; the ttl and the branch change when the request names them."""
    refusal = _not_ours(current, request, ours=ours)
    if refusal is not None or current is None:
        return refusal or _nobody(request.ticket)
    return _renewed(current, request)


def release(current: Lease | None, request: Request, *, ours: bool) -> Lease | LeaseLost | LeaseNotHeld | SessionFenced:
    """Give the ticket free; a second release finds its own tombstone and returns it unchanged."""
    if current is not None and current.state == "released" and ours:
        return current
    refusal = _not_ours(current, request, ours=ours)
    if refusal is not None or current is None:
        return refusal or _nobody(request.ticket)
    return msgspec.structs.replace(current, state="released", nonce=request.nonce, renewed_at=request.now)


def take_over(
    current: Lease | None,
    request: Request,
    highest_epoch: int,
    *,
    ours: bool,
    stale: bool,
    seen_for_seconds: int = 0,
) -> Lease | LeaseNotStale | TtlOutOfRange | EpochSpent:
    """Take the ticket from a holder that has been silent for too long; `stale` is leases.observations' answer."""
    if current is None or current.state == "released":
        return _held_anew(current, request, highest_epoch)
    if ours and current.holder.session == request.holder.session:
        return _renewed(current, request)
    if stale:
        return _held_anew(current, request, highest_epoch)
    left = max(1, math.ceil(stale_after_seconds(current.ttl_seconds)) - seen_for_seconds)
    message = (
        f"{current.ticket} is held by {current.holder.actor} ({current.holder.session}, epoch {current.epoch}); its "
        f"lease of {duration.show(current.ttl_seconds)} has been seen unchanged here for "
        f"{duration.show(seen_for_seconds)}: {duration.show(left)} are left"
    )
    refusal = _refusal(LeaseNotStale, message, current, seen_for_seconds)
    refusal.details["seconds_left"] = left
    return refusal


def force(
    current: Lease | None, request: Request, highest_epoch: int, *, meant: Lease | None
) -> Lease | LeaseHeld | TtlOutOfRange | EpochSpent:
    """Take the ticket from the holder that was `meant`, however alive; whether a person wants that was asked before.

    Whoever took the ticket since `meant` was read is nobody that the person knew of: that one is refused. An epoch that
    leaves none above it is passed over, as a value that cannot be read: the ledger's counts.
    """
    known = {request.holder.session, meant.holder.session if meant else None}
    if current is not None and current.state == "held" and current.holder.session not in known:
        return _held(current, 0, stale=False)
    is_spent = current is not None and current.epoch >= EPOCH_MAX
    return _held_anew(None if is_spent else current, request, highest_epoch)


def stale_after_seconds(ttl_seconds: int) -> float:
    """Return how long a value must be seen unchanged before its holder counts as gone."""
    return ttl_seconds * CLOCK_TOLERANCE + TAKEOVER_GRACE_SECONDS


def raise_epoch(
    current: Lease | None, request: Request, highest_epoch: int, *, ours: bool
) -> Lease | LeaseLost | LeaseNotHeld | SessionFenced | TtlOutOfRange | EpochSpent:
    """Lift our own epoch above what the ledger turned out to know; unchanged when it is above already."""
    refusal = _not_ours(current, request, ours=ours)
    if refusal is not None or current is None:
        return refusal or _nobody(request.ticket)
    if current.epoch > highest_epoch:
        return current
    if highest_epoch >= EPOCH_MAX:
        return _spent(current.ticket)
    raised = _renewed(current, request)
    return raised if isinstance(raised, ExoError) else msgspec.structs.replace(raised, epoch=highest_epoch + 1)


def check_quota(held: Iterable[Lease], actor: str, limit: int) -> LeaseQuota | None:
    """Return the refusal when `actor` holds `limit` leases or more already."""
    return over_limit(actor, sum(1 for lease in held if lease.state == "held" and lease.holder.actor == actor), limit)


def over_limit(actor: str, count: int, limit: int) -> LeaseQuota | None:
    """Return the refusal when `count` leases are what one actor may hold, or more."""
    if count < limit:
        return None
    message = f"{actor} holds {count} leases; one actor may hold {limit}"
    return LeaseQuota(message, actor=actor, held=count, limit=limit)


def check_ttl(seconds: int) -> TtlOutOfRange | None:
    """Return the refusal when `seconds` is no ttl that the format allows."""
    if TTL_SECONDS_MIN <= seconds <= TTL_SECONDS_MAX:
        return None
    message = f"a ttl of {seconds} s is not between {TTL_SECONDS_MIN} and {TTL_SECONDS_MAX} s"
    return TtlOutOfRange(message, ttl_seconds=seconds)


Move: TypeAlias = Literal["claim", "heartbeat", "release", "take-over"]


def move_between(before: Lease | None, after: Lease) -> Move:
    """Return what the step from `before` to `after` is called."""
    if after.state == "released":
        return "release"
    if before is None or before.state == "released":
        return "claim"
    return "heartbeat" if before.holder.session == after.holder.session else "take-over"


def _held_anew(current: Lease | None, request: Request, highest_epoch: int) -> Lease | TtlOutOfRange | EpochSpent:
    ttl = DEFAULT_TTL_SECONDS if request.ttl_seconds is None else request.ttl_seconds
    epoch = max(current.epoch if current else 0, highest_epoch)
    if epoch >= EPOCH_MAX:
        return _spent(request.ticket)
    return check_ttl(ttl) or Lease(
        ticket=request.ticket,
        epoch=epoch + 1,
        state="held",
        holder=request.holder,
        nonce=request.nonce,
        ttl_seconds=ttl,
        branch=request.branch,
        claimed_at=request.now,
        renewed_at=request.now,
    )


def _renewed(current: Lease, request: Request) -> Lease | TtlOutOfRange:
    ttl = current.ttl_seconds if request.ttl_seconds is None else request.ttl_seconds
    return check_ttl(ttl) or msgspec.structs.replace(
        current,
        holder=request.holder,
        nonce=request.nonce,
        ttl_seconds=ttl,
        branch=current.branch if request.branch is None else request.branch,
        renewed_at=request.now,
    )


def _not_ours(
    current: Lease | None, request: Request, *, ours: bool
) -> LeaseLost | LeaseNotHeld | SessionFenced | None:
    """Return why `request`'s session is not the holder that it takes itself for, None when it is."""
    if current is None or current.state == "released":
        return _nobody(request.ticket)
    if current.holder.session != request.holder.session:
        message = (
            f"the lease of {current.ticket} is held by {current.holder.actor} ({current.holder.session}) "
            f"with epoch {current.epoch}"
        )
        return _refusal(LeaseLost, message, current, 0)
    return None if ours else _fenced(current)


def _spent(ticket: TicketId) -> EpochSpent:
    message = f"no epoch is left for the lease of {ticket}: {EPOCH_MAX} is the highest"
    return EpochSpent(message, ticket=ticket)


def _nobody(ticket: TicketId) -> LeaseNotHeld:
    message = f"nobody holds the lease of {ticket}"
    return LeaseNotHeld(message, ticket=ticket)


def _held(current: Lease, seen_for_seconds: int, *, stale: bool) -> LeaseHeld:
    message = (
        f"{current.ticket} is held by {current.holder.actor} ({current.holder.session}, epoch {current.epoch}), "
        f"seen unchanged here for {seen_for_seconds} s"
    )
    hint = (
        "its holder has been silent for longer than the lease's ttl: exo lease-takeover takes it over" if stale else ""
    )
    return _refusal(LeaseHeld, message, current, seen_for_seconds, hint)


def _fenced(current: Lease) -> SessionFenced:
    message = f"the lease of {current.ticket} names session {current.holder.session}, but this clone did not write it"
    return _refusal(SessionFenced, message, current, 0)


def _refusal(kind: type[_Refusal], message: str, current: Lease, seen_for_seconds: int, hint: str = "") -> _Refusal:
    return kind(
        message,
        hint=hint,
        ticket=current.ticket,
        holder=current.holder.session,
        actor=current.holder.actor,
        epoch=current.epoch,
        seen_for_seconds=seen_for_seconds,
    )
