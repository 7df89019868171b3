"""The forest of intents: what lies below each, how far it is, how well its sessions kept to it. Pure.

A walk follows parents upwards, so every ticket is looked at once; a ring that two clones closed has no root, and its
tickets are orphans.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exo_sidecar.model.drift import WHOLE
from exo_sidecar.model.forest import Drifted, Node, Orphan, Progress
from exo_sidecar.model.hierarchy import FREE_TYPES
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.instant import Instant, epoch_seconds
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import TicketRow

_HOUR: Final = 3600
_DEPTH_MAX: Final = 100
"""Far below what `tickets.max_tree_depth` lets anybody write; clones that joined may have made more."""


class Grown(NamedTuple):
    """What is known of one intent from everything below it."""

    progress: Progress
    drift: Drifted
    sessions: int
    last_work: str | None
    """The latest sign of a session, None when there never was one."""
    children: tuple[Node, ...]


class Forest:
    """Tickets by parent, and sessions by ticket, gathered once."""

    def __init__(
        self, rows: Sequence[TicketRow], sessions: Iterable[SessionRecord], put_away_done: frozenset[TicketId]
    ) -> None:
        self.put_away_done = put_away_done
        self.rows: Mapping[TicketId, TicketRow] = {row.id: row for row in rows}
        self.below: dict[TicketId, list[TicketRow]] = defaultdict(list)
        for row in rows:
            if row.parent is not None:
                self.below[row.parent].append(row)
        self.sessions: dict[TicketId, list[SessionRecord]] = defaultdict(list)
        for session in sessions:
            self.sessions[session.ticket].append(session)

    def grown(self, root: TicketId) -> Grown:
        """Return what an intent comes to with everything below it."""
        tickets = self._tickets(root)
        sessions = [session for ticket in tickets for session in self.sessions.get(ticket, ())]
        signs = [sign for session in sessions for sign in _signs(session)]
        return Grown(
            progress=self._progress(tickets),
            drift=_drifted(sessions),
            sessions=len(sessions),
            last_work=max(signs, default=None),
            children=self._nodes(root, {root}),
        )

    def orphans(self) -> tuple[Orphan, ...]:
        """Return open tasks without a living intent, and tasks of which a session left the boundary that held."""
        found: list[Orphan] = []
        for row in self.rows.values():
            if row.kind != "task":
                continue
            why = self._uprooted(row) if row.status not in CLOSED else None
            if why is not None:
                found.append(Orphan(id=row.id, title=row.title, status=row.status, reason=why))
            found += self._strayed(row)
        return tuple(found)

    def _tickets(self, root: TicketId) -> tuple[TicketId, ...]:
        found = {root: None}
        waiting = [root]
        while waiting:
            for row in self.below.get(waiting.pop(), ()):
                if row.id not in found:
                    found[row.id] = None
                    waiting.append(row.id)
        return tuple(found)

    def _nodes(self, parent: TicketId, above: set[TicketId]) -> tuple[Node, ...]:
        rows = (row for row in self.below.get(parent, ()) if row.id not in above and len(above) <= _DEPTH_MAX)
        return tuple(self._node(row, above | {row.id}) for row in rows)

    def _node(self, row: TicketRow, above: set[TicketId]) -> Node:
        tickets = self._tickets(row.id) if row.kind != "task" else (row.id,)
        return Node(
            id=row.id,
            title=row.title,
            kind=row.kind,
            status=row.status,
            sessions=sum(len(self.sessions.get(ticket, ())) for ticket in tickets),
            progress=self._progress(tickets),
            children=self._nodes(row.id, above),
        )

    def _progress(self, tickets: Iterable[TicketId]) -> Progress:
        rows = [self.rows[ticket] for ticket in tickets if ticket in self.rows]
        tasks = [row for row in rows if row.kind == "task"]
        done = sum(1 for row in tasks if row.status is Status.DONE or row.id in self.put_away_done)
        open_ = sum(1 for row in tasks if row.status not in CLOSED)
        return Progress(done=done, total=done + open_)

    def _uprooted(self, row: TicketRow) -> str | None:
        """Return why no living intent stands for an open task, None when one does or none is asked for."""
        current, visited = row, {row.id}
        while current.parent is not None:
            above = self.rows.get(current.parent)
            if above is None:
                return f"{current.parent} above it is not there"
            if above.id in visited:
                return f"{above.id} lies above itself"
            visited.add(above.id)
            current = above
        if current.kind != "intent":
            free = current is row and row.type in FREE_TYPES
            return None if free else f"no intent stands above {current.id}"
        return f"its intent {current.id} is {current.status}" if current.status in CLOSED else None

    def _strayed(self, row: TicketRow) -> list[Orphan]:
        sessions = self.sessions.get(row.id, ())
        found = []
        for session in sessions:
            drift = session.finish.drift if session.finish is not None else None
            if drift is None or not drift.boundary_hit_count:
                continue
            files = ", ".join(drift.boundary_hits[:3])
            reason = f"{session.id} left the boundary{f' of {drift.intent_root}' if drift.intent_root else ''}: {files}"
            found.append(Orphan(id=row.id, title=row.title, status=row.status, reason=reason, session=session.id))
        return found


def is_stale(status: str, created_at: str, last_work: str | None, now: Instant, hours: int) -> bool:
    """Whether an open intent has seen no session for so long, by the wall clocks of whoever wrote."""
    if Status(status) in CLOSED:
        return False
    since = max(epoch_seconds(Instant(created_at)), epoch_seconds(Instant(last_work)) if last_work else 0)
    return epoch_seconds(now) - since > hours * _HOUR


def mean(values: Sequence[float]) -> float | None:
    """Return the mean, rounded to thousandths; None of nothing."""
    return round(sum(values) / len(values), 3) if values else None


def _drifted(sessions: Sequence[SessionRecord]) -> Drifted:
    measured = [
        (session.finished_at or "", session.id, session.finish.drift.score / WHOLE)
        for session in sessions
        if session.finish is not None and session.finish.drift is not None and session.finish.drift.score is not None
    ]
    scores = [score for _, _, score in measured]
    if not measured:
        return Drifted()
    return Drifted(latest=max(measured)[2], mean=mean(scores), max=max(scores), measured=len(scores))


def _signs(session: SessionRecord) -> tuple[str, ...]:
    """Return when the session was heard of."""
    found = [session.started_at, session.finished_at]
    found += [moment for each in session.suspensions for moment in (each.at, each.resumed_at)]
    return tuple(moment for moment in found if moment)
