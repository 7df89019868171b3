"""Random work on a clone: one step is a few small numbers, so that a failing history can be made smaller."""

import contextlib
import random
from collections.abc import Callable, Iterator, MutableSequence
from typing import Final, NamedTuple

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.domain import settling
from exo_sidecar.domain.holding import standing
from exo_sidecar.model import lifecycle
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import (
    AuthorityMoved,
    AuthoritySet,
    DocumentEdited,
    Draft,
    Fields,
    LeaseAcquired,
    LeaseExpired,
    LeaseLost,
    LeaseReleased,
    LeaseTakenOver,
    PushGuarded,
    SessionFinished,
    SessionReserved,
    SessionStarted,
    Sets,
    SyncRewritten,
    TicketCreated,
    TicketEdited,
    TicketMoved,
    TicketNoted,
    TicketRefused,
)
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import Finish
from exo_sidecar.model.view import View
from exo_sidecar.store import redaction
from exo_sidecar.store.view import IndexView
from tests.support.interruptions import Interrupted, interrupted_at
from tests.support.stores import Clone, a_session
from tests.support.views import Asking

TICKETS: Final = 5
"""So few that clones meet on them."""
LABELS: Final = ("a", "b", "ünï", "c d")
SCOPES: Final = ("**", "src/**", "src/lib/**", "docs", "*.py")
SECTIONS: Final = ("Purpose", "Rules", "People")
REDACTED: Final = frozenset({"ticket", "session", "document", "push"})
COMMIT: Final = "1" * 40


class Step(NamedTuple):
    """One thing that one clone does; what the numbers mean depends on the verb."""

    clone: int
    verb: str
    which: int
    value: int


def create(step: Step, _: View) -> tuple[Draft, ...]:
    fields = Fields(title=f"Title {step.value}", kind="task", priority=step.value % 5 + 1)
    data = TicketCreated(fields=fields, sets=Sets(labels=(_label(step),)), idem_key=f"key{step.value % 3}")
    return (Draft(subject=_ticket(step), data=data),)


def edit(step: Step, _: View) -> tuple[Draft, ...]:
    fields = (
        Fields(title=f"Title {step.value}"),
        Fields(priority=step.value % 5 + 1, boundary=f"line {step.value}\nother: '#'"),
        Fields(parent=_other(step)),
        Fields(checks=("pytest", f"step {step.value}"), max_steps=step.value + 1),
    )[step.value % 4]
    return (Draft(subject=_ticket(step), data=TicketEdited(fields=fields)),)


def add(step: Step, _: View) -> tuple[Draft, ...]:
    return (Draft(subject=_ticket(step), data=TicketEdited(add=_sets(step))),)


def remove(step: Step, _: View) -> tuple[Draft, ...]:
    return (Draft(subject=_ticket(step), data=TicketEdited(remove=_sets(step))),)


def fence(step: Step, _: View) -> tuple[Draft, ...]:
    """Write a scope: allow or deny, more or less of it."""
    glob = SCOPES[step.value % len(SCOPES)]
    sets = Sets(scope_deny=(glob,)) if step.value % 3 == 0 else Sets(scope_allow=(glob,))
    data = TicketEdited(remove=sets) if step.value % 2 else TicketEdited(add=sets)
    return (Draft(subject=_ticket(step), data=data),)


def settle(step: Step, view: View) -> tuple[Draft, ...]:
    """Settle a field in conflict, or all open places of a document; here and perhaps in another clone otherwise."""
    record = view.ticket(_ticket(step))
    if record is None or not record.conflicts:
        return _settled_document(view)
    fields = sorted(record.conflicts)
    take = ("ours",) if step.value % 3 else ("theirs",)
    caller = standing(view, record.id, Asking())
    try:
        return settling.settle(view, record, fields[step.value % len(fields)], take, caller).events
    except ExoError:  # a parent that is closed by now, several others: what people are told, too
        return ()


def move(step: Step, view: View) -> tuple[Draft, ...]:
    record = view.ticket(_ticket(step))
    if record is None:
        return ()
    ways = lifecycle.ways_out(record.ticket.status)
    if not ways:
        return ()
    end = ways[step.value % len(ways)].end
    data = TicketMoved(start=record.ticket.status, end=end, operation="ticket-move", reason="because")
    return (Draft(subject=_ticket(step), data=data),)


def note(step: Step, _: View) -> tuple[Draft, ...]:
    return (Draft(subject=_ticket(step), data=TicketNoted(text=f"note {step.value}")),)


def document(step: Step, view: View) -> tuple[Draft, ...]:
    name = "config.yaml" if step.value % 2 else "CONSTITUTION.md"
    before = view.document(name)
    text = before.text if before else ""
    if name == "config.yaml":
        key = f"x_{SECTIONS[step.which % 3].lower()}"
        kept = [line for line in text.splitlines() if not line.startswith(f"{key}:")]
        text = "\n".join([*kept, f"{key}: {step.value}"])  # no line feed at the end: the next unit must not run into it
    else:
        text = f"{text}## {SECTIONS[step.which % 3]}\n\nParagraph {step.value}\n\n"
    data = DocumentEdited(base=before.digest if before else NO_DIGEST, text=text)
    return (Draft(subject=name, data=data),)


def acquire(step: Step, view: View) -> tuple[Draft, ...]:
    """A new holder: the ledger's highest epoch rises, here and perhaps in another clone at the same time."""
    ticket = _ticket(step)
    session = a_session(step.value)
    epoch = view.highest_epoch(ticket) + 1
    lease = LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit=COMMIT, adopts=_nonce(step))
    return (
        Draft(subject=ticket, data=lease, session=session, epoch=epoch),
        Draft(subject=session, data=SessionStarted(ticket=ticket), session=session, epoch=epoch),
    )


def hold(step: Step, view: View) -> tuple[Draft, ...]:
    """Work under a lease that this clone believes to be its own: rightly, or fenced, or never held."""
    ticket = _ticket(step)
    epoch = max(view.highest_epoch(ticket), 1)
    session = a_session(step.value)
    data = TicketEdited(fields=Fields(title=f"Held {step.value}"))
    return (Draft(subject=ticket, data=data, session=session, epoch=epoch),)


def finish(step: Step, view: View) -> tuple[Draft, ...]:
    ticket = _ticket(step)
    session = _living(view, ticket) or a_session(step.value)
    epoch = max(view.highest_epoch(ticket), 1)
    end = SessionFinished(ticket=ticket, finish=Finish(summary=f"Did {step.value}", ticket_status="review"))
    released = LeaseReleased(ticket=ticket, epoch=epoch, session=session)
    return (
        Draft(subject=session, data=end, session=session, epoch=epoch),
        Draft(subject=ticket, data=released, session=session, epoch=epoch),
    )


def provisional(step: Step, _: View) -> tuple[Draft, ...]:
    session = a_session(step.value)
    claim = _nonce(step)
    return (
        Draft(
            subject=session,
            data=SessionReserved(ticket=_ticket(step), owner="human:jane"),
            session=session,
            claim=claim,
        ),
        Draft(
            subject=_ticket(step),
            data=TicketEdited(fields=Fields(title=f"Offline {step.value}")),
            session=session,
            claim=claim,
        ),
    )


def take_over(step: Step, view: View) -> tuple[Draft, ...]:
    """A holder that did not release is followed by another, here and perhaps in another clone at the same time."""
    ticket = _ticket(step)
    previous = _living(view, ticket)
    if previous is None:
        return ()
    session = a_session(step.value + 100)
    epoch = view.highest_epoch(ticket) + 1
    acquired = LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit=COMMIT)
    over = LeaseTakenOver(
        ticket=ticket,
        session=session,
        previous=previous,
        previous_actor="human:jane",
        previous_epoch=max(epoch - 1, 1),
        forced=bool(step.value % 2),
        reason="silent" if step.value % 2 else None,
    )
    return (
        Draft(subject=ticket, data=acquired, session=session, epoch=epoch),
        Draft(subject=ticket, data=over, session=session, epoch=epoch),
        Draft(subject=session, data=SessionStarted(ticket=ticket), session=session, epoch=epoch),
    )


def expire(step: Step, _: View) -> tuple[Draft, ...]:
    ticket = _ticket(step)
    return (Draft(subject=ticket, data=LeaseExpired(ticket=ticket, value=f"{step.value:040x}")),)


def lose(step: Step, _: View) -> tuple[Draft, ...]:
    ticket = _ticket(step)
    data = LeaseLost(ticket=ticket, session=a_session(step.value), claim=_nonce(step), summary=f"Did {step.value}")
    return (Draft(subject=ticket, data=data),)


def push(step: Step, view: View) -> tuple[Draft, ...]:
    ticket = _ticket(step)
    session = _living(view, ticket) or a_session(step.value)
    data = PushGuarded(
        ticket=ticket, session=session, branch=f"b{step.value}", remote="origin", end=COMMIT, guard="atomic"
    )
    return (Draft(subject=ticket, data=data, session=session, epoch=max(view.highest_epoch(ticket), 1)),)


def refuse(step: Step, _: View) -> tuple[Draft, ...]:
    start, end = lifecycle.Status.TODO, lifecycle.Status.DONE
    data = TicketRefused(operation="ticket-move", start=start, end=end, code="TRANSITION_INVALID", message="no")
    return (Draft(subject=_ticket(step), data=data),)


def authority(step: Step, view: View) -> tuple[Draft, ...]:
    """Leases are decided elsewhere from now on; or somebody who knew of no authority has begun one of his own."""
    known = view.authority()
    fresh = f"{step.which + 1}{step.value:031x}"
    if known is None or step.value % 3 == 0:
        return (Draft(subject="authority", data=AuthoritySet(id=fresh, remote="origin")),)
    floor = view.top_epoch() + 1
    return (Draft(subject="authority", data=AuthorityMoved(id=fresh, previous=known.id, floor=floor, mode="branch")),)


def accept(step: Step, _: View) -> tuple[Draft, ...]:
    data = SyncRewritten(remote="origin", before=None, after=COMMIT, reason=f"why {step.value}")
    return (Draft(subject="sync", data=data),)


def redact(step: Step, view: View) -> tuple[Draft, ...]:
    """Take out what an event holds, seldom: each time every clone folds its whole ledger anew."""
    assert isinstance(view, IndexView)
    rows = view.index.db.execute("SELECT writer, seq, type FROM events ORDER BY writer, seq").fetchall()
    names = [f"{writer}:{seq}" for writer, seq, kind in rows if kind.partition(".")[0] in REDACTED]
    if not names or step.value % 6:
        return ()
    planned = redaction.planned(view.index.db, names[(step.which * 7 + step.value) % len(names)], f"why {step.value}")
    return () if planned.already else (Draft(subject=planned.data.event, data=planned.data),)


WORK: Final[dict[str, Callable[[Step, View], tuple[Draft, ...]]]] = {
    verb.__name__: verb
    for verb in (
        create,
        edit,
        add,
        remove,
        fence,
        settle,
        move,
        note,
        document,
        acquire,
        hold,
        finish,
        provisional,
        take_over,
        expire,
        lose,
        push,
        refuse,
        authority,
        accept,
        redact,
    )
}
EXCHANGE: Final = ("pull", "sync", "sync", "interrupted")
MOMENTS: Final = 60
"""A sync has some forty moments at which it can be interrupted; later ones find it at its end."""


def do(clones: MutableSequence[Clone], step: Step, hubs: int = 1) -> None:
    """Let one clone do one step."""
    one = clones[step.clone % len(clones)]
    remote = f"hub{step.which % hubs}" if step.which % hubs else "origin"
    one.clock.advance(step.value * 7 - 20)  # clocks are not to be trusted, and run backwards at times
    match step.verb:
        case "pull":
            one.pull(remote)
        case "sync":
            one.sync(remote)
        case "interrupted":
            with contextlib.suppress(Interrupted), interrupted_at((step.value * 7 + step.which) % MOMENTS):
                one.sync(remote)
            if step.value % 2:  # the next process goes on, else the same one
                clones[step.clone % len(clones)] = one.reopened()
        case "by_hand":
            by_hand(one, step)
        case _:
            one.store.transact(lambda view: Outcome(events=WORK[step.verb](step, view)), one.stamp(step.verb))


def by_hand(one: Clone, step: Step) -> None:
    """Edit a ticket's file in the mount; somebody takes it in later."""
    files = sorted((one.mount / "tickets").glob("*/*.yaml"))
    if files:
        file = files[step.which % len(files)]
        text = file.read_text()
        file.write_text(text.replace("title: ", f'title: "By hand {step.value}" # was ', 1))


def random_steps(rng: random.Random, clones: int, count: int, *, exchange: float) -> Iterator[Step]:
    """Yield steps: `exchange` is the share of pulls and syncs."""
    for _ in range(count):
        verb = rng.choice(EXCHANGE) if rng.random() < exchange else rng.choice(tuple(WORK))
        yield Step(rng.randrange(clones), verb, rng.randrange(TICKETS), rng.randrange(40))


def _settled_document(view: View) -> tuple[Draft, ...]:
    for name in ("config.yaml", "CONSTITUTION.md"):
        found = view.document(name)
        if found is not None and found.conflicts:
            units = tuple(dict.fromkeys(section.name for section in found.conflicts))
            data = DocumentEdited(base=found.digest, text=found.text, settles=units)
            return (Draft(subject=name, data=data),)
    return ()


def _ticket(step: Step) -> TicketId:
    return TicketId(f"TICKET-{step.which % TICKETS:03}")


def _other(step: Step) -> TicketId:
    return TicketId(f"TICKET-{(step.which + step.value) % TICKETS:03}")


def _label(step: Step) -> str:
    return LABELS[step.value % len(LABELS)]


def _sets(step: Step) -> Sets:
    return Sets(labels=(_label(step),)) if step.value % 2 else Sets(blockers=(_other(step),))


def _nonce(step: Step) -> str:
    return f"{step.which % TICKETS * 10 + step.value % 3:032x}"


def _living(view: View, ticket: TicketId) -> SessionId | None:
    found = view.sessions(ticket=ticket, statuses=("active",), limit=1)
    return found[0].id if found else None
