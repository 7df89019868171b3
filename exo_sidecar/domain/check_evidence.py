"""Evidence: how much a check did, read from what it wrote. Pure.

A program that found nothing to do often exits with 0; such a run is no pass. Known are the summaries of the usual
runners; of other programs the exit status is all there is, and `junit:PATH` makes them countable.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SUMMARIES: Final = (
    re.compile(
        r"^(?:=+ )?(?P<pytest>\d+ (?:passed|failed|errors?|xfailed|xpassed|skipped|deselected|warnings?)\b.*?)"
        r" in \d[\d.]*s",
        re.MULTILINE,
    ),
    re.compile(r"^Ran (?P<sum>\d+) tests? in ", re.MULTILINE),  # unittest
    re.compile(r"^running (?P<sum>\d+) tests?$", re.MULTILINE),  # cargo
    re.compile(r"^Tests: .*?(?P<sum>\d+) total$", re.MULTILINE),  # jest
    re.compile(r"^ *Tests  .*\((?P<sum>\d+)\)$", re.MULTILINE),  # vitest
    re.compile(r"^ *(?P<sum>\d+) (?:passing|failing)\b", re.MULTILINE),  # mocha
    re.compile(r"^(?:#|\N{INFORMATION SOURCE}) tests (?P<sum>\d+)$", re.MULTILINE),  # node --test
    re.compile(r"^(?P<sum>\d+) examples?, \d+ failures?", re.MULTILINE),  # rspec
    re.compile(r"^(?P<sum>\d+) (?:runs|tests), \d+ assertions", re.MULTILINE),  # minitest
    re.compile(r"^\d+% tests passed, \d+ tests failed out of (?P<sum>\d+)$", re.MULTILINE),  # ctest
    re.compile(r"^Total tests: (?P<sum>\d+)$", re.MULTILINE),  # dotnet
    re.compile(
        r"^(?:\[\w+\] )?Tests run: (?P<sum>\d+), Failures: \d+, Errors: \d+, Skipped: \d+$", re.MULTILINE
    ),  # maven
    re.compile(r"^OK \((?P<sum>\d+) tests?, ", re.MULTILINE),  # phpunit
    re.compile(r"^Tests: (?P<sum>\d+), Assertions: ", re.MULTILINE),  # phpunit, not all well
    re.compile(r"^Success: no issues found in (?P<sum>\d+) source files?$", re.MULTILINE),  # mypy
)
_GO_PACKAGE: Final = re.compile(
    r"^(?:ok|FAIL)\s+\S+\s+(?:\(cached\)|\d[\d.]*s)(?P<nothing>.*\[no tests to run\])?", re.MULTILINE
)
_GO_NOTHING: Final = re.compile(r"^\?\s+\S+\s+\[no test files\]$", re.MULTILINE)
_COUNTED: Final = re.compile(r"(\d+) (?:passed|failed|errors?|xfailed|xpassed)\b")
_NOTHING: Final = re.compile(
    r"^(?:=+ )?no tests ran\b|^(?:no tests|no tests found|no tests to run|no test files|no tests were found)\b"
    r"|^no test files found|^NO TESTS RAN\b|^warning: no python files found|^No tests executed|^0 tests\b"
    r"|^collected 0 items\s*$|^testing: warning: no tests to run",
    re.MULTILINE | re.IGNORECASE,
)
_FAILED_NAME: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)|^--- FAIL: (\S+)|^test (\S+) \.\.\. FAILED$", re.MULTILINE)
_PYTEST_NOTHING: Final = 5
"""pytest's exit status when it collected nothing; Python's own unittest has the same."""
_UNREAD: Final = (b"<!DOCTYPE", b"<!ENTITY", b"\0")
"""A report with entities could unfold without end; one with null bytes is in an encoding that could hide them."""


class Evidence(NamedTuple):
    """What a run shows of itself."""

    items: int | None
    """How many it looked at; None: it does not say."""
    outcomes: Mapping[str, str]
    """What became of each test, as far as it names them: two runs that differ here do not agree."""


def of_output(output: str, status: int | None) -> Evidence:
    """Return what the summary of a known runner says; nothing known says nothing."""
    text = _COLOUR.sub("", output).replace("\r\n", "\n")
    failed = {next(filter(None, found)): "failed" for found in _FAILED_NAME.findall(text)}
    items = _items(text)
    is_nothing = status == _PYTEST_NOTHING and "no tests" in text.lower()
    if items is None and (is_nothing or _NOTHING.search(text) is not None):
        items = 0
    return Evidence(items, failed)


def of_report(report: bytes | None) -> Evidence:
    """Return what a JUnit report says; one that is missing or cannot be read shows nothing."""
    if report is None or any(word in report for word in _UNREAD):
        return Evidence(0, {})
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - 3 ms, and sessions begin and end without a report

    try:
        root = ET.fromstring(report)  # noqa: S314 - entities are refused above
    except ET.ParseError:
        return Evidence(0, {})
    outcomes: dict[str, str] = {}
    items = 0
    for case in root.iter("testcase"):
        words = {child.tag for child in case}
        outcome = next((word for word in ("failure", "error", "skipped") if word in words), "passed")
        outcomes[f"{case.get('classname', '')}.{case.get('name', '')}"] = outcome
        items += outcome != "skipped"
    return Evidence(items, outcomes)


def _items(text: str) -> int | None:
    """Return the sum of what the summaries count, None where no known runner speaks."""
    found: list[int] = []
    for pattern in _SUMMARIES:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            if groups.get("sum") is not None:
                found.append(int(groups["sum"]))
            else:
                found.append(sum(map(int, _COUNTED.findall(groups["pytest"]))))
        if found:
            return sum(found)
    packages = tuple(_GO_PACKAGE.finditer(text))
    if packages or _GO_NOTHING.search(text):
        return sum(1 for match in packages if not match["nothing"])
    return None
