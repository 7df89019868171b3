"""The reference pages are what the code says."""

from pathlib import Path

import pytest

from exo_sidecar.cli import reference
from exo_sidecar.model.errors import EXIT_STATUS
from exo_sidecar.model.lifecycle import TABLE

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_a_stored_page_is_the_generated_one(name: str) -> None:
    assert (ROOT / reference.FOLDER / name).read_text() == reference.pages()[name], "run scripts/docs"


def test_check_finds_a_page_that_differs_and_write_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert reference.main(["--check"]) == 1
    assert reference.main(["--write"]) == 0
    assert reference.main(["--check"]) == 0
    (tmp_path / reference.FOLDER / "errors.md").write_text("mine")
    assert reference.main(["--check"]) == 1
    assert reference.main([]) == 2


def test_the_pages_hold_every_status_and_every_move() -> None:
    pages = reference.pages()
    assert all(f"| {status} | {kind} |" in pages["exit-codes.md"] for kind, status in EXIT_STATUS.items())
    assert all(f"| `{move.start}` | `{move.end}` |" in pages["lifecycle.md"] for move in TABLE)
