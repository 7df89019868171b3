"""Checks for stories: settings that name them, and what a check has left running."""

import json
import sys
from collections.abc import Sequence
from typing import TypeAlias

import psutil

from tests.support.working import Shop

Listed: TypeAlias = str | dict[str, object]
LEFT_BEHIND = "left-behind"
"""A word on the command line of programs that a check starts."""


def a_check(name: str, code: str, **changes: object) -> Listed:
    """Return a check that runs a line of Python."""
    return {"id": name, "run": [sys.executable, "-c", code], **changes}


PASSES = a_check("passes", "print('fine')")
FAILS = a_check("fails", "print('it broke'); raise SystemExit(3)")
EMPTY = a_check("empty", "print('Ran 0 tests in 0.001s')")


def let_run(shop: Shop, *checks: Listed, number: int = 0, globally: Sequence[str] = ()) -> None:
    """Have a person write the checks into the settings."""
    config = shop.clones[number] / ".exo" / "config.yaml"
    lines = config.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("checks_allowlist", "global_checks"))]
    kept += [f"checks_allowlist: {json.dumps(checks)}", f"global_checks: {json.dumps(list(globally))}"]
    config.write_text("\n".join(kept) + "\n")
    shop.ok(number, "ticket-edit", shop.tickets[0], "--note", "the settings changed", "--actor", "human:ann")


def left_behind() -> list[int]:
    """Return the processes that a check has left running."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or ()
        if LEFT_BEHIND in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found
