"""Whether a ticket's work was verified well enough for a move (docs/reference/lifecycle.md, "Guards"). Pure.

A session that finishes says how its own checks went. Whoever moves a ticket otherwise relies on the last run that the
ledger knows, and that holds only for the files that it looked at.
"""

from collections.abc import Sequence
from typing import NamedTuple

from exo_sidecar.domain import required_checks
from exo_sidecar.domain.required_checks import Required
from exo_sidecar.model.actor import Actor, is_agent
from exo_sidecar.model.check_run import Tree, Verify
from exo_sidecar.model.errors import ExoError, Refused
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View


class VerifyFailed(Refused):
    """The ticket's checks failed; `checks` in the details names those that did."""

    code = "VERIFY_FAILED"
    advice = "exo check shows what they wrote; --set-status todo or keep ends the session without handing the work on"


class VerifyNothingRan(Refused):
    """No check showed that the work is done: none is named, none did anything, or none ran on the files as they are."""

    code = "VERIFY_NOTHING_RAN"


class Shown(NamedTuple):
    """What is known of the checks when a move is asked for."""

    verify: Verify | None = None
    """Of the session that finishes with this move; None: the last run that the ledger knows counts."""
    by_person: bool = False
    """Whether it was a person who passed the checks over."""
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """Checks of this session, and what became of them."""
    is_assumed: bool = False
    """Whether they are taken to have passed: they are still to run, or were judged when the move was made."""
    trees: tuple[Tree, ...] = ()
    """What the ticket's work is now, as far as it is known here: a run on one of these holds."""


class _Stands(NamedTuple):
    """How the work is verified as it stands."""

    verify: Verify
    by_person: bool = False
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    is_old: bool = False
    """Whether there was a run that passed, on other files."""


def review_refusal(view: View, record: TicketRecord, shown: Shown) -> ExoError | None:
    """Return why the work may not be handed to review: its checks failed, or a rule asks for some that passed."""
    if shown.is_assumed:
        return None
    stands = _stands(view, record, shown)
    if stands.verify == "failed":
        return _failed(record, stands, Status.REVIEW)
    asked = required_checks.of_step(view, "review")
    if not asked.rules or (stands.verify == "bypassed" and stands.by_person):
        return None
    if stands.verify == "none" and not asked.checks and _is_exempt(view, record):
        return None
    return _short_of(record, stands, asked, Status.REVIEW)


def done_refusal(view: View, record: TicketRecord, shown: Shown) -> ExoError | None:
    """Return why the work does not count as verified: checks failed, or nothing showed that they passed."""
    if shown.is_assumed:
        return None
    stands = _stands(view, record, shown)
    asked = required_checks.of_step(view, "done")
    match stands.verify:
        case "passed":
            return _short_of(record, stands, asked, Status.DONE)
        case "failed":
            return _failed(record, stands, Status.DONE)
        case "bypassed":
            return None if stands.by_person else _nothing(record, "its checks were passed over by an agent")
        case "none":
            if _is_exempt(view, record):
                return _short_of(record, stands, asked, Status.DONE) if asked.checks else None
            why = "its checks passed on other files than these" if stands.is_old else "no check has shown that it is"
            return _nothing(record, why)


def _stands(view: View, record: TicketRecord, shown: Shown) -> _Stands:
    if shown.verify is not None:
        return _Stands(shown.verify, shown.by_person, shown.passed, shown.failed)
    last = view.last_checks(record.id)
    if last is None:
        return _Stands("none")
    if last.verdict == "bypassed":
        return _Stands("bypassed", by_person=not is_agent(Actor(last.actor)))
    if last.verdict == "none" or last.tree not in shown.trees:
        return _Stands("none", is_old=last.verdict == "pass")
    passed = tuple(check.id for check in last.checks if check.verdict == "passed")
    failed = tuple(check.id for check in last.checks if check.verdict != "passed")
    return _Stands("passed" if last.verdict == "pass" else "failed", passed=passed, failed=failed)


def short_of(record: TicketRecord, passed: Sequence[str], asked: Required, what: str) -> VerifyNothingRan | None:
    """Return why checks are not those that the rules ask for before `what`; None when they are."""
    missing = [check for check in asked.checks if check not in passed]
    if not asked.rules or (passed and not missing):
        return None
    which = f"check {', '.join(missing)} has not passed" if missing else "no check has passed"
    message = f"{record.id}: {', '.join(asked.rules)} asks for checks before {what}, and {which}"
    hint = f"exo check {record.id} shows why; a person may pass them over with --skip-check"
    return VerifyNothingRan(message, hint=hint, ticket=record.id, rules=asked.rules, checks=tuple(missing))


def _short_of(record: TicketRecord, stands: _Stands, asked: Required, end: Status) -> VerifyNothingRan | None:
    return short_of(record, stands.passed, asked, str(end))


def _is_exempt(view: View, record: TicketRecord) -> bool:
    return record.ticket.type in view.config().lifecycle.no_check_types


def _failed(record: TicketRecord, stands: _Stands, end: Status) -> VerifyFailed:
    which = f" ({', '.join(stands.failed[:5])})" if stands.failed else ""
    message = f"{record.id} is not {end}: its checks failed{which}"
    return VerifyFailed(message, ticket=record.id, checks=stands.failed)


def _nothing(record: TicketRecord, why: str) -> VerifyNothingRan:
    hint = (
        f"exo check {record.id} --record runs its checks; --set-status review hands it over without;"
        f" exo ticket-edit {record.id} --set-checks ID names one of checks_allowlist in .exo/config.yaml"
    )
    return VerifyNothingRan(f"{record.id} is not done: {why}", hint=hint, ticket=record.id)
