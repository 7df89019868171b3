"""Saved work: out of the checkout and back in, to the byte; or refused with nothing changed."""

import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.git.repository import Repository
from exo_sidecar.host import restored_work, saved_work
from exo_sidecar.host.restored_work import StashConflict
from exo_sidecar.host.saved_work import SavedWork, StashFailed
from tests.support.repositories import a_repository, commit_files, git, write_files
from tests.support.works import (
    FILES,
    WORKS,
    binary,
    deleted,
    modes,
    modified,
    nothing_but_head,
    seen,
    staged,
    untracked,
)

SESSION: Final = "SES-0123456789"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with a commit, and an ignored file."""
    repository = a_repository(tmp_path, files={**FILES, ".gitignore": "*.o\n"})
    write_files(repository, {"built.o": "ignored"})
    return repository


def save(clone: Path) -> SavedWork:
    """Save what there is."""
    with Repository(locate(clone)) as repository:
        work = saved_work.save(repository, SESSION, at=1, kept=None).work
    assert work is not None
    return work


def clear(clone: Path, work: SavedWork) -> tuple[str, ...]:
    """Take the work out."""
    return saved_work.clear(locate(clone), work)


def restore(clone: Path) -> None:
    """Put it back."""
    with Repository(locate(clone)) as repository:
        work = saved_work.read(repository, SESSION)
        assert work is not None
        restored_work.apply(repository, work, restored_work.plan(repository.place, work))


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_work_goes_out_and_comes_back_to_the_byte(clone: Path, work: Callable[[Path], None]) -> None:
    work(clone)
    before = seen(clone)
    saved = save(clone)
    assert seen(clone) == before
    assert clear(clone, saved) == ()
    nothing_but_head(clone)
    restore(clone)
    assert seen(clone) == before


def test_the_commit_is_what_git_shows_of_it(clone: Path) -> None:
    staged(clone)
    work = save(clone)
    ref = saved_work.ref_of(SESSION)
    assert git(clone, "rev-parse", ref) == work.commit
    assert git(clone, "rev-parse", f"{ref}^1") == git(clone, "rev-parse", "HEAD")
    assert git(clone, "show", f"{ref}:a.txt") == "and then changed"
    assert git(clone, "show", f"{ref}^2:a.txt") == "staged"
    assert git(clone, "fsck", "--strict", "--no-dangling") == ""
    assert git(clone, "stash", "list") == ""


def test_random_work_comes_back_to_the_byte(clone: Path) -> None:
    for seed in range(8):
        chance = random.Random(seed)
        for work in chance.sample(WORKS, 3):
            try:
                work(clone)
            except (OSError, AssertionError):
                continue  # one has taken away what the other works on
        before = seen(clone)
        clear(clone, save(clone))
        nothing_but_head(clone)
        restore(clone)
        assert seen(clone) == before, seed
        git(clone, "reset", "-q", "--hard")
        git(clone, "clean", "-qfd")


def test_nothing_is_saved_where_nothing_is_changed(clone: Path) -> None:
    with Repository(locate(clone)) as repository:
        assert saved_work.save(repository, SESSION, at=1, kept=None).work is None
        assert saved_work.read(repository, SESSION) is None


def test_a_file_that_changes_after_it_was_saved_stays(clone: Path) -> None:
    write_files(clone, {"a.txt": "saved\n", "new.txt": "saved\n", "b.txt": "saved\n"})
    work = save(clone)
    write_files(clone, {"a.txt": "changed since\n", "new.txt": "changed since\n"})
    assert clear(clone, work) == ("a.txt", "new.txt")
    assert (clone / "a.txt").read_text() == "changed since\n"
    assert (clone / "new.txt").read_text() == "changed since\n"
    assert (clone / "b.txt").read_text() == FILES["b.txt"]


def test_a_commit_in_between_is_left_alone(clone: Path) -> None:
    modified(clone)
    work = save(clone)
    git(clone, "commit", "-qam", "committed after all")
    before = seen(clone)
    assert clear(clone, work) == ()
    assert seen(clone) == before


def commits(clone: Path) -> None:
    commit_files(clone, {"a.txt": "by a commit\n"})


def edits(clone: Path) -> None:
    write_files(clone, {"a.txt": "edited\n"})


def stages(clone: Path) -> None:
    write_files(clone, {"b.txt": "staged by hand\n"})
    git(clone, "add", "b.txt")
    write_files(clone, {"b.txt": FILES["b.txt"]})


def makes(clone: Path) -> None:
    write_files(clone, {"new.txt": "another\n"})


def makes_a_folder(clone: Path) -> None:
    write_files(clone, {"new.txt/in it": "another\n"})


def makes_a_file_of_a_folder(clone: Path) -> None:
    write_files(clone, {"deep": "no folder\n"})


def makes_a_link_of_a_folder(clone: Path) -> None:
    (clone / "deep").symlink_to("dir")


@pytest.mark.parametrize(
    "other",
    [commits, edits, stages, makes, makes_a_folder, makes_a_file_of_a_folder, makes_a_link_of_a_folder],
    ids=lambda other: other.__name__,
)
def test_work_that_does_not_fit_any_more_is_refused_with_nothing_changed(
    clone: Path, other: Callable[[Path], None]
) -> None:
    write_files(clone, {"a.txt": "saved\n", "new.txt": "saved\n", "deep/file": "saved\n", "b.txt": "saved\n"})
    git(clone, "add", "b.txt")
    work = save(clone)
    clear(clone, work)
    other(clone)
    before = seen(clone)
    with pytest.raises(StashConflict):
        restore(clone)
    assert seen(clone) == before
    assert git(clone, "rev-parse", saved_work.ref_of(SESSION)) == work.commit


def test_work_fits_onto_commits_that_touch_other_files(clone: Path) -> None:
    modified(clone)
    clear(clone, save(clone))
    commit_files(clone, {"elsewhere.txt": "x\n"})
    restore(clone)
    assert (clone / "a.txt").read_text() == "changed\n"
    assert git(clone, "status", "--porcelain") == " M a.txt\n M dir/file"


def test_a_restore_that_was_interrupted_is_gone_on_with(clone: Path) -> None:
    modified(clone)
    untracked(clone)
    staged(clone)
    before = seen(clone)
    clear(clone, save(clone))
    write_files(clone, {"a.txt": "and then changed\n", "new.txt": "staged\n"})  # as a killed call leaves it
    restore(clone)
    assert seen(clone) == before
    restore(clone)
    assert seen(clone) == before


def test_clearing_that_was_interrupted_is_gone_on_with(clone: Path) -> None:
    staged(clone)
    deleted(clone)
    untracked(clone)
    work = save(clone)
    (clone / "dir" / "new").unlink()
    (clone / "a.txt").unlink()
    git(clone, "reset", "-q", "--", "a.txt")
    assert clear(clone, work) == ()
    nothing_but_head(clone)


def test_submodules_and_repositories_inside_are_named_and_not_touched(clone: Path, tmp_path: Path) -> None:
    inner = a_repository(tmp_path, "inner")
    git(clone, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    git(clone, "commit", "-qm", "sub")
    a_repository(clone, "nested")
    commit_files(clone / "sub", {"work.txt": "x\n"})
    write_files(clone, {"sub/dirty.txt": "d\n", "a.txt": "changed\n"})
    with Repository(locate(clone)) as repository:
        saving = saved_work.save(repository, SESSION, at=1, kept=None)
    assert saving.foreign == ("nested/", "sub")
    assert saving.work is not None
    assert clear(clone, saving.work) == ()
    assert (clone / "sub" / "dirty.txt").exists()
    assert (clone / "nested" / "README.md").exists()
    assert (clone / "a.txt").read_text() == FILES["a.txt"]
    restore(clone)
    assert (clone / "a.txt").read_text() == "changed\n"


def a_merge(clone: Path) -> None:
    git(clone, "switch", "-q", "-c", "side")
    commit_files(clone, {"a.txt": "side\n"})
    git(clone, "switch", "-q", "main")
    commit_files(clone, {"a.txt": "main\n"})
    with pytest.raises(AssertionError):
        git(clone, "merge", "side")


def an_unborn_branch(clone: Path) -> None:
    git(clone, "switch", "-q", "--orphan", "fresh")
    write_files(clone, {"a.txt": "x\n"})


@pytest.mark.parametrize("state", [a_merge, an_unborn_branch], ids=lambda state: state.__name__)
def test_what_cannot_be_saved_is_refused_with_nothing_changed(clone: Path, state: Callable[[Path], None]) -> None:
    state(clone)
    before = seen(clone)
    with Repository(locate(clone)) as repository, pytest.raises(StashFailed):
        saved_work.save(repository, SESSION, at=1, kept=None)
    assert seen(clone) == before
    assert git(clone, "for-each-ref", "refs/exo") == ""


def test_a_call_waits_a_moment_for_the_lock_of_one_that_was_killed_and_not_for_one_at_work(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = locate(clone)
    with contextlib.ExitStack() as dying:
        dying.enter_context(saved_work.alone_in(place))
        monkeypatch.setattr(time, "sleep", lambda _: dying.close())
        with saved_work.alone_in(place):
            monkeypatch.setattr(saved_work, "PATIENCE_SECONDS", 0.0)
            with pytest.raises(StashFailed, match="another call"), saved_work.alone_in(place):
                pass


def test_work_of_a_linked_worktree_goes_out_and_comes_back(clone: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(clone, "worktree", "add", "-q", "-b", "other", str(linked))
    modified(linked)
    untracked(linked)
    staged(linked)
    before, main = seen(linked), seen(clone)
    clear(linked, save(linked))
    assert git(linked, "status", "--porcelain", "-uall") == ""
    restore(linked)
    assert (seen(linked), seen(clone)) == (before, main)


def test_earlier_saved_work_stays_within_reach(clone: Path) -> None:
    modified(clone)
    first = save(clone)
    clear(clone, first)
    untracked(clone)
    with Repository(locate(clone)) as repository:
        second = saved_work.save(repository, SESSION, at=2, kept=first.commit).work
    assert second is not None
    assert git(clone, "rev-parse", f"{saved_work.ref_of(SESSION)}^3") == first.commit
    clear(clone, second)
    restore(clone)
    assert git(clone, "status", "--porcelain", "-uall") == "?? deep/er/new.txt\n?? dir/new\n?? new.txt"


def test_large_files_go_by_way_of_git(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restored_work, "IN_MEMORY_MAX_BYTES", 1000)
    binary(clone)
    modes(clone)
    before = seen(clone)
    clear(clone, save(clone))
    restore(clone)
    assert seen(clone) == before


def test_saved_content_that_is_gone_is_told_and_nothing_is_written(clone: Path) -> None:
    untracked(clone)
    work = save(clone)
    clear(clone, work)
    blob = git(clone, "rev-parse", f"{work.commit}:new.txt")
    (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    before = seen(clone)
    with pytest.raises(StashFailed, match="is not there"):
        restore(clone)
    assert seen(clone) == before
