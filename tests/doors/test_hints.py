"""What hints tell people to type exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from exo_sidecar.operations import registry
from tests.support.environment import ROOT

DOORS = {"mcp", "claim"}
TWO_WORDS = {"ticket", "intent", "session", "lease", "sidecar", "worktree", "tool"}
NAMED = re.compile(r"(?<![\w/.-])exo ([a-z][a-z-]+)")
PROSE = {"itself", "needs", "operation", "takes", "uses"}


def hints_in(path: Path) -> Iterator[str]:
    """Yield the texts of `hint=...` and `advice = ...` in a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        values: list[ast.expr | None] = []
        if (isinstance(node, ast.keyword) and node.arg in {"hint", "advice"}) or (
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id in {"hint", "advice"} for target in node.targets)
        ):
            values.append(node.value)
        for value in values:
            if value is not None:
                yield from (
                    inner.value
                    for inner in ast.walk(value)
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
                )


def test_every_command_that_a_hint_names_exists() -> None:
    known = {*registry.names(), *DOORS, *TWO_WORDS, *PROSE}
    found = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in sorted((ROOT / "exo_sidecar").rglob("*.py"))
        for text in hints_in(path)
        for name in NAMED.findall(text)
    ]
    assert found
    assert not [place for place in found if place[1].rstrip("-") not in known]
