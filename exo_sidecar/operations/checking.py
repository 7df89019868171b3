"""Checking: a ticket's checks run in the caller's checkout, and what came of it for the tree that stands there."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.domain import checks
from exo_sidecar.domain.checks import ChecksUntrusted
from exo_sidecar.git.locate import Place
from exo_sidecar.host import check_runner, trees
from exo_sidecar.model.check import Check
from exo_sidecar.model.check_run import RESULTS_MAX, CheckResult, CheckVerdict, RunVerdict, Tree
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations import keepalive, session_facts, trusting
from exo_sidecar.operations.context import Context

OUTPUT_SHOWN_MAX: Final = 4000
"""Characters of what a check wrote, from its end."""
BEAT_SECONDS: float = 20.0
"""How often it is looked at, while checks run, whether the session's lease wants a heartbeat."""


class CheckShown(msgspec.Struct, frozen=True, kw_only=True):
    """One check, and what its run showed."""

    id: str
    argv: tuple[str, ...]
    verdict: CheckVerdict
    items: int | None = None
    """How many tests or files it looked at; None: it does not say."""
    duration: float = 0.0
    """Seconds, of all its runs together."""
    exit_status: int | None = None
    output_tail: str = ""
    """The last of what it wrote, secrets masked."""


class Checked(NamedTuple):
    """A run of checks."""

    verdict: RunVerdict
    tree: Tree
    shown: tuple[CheckShown, ...]
    results: tuple[CheckResult, ...]

    def event(self, ticket: TicketId | None) -> ChecksRan:
        """Return what the ledger is told."""
        return ChecksRan(
            verdict=self.verdict,
            ticket=ticket,
            commit=self.tree.commit,
            dirty=self.tree.dirty,
            checks=self.results[:RESULTS_MAX],
        )


def require_trusted(ctx: Context) -> None:
    """Refuse to run what a policy names that nobody here has accepted; ChecksUntrusted."""
    standing = trusting.standing(ctx)
    if not standing.is_trusted and standing.commands:
        message = f"nobody here has accepted the policy {standing.policy.digest[:12]}, which names commands to be run"
        raise ChecksUntrusted(message, digest=standing.policy.digest)


def run(ctx: Context, place: Place, wanted: Sequence[Check], absent: Sequence[str] = ()) -> Checked:
    """Run the checks one after the other in the checkout of `place`; those of `absent` count as programs not found.

    Raises:
        CheckOutside: a check would run outside of the checkout.
        NotARepository: it is none.
        CheckoutUnreadable, GitRequired: what stands there cannot be told.
    """
    worktree = session_facts.worktree_at(place)
    tree = trees.present(place)
    shown = [CheckShown(id=each, argv=(), verdict="missing") for each in absent]
    results = [CheckResult(id=each, verdict="missing") for each in absent]
    told = _telling(ctx)
    for check in wanted:
        told(f"check {check.id}")
        runs = [check_runner.run(check, worktree, ctx.environ, told) for _ in range(check.runs)]
        judged = checks.judge(check, runs)
        found = checks.result(check, judged, runs)
        results.append(found)
        shown.append(
            CheckShown(
                id=check.id,
                argv=check.run,
                verdict=found.verdict,
                items=found.items,
                duration=round(found.milliseconds / 1000, 3),
                exit_status=found.exit_status,
                output_tail=runs[-1].output[-OUTPUT_SHOWN_MAX:],
            )
        )
    return Checked(checks.of_run([each.verdict for each in results]), tree, tuple(shown), tuple(results))


def _telling(ctx: Context) -> Callable[[str], None]:
    """Return what shows how far the checks are, and keeps the session's lease alive while they run."""
    last = ctx.boot_clock().seconds

    def tell(text: str) -> None:
        nonlocal last
        ctx.progress(text)
        now = ctx.boot_clock().seconds
        if now - last >= BEAT_SECONDS:
            last = now
            keepalive.beat(ctx)

    return tell
