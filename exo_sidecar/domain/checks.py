"""Checks: which ones a ticket has, and what their runs show (docs/guides/checks.md). Pure.

A run that did nothing is no pass, whatever it exited with: `empty` of one check, `none` of all together. Results hold
for the tree they ran on and for no other.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from exo_sidecar.domain import check_evidence, fence, holding, required_checks
from exo_sidecar.domain.check_evidence import Evidence
from exo_sidecar.domain.holding import Asker
from exo_sidecar.model import check as written
from exo_sidecar.model.check import Check
from exo_sidecar.model.check_run import CheckRan, CheckResult, CheckVerdict, RunVerdict, Verify
from exo_sidecar.model.config import Config
from exo_sidecar.model.errors import NotFound, Refused
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View

GLOBAL: Final = "check"
"""What an event of checks is about that belong to no ticket."""
_JUNIT: Final = "junit:"
_EXIT: Final = "exit"
_OF_RUN: Final[dict[RunVerdict, Verify]] = {"pass": "passed", "fail": "failed", "none": "none"}


class CheckNotAllowed(Refused):
    """A check is asked for that `checks_allowlist` does not name: nothing else is ever run."""

    code = "CHECK_NOT_ALLOWED"
    advice = "checks_allowlist in .exo/config.yaml names the commands that may run"


class CheckUnknown(NotFound):
    """There is no check of that id here."""

    code = "CHECK_UNKNOWN"
    advice = "exo check --list names those that there are"


class ChecksUntrusted(Refused):
    """The policy that names the checks came from elsewhere, and nobody here has accepted it."""

    code = "CHECKS_UNTRUSTED"
    advice = "exo trust --show shows what it would run; exo trust, by a person, accepts it"


class Judged(NamedTuple):
    """The verdict on one check."""

    verdict: CheckVerdict
    items: int | None = None


def allowed(config: Config) -> dict[str, Check]:
    """Return the checks that may run, by id; CheckNotArgv."""
    return {check.id: check for check in map(written.parse, config.checks_allowlist)}


def split(ids: Sequence[str], config: Config) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Return the checks of these ids that may run, and the ids of those that may not.

    What cannot be read may not run: a line that is spoilt does not keep a session from its end.
    """
    may_run: dict[str, Check] = {}
    for entry in config.checks_allowlist:
        with contextlib.suppress(written.CheckNotArgv):
            check = written.parse(entry)
            may_run[check.id] = check
    return tuple(may_run[each] for each in ids if each in may_run), tuple(each for each in ids if each not in may_run)


def wanted(record: TicketRecord | None, view: View) -> tuple[str, ...]:
    """Return the ids of the checks that a ticket has, with those that every ticket has; without one only these."""
    own = fence.checks(record) if record is not None else ()
    return tuple(dict.fromkeys((*own, *view.config().global_checks, *required_checks.named(view))))


def choose(ids: Sequence[str], may_run: Mapping[str, Check]) -> tuple[Check, ...]:
    """Return the checks of these ids; CheckNotAllowed for one that the list does not name."""
    missing = [each for each in ids if each not in may_run]
    if missing:
        message = f"{', '.join(missing)}: not in checks_allowlist, so not run"
        raise CheckNotAllowed(message, checks=tuple(missing))
    return tuple(may_run[each] for each in ids)


def judge(check: Check, runs: Sequence[CheckRan]) -> Judged:
    """Return the verdict on a check from all its runs: the same one of each, or `unstable`."""
    found = [_judge(check, run) for run in runs]
    first = found[0][0]
    if any(judged.verdict != first.verdict for judged, _ in found):
        return Judged("unstable", first.items)
    if any((judged.items, shown.outcomes) != (first.items, found[0][1].outcomes) for judged, shown in found):
        return Judged("unstable", first.items)
    return first


def of_run(verdicts: Sequence[CheckVerdict]) -> RunVerdict:
    """Return the verdict of all checks together."""
    if all(verdict == "empty" for verdict in verdicts):
        return "none"
    return "pass" if all(verdict == "passed" for verdict in verdicts) else "fail"


def verify(verdict: RunVerdict) -> Verify:
    """Return how a session's work is verified by a run."""
    return _OF_RUN[verdict]


def result(check: Check, judged: Judged, runs: Sequence[CheckRan]) -> CheckResult:
    """Return what the ledger keeps of a check."""
    return CheckResult(
        id=check.id,
        verdict=judged.verdict,
        items=judged.items,
        exit_status=runs[-1].status,
        milliseconds=round(1000 * sum(run.seconds for run in runs)),
    )


def record(view: View, ran: ChecksRan, caller: Asker) -> Outcome:
    """Return the event of a run; of a ticket that the caller's session holds it stands under its lease."""
    if ran.ticket is None:
        return Outcome(events=(Draft(subject=GLOBAL, data=ran),))
    standing = holding.standing(view, ran.ticket, caller)
    if standing.fenced:
        return refused(holding.session_fenced(ran.ticket, standing.session))
    draft = Draft(subject=ran.ticket, data=ran, session=standing.session, epoch=standing.epoch)
    return Outcome(events=(draft,))


def _judge(check: Check, run: CheckRan) -> tuple[Judged, Evidence]:
    if run.ended != "exited" or run.status is None:
        return Judged("missing" if run.ended == "not found" else "timeout"), Evidence(None, {})
    shown = _evidence(check, run)
    items = shown.items
    if items == 0 and check.evidence == "auto":
        return Judged("empty", 0), shown  # runners disagree about the exit status of nothing
    if run.status != 0:
        return Judged("failed", items), shown
    if items is not None and items < check.min_items:
        return Judged("empty", items), shown
    return Judged("passed", items), shown


def _evidence(check: Check, run: CheckRan) -> Evidence:
    if check.evidence == _EXIT:
        return Evidence(None, {})
    if check.evidence.startswith(_JUNIT):
        return check_evidence.of_report(run.report)
    return check_evidence.of_output(run.output, run.status)
