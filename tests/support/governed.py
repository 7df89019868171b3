"""A governed repository with nothing in it yet, and a command line for one ticket after another."""

import json
import os
from pathlib import Path
from typing import Any, Final

from exo_sidecar.git import mount
from exo_sidecar.git.locate import locate
from exo_sidecar.host import live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.event import Draft, LeaseAcquired, SessionStarted
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.operations.context import Context
from tests.support.inprocess import exo_in_process
from tests.support.process import Ran
from tests.support.repositories import a_repository, git

BRANCH: Final = "exo-governance"


def a_governed_repository(folder: Path, name: str = "repo") -> Path:
    """Make a repository of one commit whose governance branch is mounted and unborn."""
    repository = a_repository(folder, name)
    mount.create(locate(repository), BRANCH, repository / ".exo")
    return repository


def let_name(repository: Path, *checks: str) -> None:
    """Write settings that list these checks; the next command takes them in."""
    (repository / ".exo" / "config.yaml").write_text(f"version: 1\nchecks_allowlist: {json.dumps(checks)}\n")


def commits(repository: Path) -> int:
    """Return how many commits the governance branch has."""
    return int(git(repository, "rev-list", "--count", BRANCH)) if git(repository, "branch", "--list", BRANCH) else 0


def asked(repository: Path, *args: str) -> Ran:
    """Run an operation as human:jane, answered in JSON."""
    return exo_in_process(repository, *args, "--actor", "human:jane", "--json")


def done(repository: Path, *args: str) -> Any:  # noqa: ANN401 - JSON: what a test expects of it stands in its asserts
    """Run an operation that must succeed and return its data."""
    ran = asked(repository, *args)
    assert ran.exit == 0, ran.out + ran.err
    return ran.data


def refusal(repository: Path, *args: str) -> Any:  # noqa: ANN401 - JSON, as above
    """Run an operation that must not succeed and return its error, with the exit status in it."""
    ran = asked(repository, *args)
    assert ran.exit != 0, ran.out
    return {**ran.answer["error"], "exit": ran.exit}


def hold(repository: Path, ticket: str, session: str = "SES-AAAAAAAAAA", actor: str = "agent:claude") -> SessionId:
    """Write what a session that took the ticket's lease writes, here and in the ledger, without the lease itself."""
    own = SessionId(session)
    acquired = LeaseAcquired(ticket=TicketId(ticket), epoch=1, session=own, commit="0" * 40)
    drafts = (
        Draft(subject=ticket, data=acquired, session=own, epoch=1),
        Draft(subject=own, data=SessionStarted(ticket=TicketId(ticket)), session=own, epoch=1),
    )
    with Context.open(repository, actor=Actor(actor), session=session, environ=os.environ) as ctx:
        ctx.transact(lambda _: Outcome(events=drafts))
        now = ctx.boot_clock()
        live = LiveSession(
            session=own, ticket=TicketId(ticket), actor=actor, state="active", worktree=str(repository),
            boot_id=now.boot_id, heartbeat=now.seconds,
        )  # fmt: skip
        live_sessions.write(ctx.place.common, live)
    return own
