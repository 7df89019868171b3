"""The text that people see, compared whole: `PYTEST_GOLDEN=update` writes it anew, and the diff is reviewed."""

import os
import re
from pathlib import Path
from typing import Final

import pytest

from exo_sidecar.host import advice_facts
from tests.support.inprocess import exo_in_process
from tests.support.repositories import a_repository

GOLDEN: Final = Path(__file__).parent / "golden"
_HEALTH: Final = ("mount", "documents", "sessions", "leases", "hooks", "trust")
STEPS: Final = (
    ("status-ungoverned", ("status",)),
    ("init", ("init",)),
    ("intent-create", ("intent-create", "Ship it", "--id", "INTENT-SHIP", "--brain-dump", "all of it")),
    ("ticket-create", ("ticket-create", "Do [b]this[/b]\u202e", "--parent", "INTENT-SHIP", "--id", "TICKET-DO")),
    ("ticket-create-blocked", ("ticket-create", "Later", "--parent", "INTENT-SHIP", "--id", "TICKET-LATER")),
    ("ticket-edit", ("ticket-edit", "TICKET-LATER", "--add-blocker", "TICKET-DO", "--priority", "1")),
    ("ticket-list", ("ticket-list",)),
    ("status", ("status",)),
    ("next-dry-run", ("next", "--ticket-id", "TICKET-DO", "--dry-run")),
    ("next", ("next", "--ticket-id", "TICKET-DO")),
    ("session-start", ("session-start",)),
    ("leases", ("leases",)),
    ("lease-heartbeat", ("lease-heartbeat",)),
    ("session-suspend", ("session-suspend", "--reason", "Something urgent.")),
    ("session-resume", ("session-resume",)),
    ("ticket-move-refused", ("ticket-move", "TICKET-LATER", "active")),
    ("session-finish", ("session-finish", "--summary", "It is done.")),
    ("ticket-show", ("ticket-show", "TICKET-DO", "--tree", "--history")),
    ("check-nothing", ("check", "TICKET-DO")),
    ("intents", ("intents",)),
    ("validate", ("validate", "done", "active")),
    ("audit", ("audit",)),
    ("doctor", ("doctor", *(word for name in _HEALTH for word in ("--section", name)), "--fix-hints")),
    ("trust-show", ("trust", "--show")),
    ("sync-refused", ("sync",)),
    ("reflect", ("reflect", "--pattern", "It [b]loops[/b]\u202e", "--insight", "Use a list.", "--tag", "parser")),
    ("reflections", ("reflections",)),
    ("reflect-dismiss", ("reflect-dismiss", "ref-ccwy", "--reason", "mended")),
)
_CHANGING: Final = (
    (r"SES-[0-9A-Z]{10}", "SES-XXXXXXXXXX"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-01-02T03:04:05Z"),
    (r"sessions/[0-9a-z]{2}/", "sessions/xx/"),
    (r"\b[0-9a-z]{16}\b", "cccccccccccccccc"),
    (r"\b[0-9a-f]{12}\b", "ffffffffffff"),
    (r"\b\d+h \d+m( left)?", "4h\\1"),
    (r"\b\d+[smh]\b", "4h"),
    (r"\d+ events in", "N events in"),
    (r"cccccccccccccccc  \d+ +", "cccccccccccccccc  N       "),
)


def _steady(text: str, repository: Path) -> str:
    for pattern, replacement in _CHANGING:
        text = re.sub(pattern, replacement, text)
    return text.replace(str(repository), "REPOSITORY")


def test_a_story_reads_as_it_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice_facts, "machine", lambda: advice_facts.Machine(8, 0.5, 16_000))
    repository = a_repository(tmp_path)
    found = {}
    for name, argv in STEPS:
        ran = exo_in_process(repository, *argv, env={"EXO_ACTOR": "human:ann"})
        parts = (f"$ exo {' '.join(argv)}".replace("\u202e", "<U+202E>"), ran.out, ran.err, f"exit {ran.exit}")
        found[name] = _steady("\n".join(part.rstrip("\n") for part in parts if part) + "\n", repository)
    if os.environ.get("PYTEST_GOLDEN") == "update":
        GOLDEN.mkdir(exist_ok=True)
        for name, text in found.items():
            (GOLDEN / f"{name}.txt").write_text(text)
    stored = {path.stem: path.read_text() for path in GOLDEN.glob("*.txt")}
    assert stored == found
