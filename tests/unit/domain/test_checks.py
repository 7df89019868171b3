"""The verdict on a check, and on all of them together."""

import pytest

from exo_sidecar.domain import checks
from exo_sidecar.domain.checks import CheckNotAllowed
from exo_sidecar.model.check import Check
from exo_sidecar.model.check_run import CheckRan, CheckVerdict, RunVerdict
from exo_sidecar.model.config import Config
from tests.support.views import FakeView, a_record, a_ticket

CHECK = Check(id="c", run=("c",))


def a_run(status: int = 0, output: str = "") -> CheckRan:
    """Return the facts of a run that came to its end."""
    return CheckRan(status, "exited", output, 0.1)


@pytest.mark.parametrize(
    ("check", "runs", "verdict"),
    [
        (CHECK, (a_run(),), "passed"),
        (CHECK, (a_run(1),), "failed"),
        (CHECK, (a_run(-9),), "failed"),
        (CHECK, (a_run(5, "no tests ran in 0.00s"),), "empty"),
        (CHECK, (a_run(0, "Ran 0 tests in 0.0s"),), "empty"),
        (CHECK, (a_run(1, "Ran 4 tests in 0.1s"),), "failed"),
        (Check(id="c", run=("c",), min_items=5), (a_run(0, "Ran 4 tests in 0.1s"),), "empty"),
        (Check(id="c", run=("c",), evidence="exit"), (a_run(0, "Ran 0 tests in 0.0s"),), "passed"),
        (Check(id="c", run=("c",), evidence="junit:x"), (a_run(),), "empty"),
        (CHECK, (CheckRan(None, "timed out", "", 9.0),), "timeout"),
        (CHECK, (CheckRan(None, "not found", "", 0.0),), "missing"),
        (CHECK, (a_run(), a_run()), "passed"),
        (CHECK, (a_run(), a_run(1)), "unstable"),
        (CHECK, (a_run(0, "Ran 4 tests in 0.1s"), a_run(0, "Ran 5 tests in 0.2s")), "unstable"),
        (CHECK, (a_run(1), a_run(1)), "failed"),
    ],
)
def test_a_check_is_judged_by_what_it_did(check: Check, runs: tuple[CheckRan, ...], verdict: CheckVerdict) -> None:
    assert checks.judge(check, runs).verdict == verdict


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ((), "none"),
        (("empty",), "none"),
        (("empty", "empty"), "none"),
        (("passed",), "pass"),
        (("passed", "passed"), "pass"),
        (("passed", "empty"), "fail"),
        (("passed", "failed"), "fail"),
        (("missing",), "fail"),
        (("timeout",), "fail"),
        (("passed", "unstable"), "fail"),
    ],
)
def test_all_together_pass_only_when_all_did(verdicts: tuple[CheckVerdict, ...], verdict: RunVerdict) -> None:
    assert checks.of_run(verdicts) == verdict


def test_a_ticket_has_its_own_checks_and_those_of_every_ticket_each_once() -> None:
    config = Config(checks_allowlist=("a", "b c"), global_checks=("b c", "a"))
    record = a_record(a_ticket("TICKET-1", checks=("a", "x")))
    view = FakeView(record, config=config)
    assert checks.wanted(record, view) == ("a", "x", "b c")
    assert checks.wanted(None, view) == ("b c", "a")
    assert [check.run for check in checks.choose(["b c"], checks.allowed(config))] == [("b", "c")]
    with pytest.raises(CheckNotAllowed):
        checks.choose(checks.wanted(record, view), checks.allowed(config))
