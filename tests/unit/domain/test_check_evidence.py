"""What the runners' summaries say about how much they did, as they really print it."""

import pytest

from exo_sidecar.domain import check_evidence

RULE = "=" * 20


@pytest.mark.parametrize(
    ("output", "status", "items"),
    [
        (f"{RULE} 3 passed in 0.12s {RULE}", 0, 3),
        (f"{RULE} 1 failed, 2 passed, 1 skipped, 1 warning in 62.00s (0:01:02) {RULE}", 1, 3),
        ("..\n2 passed in 0.01s\n", 0, 2),
        (f"{RULE} 2 skipped in 0.01s {RULE}", 0, 0),
        (f"{RULE} 4 deselected in 0.01s {RULE}", 5, 0),
        (f"collected 0 items\n\n{RULE} no tests ran in 0.01s {RULE}", 5, 0),
        ("no tests ran in 0.00s\n", 5, 0),
        (f"\x1b[32m{RULE} \x1b[32m\x1b[1m2 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m\x1b[32m {RULE}\x1b[0m", 0, 2),
        ("----\nRan 7 tests in 0.003s\n\nOK\n", 0, 7),
        ("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", 5, 0),
        ("ok  \texample.com/a\t0.012s\nok  \texample.com/b\t(cached)\n", 0, 2),
        ("ok  \texample.com/a\t0.012s [no tests to run]\n", 0, 0),
        ("?   \texample.com/a\t[no test files]\n", 0, 0),
        ("FAIL\texample.com/a\t0.020s\n", 1, 1),
        ("running 3 tests\ntest result: ok.\n\nrunning 0 tests\n", 0, 3),
        ("running 0 tests\n\nrunning 0 tests\n", 0, 0),
        ("Tests:       1 failed, 4 passed, 5 total\n", 1, 5),
        ("No tests found, exiting with code 1\n", 1, 0),
        ("      Tests  5 passed (5)\n", 0, 5),
        ("No test files found, exiting with code 1\n", 1, 0),
        ("  12 passing (8ms)\n  1 failing\n", 1, 13),
        ("  0 passing (1ms)\n", 0, 0),
        ("# tests 4\n# pass 4\n", 0, 4),
        ("8 examples, 1 failure\n", 1, 8),
        ("0 examples, 0 failures\n", 0, 0),
        ("5 runs, 9 assertions, 0 failures, 0 errors, 0 skips\n", 0, 5),
        ("100% tests passed, 0 tests failed out of 6\n", 0, 6),
        ("No tests were found!!!\n", 0, 0),
        ("[INFO] Tests run: 11, Failures: 0, Errors: 0, Skipped: 1\n", 0, 11),
        ("OK (3 tests, 5 assertions)\n", 0, 3),
        ("No tests executed!\n", 0, 0),
        ("Success: no issues found in 12 source files\n", 0, 12),
        ("warning: No Python files found under the given path(s)\nAll checks passed!\n", 0, 0),
        ("All checks passed!\n", 0, None),
        ("", 0, None),
        ("made 0 tests of this and 5 passed in review", 0, None),
    ],
)
def test_known_summaries_are_counted_and_unknown_ones_are_not(output: str, status: int, items: int | None) -> None:
    assert check_evidence.of_output(output, status).items == items


def test_failed_tests_are_named_so_that_two_runs_can_be_told_apart() -> None:
    one = check_evidence.of_output("FAILED tests/test_a.py::test_x - boom\n1 failed, 1 passed in 0.1s", 1)
    two = check_evidence.of_output("FAILED tests/test_a.py::test_y - boom\n1 failed, 1 passed in 0.1s", 1)
    assert one.items == two.items
    assert one.outcomes != two.outcomes


@pytest.mark.parametrize(
    ("report", "items"),
    [
        (
            b'<all><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite></all>',
            2,
        ),
        (b'<testsuite><testcase name="a"><skipped/></testcase></testsuite>', 0),
        (b"<testsuite/>", 0),
        (b"<testsuite", 0),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite><testcase name="a"/></testsuite>', 0),
        ('<?xml version="1.0"?><testsuite><testcase/></testsuite>'.encode("utf-16"), 0),
        (None, 0),
    ],
)
def test_a_report_counts_its_cases_and_a_hostile_one_shows_nothing(report: bytes | None, items: int) -> None:
    assert check_evidence.of_report(report).items == items
