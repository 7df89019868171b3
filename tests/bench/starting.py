"""A session's start and end as whole processes: in a repository with a long past, against one with hardly any.

First each repository decides about its leases itself, then a hub on this machine does. Branches are local ones, and as
soon as there is a hub the same ones of it.
"""

import subprocess
import time
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model.event import Draft, LeaseAcquired, LeaseReleased, SessionFinished, SessionStarted
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import Finish
from tests.bench import grounds, timing
from tests.bench.timing import EXO, Budget, Group, Row, Used
from tests.support.repositories import a_hub, a_repository, git

RUNS: Final = 9
LIMIT: Final = 1.5
_AT_ONCE: Final = 5000
"""Sessions that are written in one transaction."""
_APART_SECONDS: Final = 600
"""By how much a branch is older than the next."""


class Past(NamedTuple):
    """What a repository has seen."""

    tickets: int
    sessions: int
    branches: int


LITTLE: Final = Past(10, 0, 1)
LONG: Final = Past(10_000, 20_000, 500)


def measure(folder: Path) -> Group:
    """Lay both repositories, start and finish sessions in them turn by turn."""
    little, long = (laid(folder / name, past) for name, past in (("little", LITTLE), ("long", LONG)))
    rows = _rows("leases decided here", little, long)
    for clone in (little, long):
        connect(clone)
    return Group("Sessions, whole processes", (*rows, *_rows("leases on a hub", little, long)))


def laid(folder: Path, past: Past) -> Path:
    """Make a governed repository without a remote that has this past."""
    clone = a_repository(folder)
    grounds.fill(clone, past.tickets)
    for first in range(0, past.sessions, _AT_ONCE):
        drafts = [
            draft
            for number in range(first, min(first + _AT_ONCE, past.sessions))
            for draft in _session(number, past.tickets)
        ]
        with grounds.context(clone) as ctx:
            ctx.begin("bench", {})
            ctx.transact(lambda _, drafts=drafts: Outcome(events=tuple(drafts)))  # type: ignore[misc]
    _branch(clone, past.branches)
    return clone


def connect(clone: Path) -> None:
    """Let a hub have the branches and decide about leases."""
    hub = a_hub(clone.parent, files={})
    git(clone, "remote", "add", "origin", str(hub))
    git(clone, "push", "-q", "origin", "main", "refs/heads/topic/*:refs/heads/topic/*")
    timing.started((*EXO, "leases-move", "--remote", "origin", "--yes"), clone)


def _rows(where: str, little: Path, long: Path) -> list[Row]:
    starts: list[tuple[Used, Used]] = []
    ends: list[tuple[Used, Used]] = []
    for number in range(RUNS + 1):
        starts.append((_start(little, number), _start(long, number)))
        ends.append((_finish(little), _finish(long)))
    rows: list[Row] = []
    for what, pairs in (("session-start", starts[1:]), ("session-finish", ends[1:])):
        few, many = (timing.of([pair[side].ms for pair in pairs]) for side in (0, 1))
        busy, busier = (timing.of([pair[side].processor_ms for pair in pairs]) for side in (0, 1))
        ratio = timing.ratio(many, few)
        said = f"{ratio:.2f} x, by median {many.median / few.median:.2f} x; {busier.median:.0f} ms of processor"
        rows += [
            Row(f"exo {what}, {where}, {_told(LITTLE)}", few, f"{busy.median:.0f} ms of processor"),
            Row(f"exo {what}, {where}, {_told(LONG)}", many, said, (Budget(f"<= {LIMIT:g} x", ratio, LIMIT),)),
        ]
    return rows


def _start(clone: Path, number: int) -> Used:
    """Start a session; the first loads the caches of the disk and is not counted."""
    (clone / "work.txt").write_text(f"{number}\n")
    return _used(clone, "session-start", "--ticket-id", grounds.ticket(number % LITTLE.tickets))


def _finish(clone: Path) -> Used:
    return _used(clone, "session-finish", "--summary", "done", "--set-status", "todo")


def _used(clone: Path, *words: str) -> Used:
    return timing.used((*EXO, "--json", *words), clone)


def _told(past: Past) -> str:
    branches = f"{past.branches:,} branch{'es' if past.branches != 1 else ''}"
    return f"{past.tickets:,} tickets, {past.sessions:,} sessions, {branches}"


def _session(number: int, tickets: int) -> tuple[Draft, ...]:
    """Return the events of one that worked on a ticket and gave it back."""
    ticket, epoch = grounds.ticket(number % tickets), 1 + number // tickets
    session = SessionId(f"SES-{number:010}")
    said = Finish(summary="Some of it.", ticket_status="todo", branch=f"topic/{number % LONG.branches}")
    data = (
        (ticket, LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit="a" * 40)),
        (session, SessionStarted(ticket=ticket, branch=said.branch, base="b" * 40)),
        (session, SessionFinished(ticket=ticket, finish=said)),
        (ticket, LeaseReleased(ticket=ticket, epoch=epoch, session=session)),
    )
    return tuple(Draft(subject=subject, data=each, session=session, epoch=epoch) for subject, each in data)


def _branch(clone: Path, count: int) -> None:
    """Make branches with one commit each, the youngest of this hour."""
    base, now = git(clone, "rev-parse", "HEAD"), int(time.time())
    commits = (
        f"commit refs/heads/topic/{number}\ncommitter A <a@example.org> {now - number * _APART_SECONDS} +0000\n"
        f"data 1\nx\nfrom {base}\nM 100644 inline src/part{number % 100}/file{number}.py\ndata 2\nx\n\n"
        for number in range(count)
    )
    stream = "".join(commits).encode()
    subprocess.run(("git", "fast-import", "--quiet"), cwd=clone, input=stream, check=True, capture_output=True)
