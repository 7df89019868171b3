"""Which sessions live: the ledger joined with what this machine knows of its own (docs/guides/sessions.md)."""

from typing import Literal, NamedTuple, TypeAlias

from exo_sidecar.host import live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.leases import attempt
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.refs import Seen
from exo_sidecar.leases.value import LeaseDamaged
from exo_sidecar.model import duration, instant
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.store import clone

Liveness: TypeAlias = Literal["living", "stale", "suspended", "reserved", "foreign", "finished"]
UNKNOWN_HERE = "nothing is known of it on this machine, in whose clone it began"


class Judged(NamedTuple):
    """A session, and whether anybody works in it."""

    record: SessionRecord
    live: LiveSession | None
    """What this machine knows of it; None: it works in another clone, or nothing is known."""
    liveness: Liveness
    stale_reason: str | None = None


def judge(ctx: Context, view: View, record: SessionRecord, stale_hours: int) -> Judged:
    """Return whether a session lives: one of this clone by its signs of life, a foreign one by its lease alone."""
    live = live_sessions.read(ctx.place.common, record.id) if _is_ours(ctx) else None
    if record.status == "finished":
        return Judged(record, live, "finished")
    if live is None and is_foreign(ctx, record):
        return Judged(record, None, "foreign", _lease_silence(ctx, view, record))
    if record.status == "suspended":
        return Judged(record, live, "suspended")
    reason = UNKNOWN_HERE if live is None else live_sessions.stale_reason(live, ctx.boot_clock(), stale_hours)
    if live is not None and live_sessions.has_call(live):
        reason = None
    if reason is not None:
        return Judged(record, live, "stale", reason)
    return Judged(record, live, "reserved" if record.status == "reserved" else "living")


def is_foreign(ctx: Context, record: SessionRecord) -> bool:
    """Whether a session works in another clone; a fork of a chain is named after the clone that it comes from."""
    return record.clone.partition("-")[0] != clone.read(ctx.governed.folder)


def joined(ctx: Context, view: View) -> None:
    """Bring what killed calls left of this clone's sessions to what the ledger says."""
    session_facts.living(ctx, view, "active")


def lease_value(ctx: Context, record: SessionRecord) -> Seen | None:
    """Return the value of the ticket's lease as this clone saw it last, None when it saw none of this session."""
    common, clock = ctx.place.common, ctx.boot_clock()
    value = Observations(common).standing_still(clock, -1.0).get(record.ticket)
    if value is None:
        return None
    try:
        seen = attempt.decode(ctx.repository, record.ticket, value)
    except LeaseDamaged:
        return None
    return seen if seen is not None and seen.lease.holder.session == record.id else None


def seen_for(ctx: Context, seen: Seen) -> int:
    """Return for how many seconds this clone has seen a lease's value unchanged."""
    return int(Observations(ctx.place.common).seen_for(seen.lease.ticket, seen.oid, ctx.boot_clock()))


def is_expired(ctx: Context, view: View, seen: Seen) -> bool:
    """Whether a lease's value has stood still for so long that anybody may take the ticket over."""
    lease = seen.lease
    silent = Observations(ctx.place.common).is_stale(lease.ticket, seen.oid, lease.ttl_seconds, ctx.boot_clock())
    return silent or view.is_expired(lease.ticket, seen.oid)


def last_heartbeat(ctx: Context, live: LiveSession | None) -> Instant | None:
    """Return when a session last gave a sign of life, by the wall clock, for people; None when that is not known."""
    age = live.heartbeat_age(ctx.boot_clock()) if live is not None else None
    return None if age is None else instant.after(ctx.now, -int(age))


def _lease_silence(ctx: Context, view: View, record: SessionRecord) -> str | None:
    seen = lease_value(ctx, record)
    if seen is None or not is_expired(ctx, view, seen):
        return None
    command = f"exo lease-takeover --ticket-id {record.ticket}"
    return f"its lease has stood unchanged for {duration.show(seen_for(ctx, seen))}: {command}"


def _is_ours(ctx: Context) -> bool:
    """Whether the facts that lie here are of this clone: a copied folder brings those of the original along."""
    return bool(ctx.live.sessions)
