"""Leases under faults: the history is linearizable and fenced; three ways to do it wrong are found out.

Short runs of what `scripts/soak leases` does for long (docs/lease-safety.md). The seeds are fixed: the schedule of
faults is the same each time, what the processes make of it is not.
"""

import sys
from pathlib import Path

import pytest

from tests.soak.conduct import Report, Terms, run
from tests.soak.plan import Variant

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="who works in a folder is read from /proc")


def rules(report: Report) -> set[str]:
    return {violation.rule for violation in report.violations}


@needs_proc
def test_eight_clones_with_every_fault_leave_a_history_that_is_right(tmp_path: Path) -> None:
    report = run(tmp_path / "run", Terms(seed=16, clones=8, tickets=4, claims=120, seconds=12, haste=4))
    assert (report.violations, report.failed) == ([], ())
    assert report.figures["claims"] >= 20, report.figures
    assert report.figures["workers killed"] > 0, report.figures


@needs_proc
@pytest.mark.parametrize(
    ("variant", "broken"),
    [("no-fencing", "guard"), ("wall-clock", "early"), ("delete-on-release", "holder")],
)
def test_what_is_built_wrong_is_found_out(variant: Variant, broken: str, tmp_path: Path) -> None:
    found: set[str] = set()
    for seed in range(8):  # each of them shows it more often than not
        report = run(
            tmp_path / f"run{seed}",
            Terms(seed=seed, clones=4, tickets=1, claims=40, seconds=5, faults=False, variant=variant),
        )
        assert report.failed == ()
        found |= rules(report)
        if broken in found:
            return
    assert broken in found


@pytest.mark.long
@pytest.mark.timeout(900)
@needs_proc
def test_a_thousand_claims_with_every_fault_leave_a_history_that_is_right(tmp_path: Path) -> None:
    report = run(tmp_path / "run", Terms(seed=17, clones=10, tickets=8, claims=1000, seconds=600, haste=2))
    assert (report.violations, report.failed) == ([], ())
    assert report.figures["claims"] >= 1000
