"""A day of three agents in three clones, chapter by chapter: every answer is what the chapter says.

`PYTEST_GOLDEN=update` writes the chapters anew, and the diff is reviewed.
"""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.support.forked import forks
from tests.support.repositories import a_clone, a_hub
from tests.support.scenario import Player

CHAPTERS: Final = tuple(sorted(Path(__file__).parent.glob("*.txt")))
CLONES: Final = ("clone-a", "clone-b", "clone-c")
FILES: Final = {
    "README.md": "# Dates\n",
    "pyproject.toml": '[project]\nname = "dates"\nversion = "1"\n',
    "src/dates/parse.py": "def parse(text):\n    return text\n",
    "src/dates/show.py": "def show(date):\n    return str(date)\n",
    "tests/run.sh": "#!/bin/sh\ngrep -q offset src/dates/parse.py && echo 1 passed && exit 0\necho 1 failed\nexit 1\n",
    "docs/index.md": "# Dates\n",
}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All chapters as they are told now, one after the other in the same three clones."""
    folder = tmp_path_factory.mktemp("day")
    hub = a_hub(folder, files=FILES)
    for name in CLONES:
        a_clone(hub, name)
    with forks(folder / "forks") as server:
        player = Player(folder, server)
        return {path.stem: player.told(path.read_text()) for path in CHAPTERS}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_day_goes_as_it_is_written_down(chapter: Path, day: dict[str, str]) -> None:
    if os.environ.get("PYTEST_GOLDEN") == "update":
        chapter.write_text(day[chapter.stem])
    assert chapter.read_text() == day[chapter.stem]
