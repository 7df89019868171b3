"""What each door imports: a heavy module on a hot path is a fault, whoever brought it."""

import re
import sys
from pathlib import Path

import pytest

from tests.support.process import Command, run
from tests.support.repositories import a_repository

HEAVY = ("typer", "rich", "mcp", "pydantic", "asyncio", "dulwich.porcelain")
HOT = (
    ("--version",),
    ("status",),
    ("status", "--json"),
    ("next", "--dry-run"),
    ("ticket-list", "--limit", "5", "--json"),
    ("session", "finish", "--summary", "done"),
)


def _imported(cwd: Path, *argv: str) -> set[str]:
    ran = run(Command(cwd, (sys.executable, "-X", "importtime", "-m", "exo_sidecar", *argv)))
    return set(re.findall(r"\|\s+(\S+)$", ran.err, re.MULTILINE))


def _of(found: set[str], *packages: str) -> set[str]:
    return {name for name in found for package in packages if name == package or name.startswith(f"{package}.")}


@pytest.mark.parametrize("argv", HOT)
def test_a_hot_path_imports_nothing_heavy(tmp_path: Path, argv: tuple[str, ...]) -> None:
    found = _imported(a_repository(tmp_path), *argv)
    assert "exo_sidecar" in found
    assert _of(found, *HEAVY) == set()


def test_the_version_needs_nothing_of_ours_but_the_number(tmp_path: Path) -> None:
    assert _of(_imported(tmp_path, "--version"), "exo_sidecar", "msgspec") == {"exo_sidecar"}


@pytest.mark.parametrize("argv", [("ticket-list",), ("ticket", "list", "--json"), ("audit",), ("--help",)])
def test_no_command_imports_the_protocol(tmp_path: Path, argv: tuple[str, ...]) -> None:
    found = _imported(a_repository(tmp_path), *argv)
    assert "exo_sidecar.cli.main" in found
    assert _of(found, "mcp", "mcp_types", "pydantic", "asyncio", "dulwich.porcelain") == set()


def test_a_command_imports_only_its_noun(tmp_path: Path) -> None:
    found = _imported(a_repository(tmp_path), "ticket-list")
    assert "exo_sidecar.operations.ticket_report" in found
    assert _of(found, "exo_sidecar.operations.session_starting", "exo_sidecar.sync") == set()
