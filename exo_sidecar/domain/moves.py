"""Moves of a ticket from one status to another (docs/reference/lifecycle.md is drawn from the same table).

One reader of `model.lifecycle.TABLE`: a pair that is not in it is refused, then who may move is asked, then the guards.
A refused move is an event too (`ticket.refused`). What is asked of a move is judged against the view alone, so of two
moves at once the second is judged against what the first left.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from exo_sidecar.domain import blockers, hierarchy, reflections, verifying
from exo_sidecar.domain.holding import Standing, lease_held, session_fenced
from exo_sidecar.domain.verifying import Shown
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import ExoError, LeaseNotHeld, Refused, ValueInvalid
from exo_sidecar.model.event import Draft, TicketMoved, TicketRefused
from exo_sidecar.model.hierarchy import CONTAINERS
from exo_sidecar.model.lifecycle import CLOSED, Guard, Move, Status, Who, row, ways_out
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View

_OF_THE_RECORD: Final = frozenset({Guard.BLOCKERS, Guard.HIERARCHY, Guard.CHILDREN})
_CHOOSES: Final = frozenset({"resolve"})
"""Says which of several moves holds that were made at once; each was judged when it was made."""
_RESOLUTIONS: Final[dict[str, frozenset[Status]]] = {
    "done": frozenset({Status.DONE}),
    "cancelled": frozenset({Status.CANCELLED}),
    "dropped": frozenset({Status.CANCELLED, Status.ARCHIVED}),
}


class TransitionInvalid(Refused):
    """The lifecycle has no such move; `reason` in the details is the answer of `validate`."""

    code = "TRANSITION_INVALID"


class TicketClosed(Refused):
    """The ticket is done, cancelled or archived."""

    code = "TICKET_CLOSED"
    advice = "make a new ticket for what is left: exo ticket-create"


class GuardUnmet(Refused):
    """The move exists, but what it asks for does not hold; `guard` in the details says what."""

    code = "GUARD_UNMET"


class ReviewerIsAuthor(Refused):
    """A review is passed by somebody other than the one who did the work."""

    code = "REVIEWER_IS_AUTHOR"
    advice = "ask somebody else to review; lifecycle.require_review is on"


class Ask(NamedTuple):
    """A move as it is asked for."""

    end: Status
    operation: str = "ticket-move"
    reason: str | None = None
    tried: str | None = None
    evidence: tuple[str, ...] = ()
    resolution: str | None = None
    absorbed: bool = False
    settles: bool = False
    """Whether it says of moves made at once which one holds."""
    shown: Shown = Shown()
    """What is known of the ticket's checks."""


class Judged(NamedTuple):
    """All that a guard looks at."""

    view: View
    record: TicketRecord
    ask: Ask
    standing: Standing

    @property
    def leased(self) -> bool:
        """Whether work on the ticket needs a lease: on containers it does not."""
        return self.record.ticket.kind not in CONTAINERS


def why_not(start: Status, end: Status) -> str | None:
    """Return why the table has no move from `start` to `end`, None when it has one."""
    if row(start, end) is not None:
        return None
    if start is end:
        return f"Already in state {start}"
    if start in CLOSED:
        return f"Cannot transition from terminal state {start}"
    return f"No valid transition from {start} to {end}"


def transition(record: TicketRecord, end: Status) -> Move | TransitionInvalid:
    """Return the table's row for the move, or the refusal that says why there is none."""
    start = record.ticket.status
    found = row(start, end)
    if found is not None:
        return found
    reason = why_not(start, end) or ""
    ways = ", ".join(move.end for move in ways_out(start))
    hint = f"from {start} a ticket goes to {ways}" if ways else "make a new ticket for what is left: exo ticket-create"
    return TransitionInvalid(f"{record.id}: {reason}", hint=hint, ticket=record.id, reason=reason)


def unmet(judged: Judged, wanted: Move) -> ExoError | None:
    """Return the first thing that stands against a move of the table: who asks, then its guards in their order."""
    refusal = _who_refusal(judged, wanted) or _by_refusal(judged, wanted)
    if refusal is None and (wanted.start, wanted.end) == (Status.ACTIVE, Status.DONE):
        refusal = _review_refusal(judged)
    for guard in wanted.guards:
        refusal = refusal or _GUARDS[guard](judged)
    return refusal


def guard_refusal(judged: Judged, guard: Guard) -> ExoError | None:
    """Return why what one guard asks for does not hold, None when it holds."""
    return _GUARDS[guard](judged)


def obstacles(view: View, record: TicketRecord, wanted: Move) -> tuple[ExoError, ...]:
    """Return what stands against a move of the table whoever asks: guards that look at the record alone."""
    nobody = Standing(Actor("human:nobody"), None, human=True, holding=None)
    judged = Judged(view, record, Ask(end=wanted.end), nobody)
    found = (_GUARDS[guard](judged) for guard in wanted.guards if guard in _OF_THE_RECORD)
    return tuple(refusal for refusal in found if refusal is not None)


def move(view: View, record: TicketRecord, ask: Ask, standing: Standing) -> Outcome:
    """Return the events of one move, or its refusal together with the event that records it."""
    wanted = transition(record, ask.end)
    judged = Judged(view, record, ask, standing)
    refusal = wanted if isinstance(wanted, TransitionInvalid) else unmet(judged, wanted)
    if refusal is not None:
        return refused(refusal, _refused_draft(judged, refusal))
    outcome = moved(record, (record.ticket.status, ask.end), ask, standing)
    return outcome if outcome.refusal else outcome + _containers_start(judged) + _learnt(judged)


def give_back(view: View, record: TicketRecord, ask: Ask, standing: Standing) -> Outcome:
    """Return the events that make an active ticket `todo` again: two moves, by way of `paused`, in one commit."""
    if record.ticket.status is not Status.ACTIVE:
        return move(view, record, ask, standing)
    pause = ask._replace(end=Status.PAUSED)
    judged = Judged(view, record, pause, standing)
    wanted = transition(record, Status.PAUSED)
    refusal = wanted if isinstance(wanted, TransitionInvalid) else unmet(judged, wanted)
    if refusal is not None:
        return refused(refusal, _refused_draft(judged, refusal))
    pairs = ((Status.ACTIVE, Status.PAUSED), (Status.PAUSED, ask.end))
    first, second = (moved(record, pair, ask, standing) for pair in pairs)
    return second if second.refusal else first + second


def moved(record: TicketRecord, pair: tuple[Status, Status], ask: Ask, standing: Standing) -> Outcome:
    """Return the event of a move that was judged already; under the caller's token when it holds the ticket."""
    reason, resolution = _closing_words(ask, pair[1])
    if isinstance(resolution, ValueInvalid):
        return refused(resolution)
    data = TicketMoved(
        start=pair[0],
        end=pair[1],
        operation=ask.operation,
        reason=reason,
        tried=ask.tried,
        evidence=ask.evidence,
        resolution=resolution,
        absorbed=ask.absorbed,
        settles=ask.settles,
    )
    return Outcome(events=(Draft(subject=record.id, data=data, session=standing.session, epoch=standing.epoch),))


def containers_start(view: View, record: TicketRecord, operation: str, standing: Standing) -> Outcome:
    """Return the moves of containers that become active because work below them starts, nearest first."""
    outcome = Outcome()
    for above in hierarchy.ancestors(view, record.ticket):
        if above.ticket.status is Status.TODO:
            ask = Ask(end=Status.ACTIVE, operation=operation, reason=f"{record.id} started")
            free = standing._replace(holding=None)
            outcome += moved(above, (Status.TODO, Status.ACTIVE), ask, free)
    return outcome


def _containers_start(judged: Judged) -> Outcome:
    if judged.ask.end is not Status.ACTIVE:
        return Outcome()
    return containers_start(judged.view, judged.record, judged.ask.operation, judged.standing)


def _learnt(judged: Judged) -> Outcome:
    """Return what is remembered of a way that led nowhere; of a move that was made before it is remembered already."""
    ask = judged.ask
    if ask.end is not Status.BLOCKED or ask.settles or not ask.reason or not ask.reason.strip():
        return Outcome()
    return reflections.blocked(judged.record, ask.reason, ask.tried, judged.standing.session)


def _refused_draft(judged: Judged, refusal: ExoError) -> Draft:
    data = TicketRefused(
        operation=judged.ask.operation,
        start=judged.record.ticket.status,
        end=judged.ask.end,
        code=refusal.code,
        message=refusal.message,
    )
    return Draft(subject=judged.record.id, data=data, session=judged.standing.session)


def _closing_words(ask: Ask, end: Status) -> tuple[str | None, str | ValueInvalid | None]:
    """Return reason and resolution: one of the known words says how it was closed, any other text says why."""
    word = (ask.resolution or "").strip()
    if not word:
        return ask.reason, None
    if word.lower() not in _RESOLUTIONS:
        return f"{ask.reason}; {word}" if ask.reason else word, None
    if end in _RESOLUTIONS[word.lower()]:
        return ask.reason, word.lower()
    message = f"resolution {word!r} does not fit a move to {end}"
    return ask.reason, ValueInvalid(message, hint="leave --resolution away", parameter="resolution")


def _who_refusal(judged: Judged, wanted: Move) -> ExoError | None:
    """Return why the caller may not make the move: what a session holds is moved by that session alone."""
    standing = judged.standing
    if standing.fenced:
        return session_fenced(judged.record.id, standing.session)
    if standing.holding is not None and not standing.holds:
        return lease_held(judged.record.id, standing.holding)
    match wanted.who:
        case Who.ANYONE:
            return None
        case Who.HOLDER:
            abandons = standing.human and wanted.end is Status.CANCELLED
            return None if standing.holds or abandons or not judged.leased else _not_held(judged)
        case Who.NEW_HOLDER:
            return None if standing.holds or not judged.leased else _not_held(judged)
        case Who.LAST_HOLDER:
            return _last_holder_refusal(judged)
        case Who.CREATOR:
            return _creator_refusal(judged)
        case Who.REVIEWER:
            return _reviewer_refusal(judged)


def _by_refusal(judged: Judged, wanted: Move) -> GuardUnmet | None:
    """Return the refusal of a move that another operation makes: with it comes more than the status."""
    operation = judged.ask.operation
    if operation in wanted.by or operation in _CHOOSES:
        return None
    ticket = judged.record.id
    message = f"{ticket} goes from {wanted.start} to {wanted.end} by {', '.join(wanted.by)}, and not by {operation}"
    return GuardUnmet(message, ticket=ticket, guard="operation", by=wanted.by)


def _not_held(judged: Judged) -> LeaseNotHeld:
    ticket = judged.record.id
    message = (
        f"{ticket}: a move from {judged.record.ticket.status} to {judged.ask.end} is for the session that holds it"
    )
    return LeaseNotHeld(message, hint=f"exo session-start --ticket-id {ticket} takes it", ticket=ticket)


def _last_holder_refusal(judged: Judged) -> ExoError | None:
    last = judged.view.sessions(ticket=judged.record.id, limit=1)
    if judged.standing.human or not last or last[0].id == judged.standing.session:
        return None
    message = f"{judged.record.id} was last held by {last[0].actor} in session {last[0].id}"
    hint = "that session, or a person, gives it back"
    return GuardUnmet(message, hint=hint, ticket=judged.record.id, guard=str(Who.LAST_HOLDER))


def _creator_refusal(judged: Judged) -> ExoError | None:
    if judged.standing.human or judged.record.creator == judged.standing.actor:
        return None
    ticket = judged.record.id
    message = f"{ticket} was made by {judged.record.creator}: only they or a person move it to {judged.ask.end}"
    return GuardUnmet(message, hint="ask one of them", ticket=ticket, guard=str(Who.CREATOR))


def _reviewer_refusal(judged: Judged) -> ExoError | None:
    if not judged.view.config().lifecycle.require_review:
        return None
    last = judged.view.sessions(ticket=judged.record.id, limit=1)
    author = last[0].actor if last else judged.record.creator
    if author != judged.standing.actor:
        return None
    message = f"{judged.record.id} was worked on by {author}, who may not pass its review"
    return ReviewerIsAuthor(message, ticket=judged.record.id, author=author)


def _review_refusal(judged: Judged) -> ExoError | None:
    if not judged.leased or not judged.view.config().lifecycle.require_review:
        return None
    message = f"{judged.record.id} is done only after a review"
    hint = f"exo ticket-move {judged.record.id} review"
    return GuardUnmet(message, hint=hint, ticket=judged.record.id, guard="review")


def _lease_guard(judged: Judged) -> ExoError | None:
    return None if judged.standing.holds or not judged.leased else _not_held(judged)


def _blockers_guard(judged: Judged) -> ExoError | None:
    found = blockers.waiting(judged.view, judged.record.ticket)
    if found is None:
        return None
    ticket, guard = judged.record.id, str(Guard.BLOCKERS)
    return GuardUnmet(found.message, hint=found.hint, ticket=ticket, guard=guard, blockers=found.blockers)


def _hierarchy_guard(judged: Judged) -> ExoError | None:
    fault = hierarchy.fault(judged.view, judged.record)
    if fault is None:
        return None
    hint = f"exo ticket-edit {judged.record.id} --parent ID gives it a valid place"
    return GuardUnmet(fault, hint=hint, ticket=judged.record.id, guard=str(Guard.HIERARCHY))


def _reason_guard(judged: Judged) -> ExoError | None:
    if judged.ask.reason and judged.ask.reason.strip():
        return None
    message = f"a move of {judged.record.id} to {judged.ask.end} needs a reason"
    return GuardUnmet(message, hint="say why with --reason", ticket=judged.record.id, guard=str(Guard.REASON))


def _free_guard(judged: Judged) -> ExoError | None:
    holder = judged.standing.holding
    return None if holder is None or judged.standing.holds else lease_held(judged.record.id, holder)


def _children_guard(judged: Judged) -> ExoError | None:
    children = (judged.view.ticket(child) for child in judged.view.children(judged.record.id))
    still_open = tuple(child.id for child in children if child is not None and child.may_be_open)
    if not still_open:
        return None
    message = f"{judged.record.id} has open children: {', '.join(still_open)}"
    hint = "finish or cancel them first"
    return GuardUnmet(message, hint=hint, ticket=judged.record.id, guard=str(Guard.CHILDREN), children=still_open)


def _verify_guard(judged: Judged) -> ExoError | None:
    return verifying.review_refusal(judged.view, judged.record, judged.ask.shown) if judged.leased else None


def _done_guard(judged: Judged) -> ExoError | None:
    return verifying.done_refusal(judged.view, judged.record, judged.ask.shown) if judged.leased else None


_GUARDS: Final[dict[Guard, Callable[[Judged], ExoError | None]]] = {
    Guard.LEASE: _lease_guard,
    Guard.BLOCKERS: _blockers_guard,
    Guard.HIERARCHY: _hierarchy_guard,
    Guard.REASON: _reason_guard,
    Guard.FREE: _free_guard,
    Guard.CHILDREN: _children_guard,
    Guard.VERIFY: _verify_guard,
    Guard.DONE: _done_guard,
}
