"""Trees: whatever changes in a worktree makes it another one, whatever the file is called."""

import os
import sys
from pathlib import Path

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.host import trees
from tests.support.repositories import a_repository, git


def test_a_tree_is_its_commit_and_what_is_not_committed(tmp_path: Path) -> None:
    place = locate(a_repository(tmp_path))
    assert place.worktree is not None
    assert trees.present(place) == (git(place.worktree, "rev-parse", "HEAD"), None)
    (place.worktree / "new").write_text("1")
    first = trees.present(place)
    assert first == trees.present(place)
    (place.worktree / "new").chmod(0o755)
    second = trees.present(place)
    (place.worktree / "new").write_text("2")
    assert len({first, second, trees.present(place)}) == 3


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_a_name_that_is_no_utf_8_hides_no_change(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    odd = repository / os.fsdecode(b"\xff.py")
    odd.write_text("1")
    before = trees.present(locate(repository))
    odd.write_text("2")
    assert trees.present(locate(repository)) != before
