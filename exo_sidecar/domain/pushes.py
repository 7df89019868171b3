"""Pushes of code under a lease: what the ledger is told, and which branches are never pushed so (docs/leases.md)."""

from collections.abc import Iterable
from typing import Final

from exo_sidecar.domain import fence, holding
from exo_sidecar.domain.sessions import SessionNotActive, SessionTicketMismatch, only_looks_on
from exo_sidecar.model.errors import Refused
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.event_pushes import PushGuarded
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View

HEADS: Final = "refs/heads/"
_LEASES: Final = "exo-leases/"
_SHOWN: Final = 3
_NAMED: Final = 20


class PushRejected(Refused):
    """The code was not taken: by the server, by a hook, or because its history does not fit; the lease still holds."""

    code = "PUSH_REJECTED"
    advice = "git fetch shows what is there; nothing was pushed, the lease included"


class ScopeDenied(Refused):
    """A change lies outside of the fence of its ticket."""

    code = "SCOPE_DENIED"
    advice = "take the change back, or ask a person to widen the ticket: exo ticket-edit --add-scope-allow"


def branch_fault(branch: str, governance: str) -> PushRejected | None:
    """Return why a branch (its short name) is not pushed as code, None when it may be."""
    if branch == governance:
        message = f"{branch} is the governance branch"
        return PushRejected(message, hint="exo sync pushes it", branch=branch)
    if branch.startswith(_LEASES):
        message = f"{branch} is a lease"
        return PushRejected(message, hint="leases change by exo next, lease-heartbeat and lease-release", branch=branch)
    return None


def refuse_overtaken(view: View, session: SessionRecord) -> None:
    """Raise SessionFenced when the ledger knows a later holder; the ref may have been put back by a restored backup."""
    if holding.is_overtaken(view, session):
        raise holding.session_fenced(session.ticket, session.id)


def record(view: View, session: SessionRecord, push: PushGuarded, checked: ChecksRan | None = None) -> Outcome:
    """Note that code was pushed under the session's lease, and what its checks showed before.

    SessionFenced when the ledger knows a later holder.
    """
    if holding.is_overtaken(view, session):
        return refused(holding.session_fenced(session.ticket, session.id))
    told = (push,) if checked is None else (checked, push)
    drafts = (Draft(subject=session.ticket, data=data, session=session.id, epoch=session.epoch) for data in told)
    return Outcome(events=tuple(drafts))


def other_ticket(session: SessionRecord, named: TicketId) -> SessionTicketMismatch:
    """Return the refusal to push another ticket's code under the session's lease."""
    message = f"{session.id} works on {session.ticket}, not on {named}"
    return SessionTicketMismatch(message, session=session.id, ticket=session.ticket)


def out_of_scope(view: View, session: SessionRecord, paths: Iterable[str]) -> ScopeDenied | None:
    """Return the refusal of changes outside of the fence of the session's ticket, None when all are inside."""
    ticket = view.find_ticket(session.ticket)
    found = fence.scope(view, ticket).outside(paths)
    if not found:
        return None
    shown = ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
    message = f"the fence of {ticket.id} does not allow changes of {shown}"
    return ScopeDenied(message, ticket=ticket.id, paths=tuple(found[:_NAMED]))


def governs(ref: str) -> PushRejected:
    """Return the refusal of a plain push that would change a lease, or remove what all clones go by."""
    message = f"this push would change or remove {ref}, by which leases are decided"
    return PushRejected(message, hint="push branches by name; exo sync and exo push do the rest", ref=ref)


def unguarded(branch: str) -> PushRejected:
    """Return the refusal of a plain push where the settings want guarded ones."""
    message = f"{branch} is leased, and leases.guard: require refuses plain pushes of it"
    return PushRejected(message, hint="exo push pushes it together with its lease", branch=branch)


def at_work(session: SessionRecord | None, session_id: SessionId | None) -> SessionRecord:
    """Return the session that code is pushed under; SessionNotActive when there is none at work."""
    if session is None:
        what = f"there is no session {session_id}" if session_id else "code is pushed under the lease of a session"
        raise SessionNotActive(what, session=session_id)
    if session.status != "active":
        message = f"{session.id} is {session.status}"
        raise SessionNotActive(message, session=session.id)
    if session.is_audit:
        raise only_looks_on(session)
    return session
