"""Random work on a clone: one step is a few small numbers, so that a failing history can be made smaller."""

import contextlib
import random
from collections.abc import Callable, Iterator, MutableSequence
from typing import Final

from exo_sidecar.model.check_run import CheckResult, RunVerdict
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.event_pushes import SyncRewritten
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.store import redaction
from exo_sidecar.store.view import IndexView
from tests.support import random_leases, random_memory, random_plans, random_policy, random_sessions, random_tickets
from tests.support.interruptions import Interrupted, interrupted_at
from tests.support.random_step import COMMIT, TICKETS, Step, living, ticket_of
from tests.support.stores import Clone, a_session

KEPT: Final = frozenset({"authority", "event", "lease"})
"""What no redaction takes out."""


def check(step: Step, view: View) -> tuple[Draft, ...]:
    """Checks ran: for a ticket that this clone believes to hold, for one that it only looks at, or for none."""
    results = (CheckResult(id=f"check {step.value % 3}", verdict="failed" if step.value % 2 else "passed"),)
    verdict: RunVerdict = "fail" if step.value % 2 else "pass"
    if step.value % 5 == 0:
        return (Draft(subject="check", data=ChecksRan(verdict=verdict, checks=results)),)
    ticket = ticket_of(step)
    data = ChecksRan(verdict=verdict, ticket=ticket, commit=COMMIT, checks=results)
    if step.value % 3 == 0:
        return (Draft(subject=ticket, data=data),)
    session = living(view, ticket) or a_session(step.value)
    return (Draft(subject=ticket, data=data, session=session, epoch=max(view.highest_epoch(ticket), 1)),)


def accept(step: Step, _: View) -> tuple[Draft, ...]:
    data = SyncRewritten(remote="origin", before=None, after=COMMIT, reason=f"why {step.value}")
    return (Draft(subject="sync", data=data),)


def redact(step: Step, view: View) -> tuple[Draft, ...]:
    """Take out what an event holds, seldom: each time every clone folds its whole ledger anew."""
    assert isinstance(view, IndexView)
    rows = view.index.db.execute("SELECT writer, seq, type FROM events ORDER BY writer, seq").fetchall()
    names = [f"{writer}:{seq}" for writer, seq, kind in rows if kind.partition(".")[0] not in KEPT]
    if not names or step.value % 6:
        return ()
    planned = redaction.planned(view.index.db, names[(step.which * 7 + step.value) % len(names)], f"why {step.value}")
    return () if planned.already else (Draft(subject=planned.data.event, data=planned.data),)


WORK: Final[dict[str, Callable[[Step, View], tuple[Draft, ...]]]] = {
    verb.__name__: verb
    for verb in (
        random_tickets.create,
        random_tickets.edit,
        random_tickets.add,
        random_tickets.remove,
        random_tickets.fence,
        random_tickets.settle,
        random_tickets.move,
        random_tickets.note,
        random_tickets.document,
        random_leases.acquire,
        random_tickets.hold,
        random_leases.finish,
        random_leases.provisional,
        random_leases.take_over,
        random_leases.expire,
        random_leases.lose,
        random_leases.push,
        check,
        random_tickets.refuse,
        random_leases.authority,
        accept,
        redact,
        random_sessions.suspend,
        random_sessions.resume,
        random_sessions.hand_on,
        random_sessions.take_up,
        random_sessions.evict,
        random_plans.plan,
        random_memory.learn,
        random_memory.unlearn,
        random_policy.legislate,
        random_policy.compile_rules,
        random_policy.forge,
        random_policy.pass_over,
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
    """Yield steps: `exchange` is the share of pulls and syncs; first tickets, without which most work is none."""
    for number in range(count):
        verb = rng.choice(EXCHANGE) if rng.random() < exchange else rng.choice(tuple(WORK))
        if number < TICKETS:
            verb = "create"
        yield Step(rng.randrange(clones), verb, rng.randrange(TICKETS), rng.randrange(40))
