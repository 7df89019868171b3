"""The story of a demonstration: what is done on a stage, step by step, and what it shows.

Every step is made of real processes that work on real repositories; a step that fails ends the story, and what it
would have shown does not hold.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from exo_sidecar.host.stage import Call, Clone, Stage
from exo_sidecar.model.errors import Environment
from exo_sidecar.operations import demo_proof, demo_sights
from exo_sidecar.operations.audit import Audited
from exo_sidecar.operations.demo_answers import Heard, StepFailed, heard
from exo_sidecar.operations.demo_areas import Area, areas
from exo_sidecar.operations.demo_proof import Invariant, Judged
from exo_sidecar.operations.leases import LeasesListed
from exo_sidecar.operations.next import NextChosen
from exo_sidecar.operations.push import CodePushed
from exo_sidecar.operations.registry import Result
from exo_sidecar.operations.session_finishing import SessionFinished
from exo_sidecar.operations.session_starting import SessionStarted
from exo_sidecar.operations.ticket import TicketsListed
from exo_sidecar.operations.ticket_making import TicketMade
from exo_sidecar.store.governed import DEFAULT_BRANCH

TICKETS: Final = 6
ROUNDS_MAX: Final = 6
LABEL: Final = "demo"

Kind = TypeVar("Kind", bound=Result)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done."""

    title: str
    outcome: str
    seconds: float
    ok: bool = True


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One of several claims made at the same moment."""

    clone: str
    actor: str
    exit_status: int
    token: int | None
    """Of the lease: the claimer's own when it won, the holder's when it was told."""
    told: str


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket at the end."""

    ticket: str
    title: str
    status: str
    scope: str
    worked_by: str | None
    token: int | None


class Work(NamedTuple):
    """A session at work in a clone."""

    clone: Clone
    ticket: str
    session: str
    token: int
    area: Area

    @property
    def branch(self) -> str:
        """The branch that holds the work."""
        return f"exo/{self.ticket}"


class Story:
    """Played once on one stage; what it showed is read from its fields afterwards."""

    def __init__(self, stage: Stage, tell: Callable[[str], None], seconds: Callable[[], float]) -> None:
        self._stage = stage
        self._tell = tell
        self._seconds = seconds
        self.steps: list[Step] = []
        self.judged: dict[Invariant, Judged] = {}
        self.claims: tuple[Claim, ...] = ()
        self.board: tuple[BoardRow, ...] = ()
        self.governance_history: tuple[str, ...] = ()
        self.code_history: tuple[str, ...] = ()
        self._tickets: dict[str, Area] = {}
        self._works: list[Work] = []
        self._pushed: list[CodePushed] = []
        self._before: dict[str, str] = {}
        self._after_work: dict[str, str] = {}

    def play(self) -> None:
        """Play every step, or up to the one that fails."""
        played = (
            ("govern: exo init in one clone, exo sidecar-init in the others", self._govern),
            ("plan: an intent, and tickets written by parallel processes", self._plan),
            ("race: one ticket, claimed by all clones at the same moment", self._race),
            ("spread: exo next for those who lost, exo session-start", self._spread),
            ("work: a branch, a change, a commit and exo push in each clone", self._work),
            ("finish: exo session-finish in all clones at once", self._finish),
            ("fence: a person takes a ticket over, and the agent that had it tries to push", self._fence),
            ("agree: exo sync until nobody has anything new", self._agree),
            ("prove: exo audit, git fsck --strict, both histories", self._prove),
        )
        for number, (title, act) in enumerate(played, 1):
            self._tell(f"{number}/{len(played)} {title}")
            began = self._seconds()
            try:
                outcome, ok = act(), True
            except Environment as error:  # what a process could not do ends the story, and is told in it
                outcome, ok = error.message, False
            self.steps.append(Step(title=title, outcome=outcome, seconds=round(self._seconds() - began, 1), ok=ok))
            if not ok:
                break

    def _govern(self) -> str:
        self._before = demo_sights.checkouts(self._stage)
        first, *others = self._stage.clones
        self._must([Call(first, ("init", "--no-scan"))])  # the repository's own checks are not run to show the way
        self._must([Call(clone, ("sidecar-init",)) for clone in others])
        return f"{DEFAULT_BRANCH} mounted at .exo/ in {len(self._stage.clones)} clones"

    def _plan(self) -> str:
        first = self._stage.clones[0]
        dump = "newcomers ask what each part is for"
        made = self._heard([Call(first, ("intent-create", "Every part says what it is for", "--brain-dump", dump))])
        intent = made[0].data(TicketMade).id
        chosen = areas(demo_sights.plain_files(self._stage, first), TICKETS)
        calls = [Call(first, _ticket_words(area, intent, number)) for number, area in enumerate(chosen)]
        created = self._data(calls, TicketMade)
        self._tickets = {str(each.id): area for each, area in zip(created, chosen, strict=True)}
        self._must([Call(clone, ("sync",)) for clone in self._stage.clones[:1]])
        self._must([Call(clone, ("sync",)) for clone in self._stage.clones[1:]])
        return f"{intent} and {len(created)} tickets, each fenced to a part of the repository"

    def _race(self) -> str:
        ticket = next(iter(self._tickets))
        words = ("session-start", "--ticket-id", ticket)
        claims = self._heard([Call(clone, words) for clone in self._stage.clones])
        self.judged[Invariant.ONE_HOLDER] = demo_proof.one_holder(claims)
        self.claims = tuple(_claim(each) for each in claims)
        winners = [each for each in claims if each.status == 0]
        if len(winners) != 1:
            raise StepFailed(self.judged[Invariant.ONE_HOLDER].evidence)
        work = self._started(winners[0].call.clone, winners[0].data(SessionStarted))
        self._works.append(work)
        self.judged[Invariant.LOSERS_TOLD] = demo_proof.losers_told(claims, work.session, work.token)
        return f"{work.clone.actor} won {ticket} with token {work.token}"

    def _spread(self) -> str:
        waiting = [clone for clone in self._stage.clones if clone != self._works[0].clone]
        self._data([Call(clone, ("next", "--label", LABEL)) for clone in waiting], NextChosen)
        started = self._data([Call(clone, ("session-start",)) for clone in waiting], SessionStarted)
        self._works += [self._started(clone, each) for clone, each in zip(waiting, started, strict=True)]
        self.judged[Invariant.SPREAD] = demo_proof.spread({work.clone.name: work.ticket for work in self._works})
        self.judged[Invariant.UNTOUCHED] = demo_proof.untouched(self._before, demo_sights.checkouts(self._stage))
        return self.judged[Invariant.SPREAD].evidence

    def _work(self) -> str:
        for work in self._works:
            self._committed(work)
        self._pushed = self._data([Call(work.clone, ("push",)) for work in self._works], CodePushed)
        return ", ".join(f"{each.branch} (guard: {each.guard})" for each in self._pushed)

    def _finish(self) -> str:
        words = ("session-finish", "--summary", "it says what it is for", "--set-status", "done")
        finished = self._data([Call(work.clone, words) for work in self._works], SessionFinished)
        leases = self._data([Call(self._stage.clones[0], ("leases",))], LeasesListed)[0]
        statuses = [each.ticket_status for each in finished]
        self.judged[Invariant.ENDED] = demo_proof.ended(statuses, leases, len(self._works))
        return self.judged[Invariant.ENDED].evidence

    def _fence(self) -> str:
        person, agent = self._stage.clones[:2]  # the first is a person's (host.stage)
        chosen = self._data([Call(agent, ("next", "--label", LABEL))], NextChosen)[0]
        work = self._started(agent, self._data([Call(agent, ("session-start",))], SessionStarted)[0])
        self._committed(work)
        words = ("lease-takeover", "--ticket-id", work.ticket, "--force", "--reason", "it is needed elsewhere")
        self._must([Call(person, ("--yes", *words))])
        late = self._heard([Call(agent, ("push",))])[0]
        there = demo_sights.on_hub(self._stage, work.branch)
        self.judged[Invariant.GUARDED] = demo_proof.guarded([each.guard for each in self._pushed], late, there)
        self._must([Call(person, ("lease-release", "--ticket-id", work.ticket))])
        self._after_work = demo_sights.checkouts(self._stage)
        return f"{chosen.ticket_id}: {late.sentence}"

    def _committed(self, work: Work) -> None:
        folder = work.clone.folder
        self._stage.said(folder, "switch", "-q", "-c", work.branch)
        self._stage.append(work.clone, work.area.file, f"\nThis part is about: {work.area.name}.\n")
        self._stage.said(folder, "add", "-f", "--", work.area.file)
        self._stage.said(folder, "commit", "-q", "-m", f"{work.area.name}: say what it is for ({work.ticket})")

    def _agree(self) -> str:
        for rounds in range(1, ROUNDS_MAX + 1):
            self._must([Call(clone, ("sync",)) for clone in self._stage.clones])
            self.judged[Invariant.AGREED] = demo_proof.agreed(demo_sights.trees(self._stage), rounds)
            if self.judged[Invariant.AGREED].holds:
                break
        return self.judged[Invariant.AGREED].evidence

    def _prove(self) -> str:
        names = [clone.name for clone in self._stage.clones]
        listing = ("ticket-list", "--limit", "1000", "--sort", "id")
        boards = self._data([Call(clone, listing) for clone in self._stage.clones], TicketsListed)
        wanted = dict.fromkeys(self._tickets, "todo") | {work.ticket: "done" for work in self._works}
        self.judged[Invariant.COMPLETE] = demo_proof.complete(dict(zip(names, boards, strict=True)), wanted)
        audits = self._data([Call(clone, ("audit",)) for clone in self._stage.clones], Audited)
        self.judged[Invariant.VERIFIED] = demo_proof.verified(dict(zip(names, audits, strict=True)))
        self.judged[Invariant.SOUND] = demo_proof.sound(demo_sights.problems(self._stage))
        if self.judged[Invariant.UNTOUCHED].holds:
            self.judged[Invariant.UNTOUCHED] = demo_proof.untouched(
                self._after_work, demo_sights.checkouts(self._stage)
            )
        self.judged[Invariant.APART] = demo_proof.apart(
            demo_sights.shared_ancestor(self._stage),
            demo_sights.strays(self._stage, {work.branch: work.area.file for work in self._works}),
            len(self._works),
        )
        self.board = self._board(boards[0])
        self.governance_history = demo_sights.governance_history(self._stage)
        self.code_history = demo_sights.code_history(self._stage)
        return self.judged[Invariant.VERIFIED].evidence

    def _heard(self, calls: Sequence[Call]) -> list[Heard]:
        return [heard(call, ran) for call, ran in zip(calls, self._stage.exo(calls), strict=True)]

    def _data(self, calls: Sequence[Call], kind: type[Kind]) -> list[Kind]:
        return [each.data(kind) for each in self._heard(calls)]

    def _must(self, calls: Sequence[Call]) -> None:
        self._data(calls, Result)

    def _started(self, clone: Clone, started: SessionStarted) -> Work:
        ticket = str(started.ticket.id)
        token = started.session.epoch or 0
        return Work(clone, ticket, str(started.session.id), token, self._tickets[ticket])

    def _board(self, listed: TicketsListed) -> tuple[BoardRow, ...]:
        by_ticket = {work.ticket: work for work in self._works}
        return tuple(
            BoardRow(
                ticket=item.id,
                title=item.title,
                status=item.status,
                scope=self._tickets[item.id].glob,
                worked_by=by_ticket[item.id].clone.actor if item.id in by_ticket else None,
                token=by_ticket[item.id].token if item.id in by_ticket else None,
            )
            for item in sorted(listed.items, key=lambda item: (item.status != "done", item.id))
            if item.id in self._tickets
        )


def _ticket_words(area: Area, intent: str, number: int) -> tuple[str, ...]:
    title = f"Say what {area.name} is for"
    urgent = ("--priority", "1") if number == 0 else ()
    of = ("--parent", intent, "--type", "docs", "--label", LABEL, "--scope-allow", area.glob)
    return ("ticket-create", title, *of, *urgent)


def _claim(each: Heard) -> Claim:
    clone = each.call.clone
    if each.status == 0:
        started = each.data(SessionStarted)
        token, told = started.session.epoch, f"{started.session.id} started"
    else:
        token = each.holder.epoch
        told = (
            f"{each.code}: {each.holder.actor} holds it in {each.holder.holder}" if each.holder.actor else each.sentence
        )
    return Claim(clone=clone.name, actor=clone.actor, exit_status=each.status, token=token, told=told)
