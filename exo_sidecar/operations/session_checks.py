"""Checks at the end of a session, and what is known of them when somebody moves its ticket later."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from exo_sidecar.domain import auditing, checks
from exo_sidecar.domain.checks import ChecksUntrusted
from exo_sidecar.domain.sessions import Ending
from exo_sidecar.domain.verifying import Shown
from exo_sidecar.host import branches, trees
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.model.check_run import Tree, Verify
from exo_sidecar.model.errors import GitRequired, NotARepository, TimedOut
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.session import WARNINGS_MAX, SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import by_person, checking, session_facts
from exo_sidecar.operations.checking import CheckShown
from exo_sidecar.operations.context import Context, Warned

_UNREADABLE: Final = (CheckoutUnreadable, GitRequired, NotARepository, TimedOut)
WARNING_MAX: Final = 500
"""Characters of one warning in the memento."""
JUDGED: Final = frozenset({Status.REVIEW, Status.DONE})
"""Moves to these look at the checks."""


class PassedOver(NamedTuple):
    """The wish to finish without checks."""

    wanted: bool
    reason: str | None


class Verified(NamedTuple):
    """How a session's work was verified at its end."""

    verify: Verify
    checks: tuple[CheckShown, ...] = ()
    event: ChecksRan | None = None
    """What the ledger is told of it; None: there was nothing to run."""
    passed_over_by: str | None = None
    reason: str | None = None
    error: str | None = None
    """Why the checks could not be run; None: they could, or there are none."""

    def ending(self, ending: Ending, *, warnings: Sequence[Warned], by_person: bool) -> Ending:
        """Return the ending with what the checks showed, and what the session was warned of."""
        passed = tuple(check.id for check in self.checks if check.verdict == "passed")
        failed = tuple(check.id for check in self.checks if check.verdict != "passed")
        finish = replace(
            ending.finish,
            verify=self.verify,
            checks=self.event.checks if self.event else (),
            checks_error=self.error,
            break_glass=self.reason,
            break_glass_by=self.passed_over_by,
            warnings=warned(warnings),
        )
        shown = Shown(verify=self.verify, by_person=by_person, passed=passed, failed=failed)
        return ending._replace(finish=finish, shown=shown, ran=self.event)


def warned(warnings: Sequence[Warned]) -> tuple[str, ...]:
    """Return what a session was warned of, as its memento has it."""
    return tuple(f"{each.code}: {each.message}"[:WARNING_MAX] for each in warnings)[:WARNINGS_MAX]


def ask(ctx: Context, over: PassedOver, status: str) -> str | None:
    """Return why the checks are passed over, None when they are not.

    Raises:
        HumanRequired: only a person finishes a ticket as done without its checks.
        ReasonRequired: nobody said why.
    """
    if not over.wanted:
        return None
    if status == Status.DONE:
        what = "finishes a ticket as done without its checks"
        by_person.require(ctx, what, "exo session-finish --set-status done --skip-check --break-glass-reason")
    return by_person.reason(over.reason, "passing over the checks")


def verify(ctx: Context, view: View, session: SessionRecord, passed_over: str | None, status: str) -> Verified:
    """Run the checks of the session's ticket, unless they are passed over, and say how its work is verified.

    Raises:
        ChecksUntrusted: the ticket is to be done, and nobody here has accepted the policy that names its checks.
    """
    record = view.ticket(session.ticket)
    if passed_over is not None:
        event = ChecksRan(verdict="bypassed", ticket=session.ticket, reason=passed_over)
        return Verified("bypassed", (), event, ctx.caller.actor, passed_over)
    ids = checks.wanted(record, view)
    if not ids or record is None:
        return Verified("none")
    refusal = _untrusted(ctx)
    if refusal is not None:
        exempt = record.ticket.type in view.config().lifecycle.no_check_types
        if status == Status.DONE and not exempt:
            raise refusal
        ctx.warn_of(refusal)
        return Verified("none", error=refusal.message)
    chosen, absent = checks.split(ids, view.config())
    for each in absent:
        ctx.warn("CHECK_NOT_ALLOWED", f"check {each} is not in checks_allowlist, so it was not run")
    try:
        done = checking.run(ctx, session_facts.place_of(ctx, session.id), chosen, absent)
    except _UNREADABLE as error:
        ctx.warn_of(error)
        return Verified("none", error=error.message)
    return Verified(checks.verify(done.verdict), done.shown, done.event(record.id))


def known(ctx: Context, view: View, record: TicketRecord, end: Status) -> Shown:
    """Return what is known here of the work on a ticket that somebody wants to move to `end`."""
    if end not in JUDGED or view.last_checks(record.id) is None:
        return Shown()
    found = [_tip(ctx, view, record)]
    try:
        found.append(trees.present(ctx.place))
    except _UNREADABLE as error:
        ctx.warn_of(error)
    return Shown(trees=tuple(tree for tree in found if tree is not None))


def _tip(ctx: Context, view: View, record: TicketRecord) -> Tree | None:
    """Return where the branch stands that was worked on last; where it ended when the branch is gone."""
    last = auditing.last_writer(view, record.id)
    if last is None:
        return None
    finish = last.finish
    branch = (finish.branch if finish else None) or last.branch
    here = branches.tip(ctx.place, branch, ctx.repository.settings.remotes()) if branch else None
    commit = here or (finish.head if finish else None)
    return Tree(commit, None) if commit else None


def _untrusted(ctx: Context) -> ChecksUntrusted | None:
    try:
        checking.require_trusted(ctx)
    except ChecksUntrusted as error:
        return error
    return None
