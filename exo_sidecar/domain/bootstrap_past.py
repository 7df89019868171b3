"""Sections of a bootstrap on what went before: handed on, interrupted, left by the last session, learnt. Pure."""

from collections.abc import Sequence

from exo_sidecar.base.quoting import name
from exo_sidecar.domain.bootstrap_words import ITEMS_MAX, by, listed, quoted
from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.reflection import GLOBAL, ReflectionRecord
from exo_sidecar.model.session import SessionRecord, Suspension

_BRANCH_MAX = 120
_COMMIT_SHOWN = 12


def handoff(record: HandoffRecord | None, now: Instant | None) -> tuple[str, ...]:
    """Return what the session that handed on says; nothing when nothing was taken up."""
    if record is None:
        return ()
    said = record.content
    lines = [f"- from {by(record.actor, record.created_at, now)} ({record.session}): {quoted(said.summary)}"]
    if said.reason:
        lines.append(f"- why it was handed on: {quoted(said.reason)}")
    lines += [f"- tried, and failed: {quoted(each)}" for each in said.failed[:ITEMS_MAX]]
    if said.next_step:
        lines.append(f"- next step it named: {quoted(said.next_step)}")
    if said.branch or said.head:
        at = f" at {said.head[:_COMMIT_SHOWN]}" if said.head else ""
        lines.append(f"- its work is on {name(said.branch or '(detached)', _BRANCH_MAX)}{at}; git fetch brings it")
    if said.uncommitted:
        lines.append(f"- left there and not committed: {listed(said.uncommitted)}")
    lines += [f"- check {quoted(each)}" for each in said.checks[:ITEMS_MAX]]
    return tuple(lines)


def suspensions(session: SessionRecord, now: Instant | None) -> tuple[str, ...]:
    """Return why the session rested, the last time first."""
    return tuple(_rested(each, now) for each in reversed(session.suspensions[-ITEMS_MAX:]))


def prior(record: SessionRecord | None, now: Instant | None) -> tuple[str, ...]:
    """Return what the ticket's last session left to know; nothing when there was none."""
    if record is None or record.finish is None:
        return ()
    when = record.finished_at or record.started_at or ""
    lines = [f"- {record.id} by {by(record.actor, when, now)}: {quoted(record.finish.summary)}"]
    if record.finish.next_step:
        lines.append(f"- next step it named: {quoted(record.finish.next_step)}")
    lines += [f"- blocker it named: {quoted(each)}" for each in record.finish.blockers[:ITEMS_MAX]]
    return tuple(lines)


def learnings(records: Sequence[ReflectionRecord], now: Instant | None) -> tuple[str, ...]:
    """Return what was found out before, one line each."""
    return tuple(_learnt(each, now) for each in records)


def _learnt(each: ReflectionRecord, now: Instant | None) -> str:
    where = "" if each.scope == GLOBAL else f" on {each.scope}"
    times = f", {each.count} times" if each.count > 1 else ""
    told = f"- {each.severity}{where}, {by(each.actor, each.at, now)}{times}"
    return f"{told}: {quoted(each.pattern)}: {quoted(each.insight)}"


def _rested(each: Suspension, now: Instant | None) -> str:
    where = f" on {name(each.branch, _BRANCH_MAX)}" if each.branch else ""
    saved = f"; work saved as {each.saved[:_COMMIT_SHOWN]}" if each.saved else ""
    return f"- {by('suspended', each.at, now)}{where}: {quoted(each.reason)}{saved}"
