"""The page of `status`: one screen. Never imports rich."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.cli.page import Block, Cell, Facts, Headline, Listing, Page, Piece, Tone
from exo_sidecar.cli.render.tones import PROVISIONAL, counted
from exo_sidecar.model import duration
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.view import Unsettled
from exo_sidecar.operations.status import StatusShown

_FINDINGS_MAX: Final = 10
_BARRING: Final = frozenset({"tampered", "drift", "missing"})
"""Verdicts on the policy under which no session starts."""
_SEVERITIES: Final[dict[str, Tone]] = {"error": "bad", "warning": "warn", "info": "dim"}


def run(result: StatusShown) -> Page:
    """Show where things stand."""
    if not result.initialized:
        return _ungoverned(result.governed_at)
    headline = Headline((Cell("governed", "strong"), f" on {result.branch or '?'}"), "good")
    return Page((headline, Facts(tuple(_facts(result))), *_troubles(result)), tuple(_hints(result)))


def _ungoverned(remote: str | None) -> Page:
    if remote is None:
        return Page((Headline(("this repository is not governed yet",), "warn"),), ("exo init governs it",))
    said = f"this repository is governed at {remote}, and not mounted here yet"
    return Page((Headline((said,), "warn"),), (f"exo sidecar-init --remote {remote} mounts it",))


def _facts(result: StatusShown) -> Iterator[tuple[str, Piece]]:
    if result.actor:
        yield "you", result.actor
    own = result.session or result.waiting
    if own is None:
        yield "session", Cell("none", "dim")
    else:
        yield "session", f"{own.id} on {own.ticket_id} ({own.status}, {own.role})"
    if result.lease is not None:
        yield "lease", _lease(result)
    yield "tickets", _counts(result.counts)
    if result.next is None:
        yield "next", Cell("nothing is ready", "dim")
    else:
        yield "next", Cell(f"{result.next.ticket_id}: {result.next.title}", "id")
        yield "", Cell(result.next.reason, "dim")
    if result.policy is not None and result.policy != "ok":
        yield "policy", Cell(result.policy, "bad" if result.policy in _BARRING else "warn")
    if result.sync is not None:
        yield "sync", _sync(result)
    if unsettled := _unsettled(result.unsettled):
        yield "to settle", Cell(unsettled, "warn")


def _lease(result: StatusShown) -> Cell:
    lease = result.lease
    if lease is None:
        return Cell("none", "dim")
    if lease.is_lost:
        return Cell(f"lost; token {lease.epoch} counts no more", "bad")
    if lease.seconds_left is None:
        token = PROVISIONAL if lease.provisional else f"token {lease.epoch}, time left unknown"
        return Cell(f"{lease.ticket_id}, {token}", "warn")
    if lease.seconds_left == 0:
        return Cell(f"{lease.ticket_id}, token {lease.epoch}, past its time: others may take it", "warn")
    left = duration.show(lease.seconds_left)
    late = lease.seconds_left * 3 < lease.ttl_seconds
    return Cell(f"{lease.ticket_id}, token {lease.epoch}, {left} left", "warn" if late else "")


def _counts(counts: dict[str, int]) -> Cell:
    parts = [f"{counts[name]} {name}" for name in Status if counts.get(name)]
    return Cell(", ".join(parts)) if parts else Cell("none", "dim")


def _sync(result: StatusShown) -> Cell:
    sync = result.sync
    if sync is None:
        return Cell("")
    even = not sync.ahead and not sync.behind
    seen = "never seen" if sync.seen_ago is None else f"seen {duration.show(sync.seen_ago)} ago"
    words = "even" if even else f"{sync.ahead} ahead, {sync.behind} behind"
    return Cell(f"{words} with {sync.remote} ({seen})", "" if even else "warn")


def _unsettled(found: Unsettled) -> str:
    several = (
        counted(found.tickets, "ticket in conflict", "tickets in conflict"),
        counted(found.documents, "document in conflict", "documents in conflict"),
        f"{counted(found.quarantined, 'event')} left out",
    )
    numbers = (found.tickets, found.documents, found.quarantined)
    return ", ".join(each for each, number in zip(several, numbers, strict=True) if number)


def _troubles(result: StatusShown) -> Iterator[Block]:
    if result.findings:
        shown = tuple(_finding(each) for each in result.findings[:_FINDINGS_MAX])
        left = len(result.findings) - len(shown)
        rest = (Cell(f"and {counted(left, 'more', 'more')}: exo audit", "dim"),) if left else ()
        yield Listing("Findings", (*shown, *rest))
    if result.damaged:
        yield Listing("Damaged", tuple(Cell(each, "bad") for each in result.damaged))


def _finding(each: Finding) -> Cell:
    hint = f" ({each.hint})" if each.hint else ""
    return Cell(f"{each.code} {each.subject}: {each.message}{hint}", _SEVERITIES.get(each.severity, ""))


def _hints(result: StatusShown) -> Iterator[str]:
    if result.waiting is not None:
        command = "session-start begins" if result.waiting.status == "reserved" else "session-resume goes on with"
        yield f"exo {command} work on {result.waiting.ticket_id}"
    elif result.session is None and result.next is not None:
        yield "exo next claims the next ticket, exo session-start begins work on it"
    if result.sync is not None and (result.sync.ahead or result.sync.behind):
        yield "exo sync brings both sides together"
    if result.unsettled.tickets or result.unsettled.documents:
        yield "exo resolve lists what several clones wrote at once, and settles it"
