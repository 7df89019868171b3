"""Pages of sessions: the facts of a start and its bootstrap whole, and what a finish left behind."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece, Prose
from exo_sidecar.cli.render.check import of_checks
from exo_sidecar.cli.render.exchange import told
from exo_sidecar.cli.render.tones import PROVISIONAL, counted, identifier, joined, optional, status, verify
from exo_sidecar.model.manifest import Resolution
from exo_sidecar.operations.session_drift import DriftShown
from exo_sidecar.operations.session_finishing import SessionFinished
from exo_sidecar.operations.session_handing_off import SessionHandedOff
from exo_sidecar.operations.session_resuming import SessionResumed
from exo_sidecar.operations.session_starting import SessionStarted
from exo_sidecar.operations.session_suspending import SessionSuspended


def start(result: SessionStarted) -> Page:
    """Show what was started, then the bootstrap whole."""
    word = "goes on with" if result.reused else "started on"
    headline = Headline((identifier(result.session.id), f" {word} ", identifier(result.ticket.id)), "good")
    return Page((headline, Facts(tuple(_started(result))), Prose("", result.bootstrap_prompt)))


def finish(result: SessionFinished) -> Page:
    """Show what the session left behind."""
    headline = Headline(
        (
            identifier(result.session_id),
            " finished: ",
            identifier(result.ticket_id),
            " is ",
            status(result.ticket_status),
        ),
        "good",
    )
    rows: tuple[tuple[str, Piece], ...] = (
        ("commits", counted(len(result.commits), "commit") if result.commits else Cell("none", "dim")),
        ("checks", _verified(result)),
        ("drift", drift(result.drift)),
        *((("requirements", _requirements(result.requirements)),) if result.requirements else ()),
        ("memento", optional(result.memento_path)),
        ("lease", _lease_left(result)),
        ("sync", told(result.sync)),
    )
    left = (
        (Listing("Not committed", tuple(Cell(each, "warn") for each in result.uncommitted)),)
        if result.uncommitted
        else ()
    )
    failed = tuple(check for check in result.checks if check.verdict != "passed")
    return Page((headline, Facts(rows), *of_checks(failed), *left), ("exo next claims the next ticket",))


def _verified(result: SessionFinished) -> Cell:
    if result.verify in {None, "none"}:
        return Cell("nothing ran", "dim")
    return verify(str(result.verify))


def _requirements(named: Resolution) -> Cell:
    return Cell("; ".join(named.told), "good" if named.is_settled else "warn")


def drift(found: DriftShown) -> Cell:
    """Return how far a session went from its fence, in a few words."""
    if found.score is None:
        return Cell(f"not known: {found.error}", "warn")
    files = f"{counted(found.files.used, 'file')} of {found.files.max}, {counted(found.loc.used, 'line')}"
    outside = f", {len(found.out_of_scope)} out of scope" if found.out_of_scope else ""
    return Cell(f"{found.score:.3f} ({files}{outside})", "warn" if found.is_above else "")


def suspend(result: SessionSuspended) -> Page:
    """Show what pauses, and where its work is."""
    left = " is another session's" if result.fenced else " is paused"
    headline = Headline(
        (identifier(result.session_id), " suspended: ", identifier(result.ticket_id), left),
        "warn" if result.fenced else "good",
    )
    rows: tuple[tuple[str, Piece], ...] = (
        ("ticket was", status(result.previous_status)),
        ("work", _work(result)),
        ("memento", optional(result.memento_path)),
        ("lease", _lease_given(result)),
        ("sync", told(result.sync)),
    )
    changed = tuple(Cell(each, "dim" if result.saved_ref else "warn") for each in result.uncommitted)
    listed = (Listing("Not committed", changed),) if changed else ()
    pop = " --pop-stash" if result.saved_ref else ""
    when = ", once nobody else has the ticket" if result.fenced else ""
    return Page((headline, Facts(rows), *listed), (f"exo session-resume{pop} goes on with it{when}",))


def resume(result: SessionResumed) -> Page:
    """Show what goes on, then the bootstrap whole."""
    session = result.session
    headline = Headline((identifier(session.id), " goes on with ", identifier(session.ticket)), "good")
    lease = result.lease
    facts: list[tuple[str, Piece]] = [
        ("actor", f"{session.actor} as {session.role}"),
        ("lease", Cell("none", "warn") if lease is None else f"token {lease.epoch}"),
        ("branch", optional(session.branch)),
    ]
    if result.restored:
        facts.append(("work", "put back"))
    elif result.saved_ref is not None:
        facts.append(("work", Cell(f"waits in {result.saved_ref}: exo session-resume --pop-stash", "warn")))
    facts += [("bootstrap", optional(result.bootstrap_path)), ("sync", told(result.sync))]
    return Page((headline, Facts(tuple(facts)), Prose("", result.bootstrap_prompt)))


def handoff(result: SessionHandedOff) -> Page:
    """Show what was left, and to whom."""
    headline = Headline(
        (identifier(result.session_id), " handed ", identifier(result.ticket_id), f" to {result.to}"), "good"
    )
    rows: tuple[tuple[str, Piece], ...] = (
        ("handoff", identifier(result.handoff_id)),
        ("kept for them", f"until {result.reserved_until}"),
        ("commits", counted(len(result.commits), "commit") if result.commits else Cell("none", "dim")),
        ("checks", result.verify or "none"),
        ("memento", optional(result.memento_path)),
        ("lease", _lease_left(result)),
        ("sync", told(result.sync)),
    )
    changed = tuple(Cell(each, "warn") for each in result.uncommitted)
    listed = (Listing("Not committed", changed),) if changed else ()
    return Page((headline, Facts(rows), *listed), ("exo next claims the next ticket",))


def _work(result: SessionSuspended) -> Cell:
    if result.saved_ref is not None:
        return Cell(f"put aside in {result.saved_ref}")
    return Cell("stays in the checkout", "warn") if result.uncommitted else Cell("all committed", "dim")


def _lease_given(result: SessionSuspended) -> Cell:
    if result.fenced:
        return Cell("another session's", "warn")
    if result.memento_path is None:
        return Cell(PROVISIONAL, "warn")
    return Cell("released") if result.released_lease else Cell("kept until its ttl ends", "warn")


def _lease_left(result: SessionFinished) -> Cell:
    if result.mode == "audit":
        return Cell("none: it was an audit", "dim")
    if result.provisional:
        return Cell(PROVISIONAL, "warn")
    return Cell("released") if result.released_lease else Cell("kept", "warn")


def _started(result: SessionStarted) -> Iterator[tuple[str, Piece]]:
    yield "ticket", result.ticket.title
    yield "actor", f"{result.session.actor} as {result.session.role}"
    if result.lease is not None:
        yield "lease", Cell(PROVISIONAL, "warn") if result.lease.provisional else f"token {result.lease.epoch}"
    yield "scope", joined(result.ticket.scope.allow)
    yield "branch", _branch(result)
    yield "worktree", result.worktree
    if result.handoff is not None:
        yield "taken up", f"{result.handoff.id} from {result.handoff.actor}"
    yield "bootstrap", optional(result.bootstrap_path)
    yield "sync", told(result.sync)


def _branch(result: SessionStarted) -> Cell:
    branch = result.branch
    if branch.wanted is None or branch.wanted == branch.actual:
        return optional(branch.actual)
    return Cell(f"{branch.actual or 'none'}, suggested: {branch.wanted}", "warn")
