"""Checks before a push: what failed is not pushed, and a rule may ask that some have passed."""

from typing import NamedTuple

from exo_sidecar.domain import checks, required_checks, verifying
from exo_sidecar.domain.verifying import VerifyFailed, VerifyNothingRan
from exo_sidecar.host import checkout, trees
from exo_sidecar.model.check_run import Verify
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import by_person, checking
from exo_sidecar.operations.checking import Checked, CheckShown
from exo_sidecar.operations.context import Context


class PushChecked(NamedTuple):
    """How the code that is pushed was verified."""

    verify: Verify
    checks: tuple[CheckShown, ...] = ()
    event: ChecksRan | None = None
    """What the ledger is told; None: nothing ran, or it knows already."""


def require(ctx: Context, view: View, session: SessionRecord, *, no_check: bool) -> PushChecked:
    """Return how the session's code is verified, when it may be pushed so.

    Raises:
        VerifyFailed, VerifyNothingRan: a check did not pass, or none did anything, or a rule asks for more.
        ChecksUntrusted: nobody here has accepted the policy that names the checks.
        HumanRequired: only a person pushes without checks.
    """
    if no_check:
        by_person.require(ctx, "pushes without the checks", "exo push --no-check")
        ctx.warn("CHECKS_PASSED_OVER", f"the checks of {session.ticket} were not run")
        return PushChecked("bypassed")
    record = view.find_ticket(session.ticket)
    asked = required_checks.of_step(view, "push")
    ids = checks.wanted(record, view)
    if not ids:
        refusal = verifying.short_of(record, (), asked, "a push")
        if refusal is not None and record.ticket.type not in view.config().lifecycle.no_check_types:
            raise refusal
        return PushChecked("none")
    checking.require_trusted(ctx)
    if _is_known(ctx, view, record, ids):
        return PushChecked("passed")
    chosen, absent = checks.split(ids, view.config())
    done = checking.run(ctx, ctx.place, chosen, absent)
    event = done.event(record.id)
    if done.verdict != "pass":
        ctx.transact(lambda now: checks.record(now, event, ctx.caller))
        raise _refusal(record, done)
    _warn_of_other_files(ctx, done)
    return PushChecked("passed", done.shown, event)


def _is_known(ctx: Context, view: View, record: TicketRecord, ids: tuple[str, ...]) -> bool:
    """Whether the ledger knows that these checks passed on the files as they are."""
    last = view.last_checks(record.id)
    if last is None or last.verdict != "pass" or not set(ids) <= {check.id for check in last.checks}:
        return False
    return last.tree == trees.present(ctx.place)


def _warn_of_other_files(ctx: Context, done: Checked) -> None:
    if done.tree.dirty is not None or done.tree.commit != checkout.head(ctx.place).commit:
        ctx.warn("CHECKED_UNCOMMITTED", "the checks ran on files that are not all committed, so not on what is pushed")


def _refusal(record: TicketRecord, done: Checked) -> VerifyFailed | VerifyNothingRan:
    failed = tuple(check.id for check in done.shown if check.verdict != "passed")
    which = ", ".join(failed[:5])
    if done.verdict == "none":
        message = f"{record.id} is not pushed: its checks did nothing ({which})"
        return VerifyNothingRan(message, hint="exo check shows what they wrote", ticket=record.id, checks=failed)
    message = f"{record.id} is not pushed: its checks failed ({which})"
    return VerifyFailed(message, hint="exo check shows what they wrote", ticket=record.id, checks=failed)
