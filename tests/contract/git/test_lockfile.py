"""Locks: exclusive against git, and provably ours after a crash or not touched."""

import errno
import os
from pathlib import Path

import pytest

from exo_sidecar.git.lockfile import LockBusy, clear_dead_lock, held, lock_of, replace


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _dead(target: Path, temporary: Path) -> None:
    """Leave behind what a process does that is killed while it holds the lock."""
    temporary.write_bytes(b"new")
    os.link(temporary, lock_of(target))


def test_a_file_is_replaced_under_its_lock_and_nothing_is_left(tmp_path: Path) -> None:
    target = tmp_path / "file"
    replace(target, tmp_path / "t", b"one", durable=True)
    replace(target, tmp_path / "t", b"two", durable=False)
    assert target.read_bytes() == b"two"
    assert _names(tmp_path) == ["file"]


def test_a_held_lock_is_busy_for_others_and_free_afterwards(tmp_path: Path) -> None:
    target = tmp_path / "file"
    with held(target, tmp_path / "a", b"", durable=False), pytest.raises(LockBusy):
        replace(target, tmp_path / "b", b"", durable=False)
    assert _names(tmp_path) == []


def test_content_can_be_decided_while_the_lock_is_held(tmp_path: Path) -> None:
    target = tmp_path / "file"
    with held(target, tmp_path / "t", b"a first idea", durable=False) as lock:
        lock.write(b"better", durable=True)
        lock.install(durable=True)
    assert target.read_bytes() == b"better"


def test_the_lock_of_a_dead_process_is_cleared(tmp_path: Path) -> None:
    target = tmp_path / "file"
    _dead(target, tmp_path / "t")
    assert clear_dead_lock(target, tmp_path / "t")
    assert _names(tmp_path) == []
    assert not clear_dead_lock(target, tmp_path / "t")


def test_a_lock_that_is_somebody_elses_stays(tmp_path: Path) -> None:
    target = tmp_path / "file"
    (tmp_path / "t").write_bytes(b"new")
    lock_of(target).write_bytes(b"new")
    assert not clear_dead_lock(target, tmp_path / "t")
    assert _names(tmp_path) == ["file.lock"]


def test_death_after_the_rename_leaves_the_new_content(tmp_path: Path) -> None:
    target = tmp_path / "file"
    _dead(target, tmp_path / "t")
    lock_of(target).rename(target)
    assert not clear_dead_lock(target, tmp_path / "t")
    assert target.read_bytes() == b"new"
    assert _names(tmp_path) == ["file"]


def test_a_temporary_that_is_there_already_is_never_written_to(tmp_path: Path) -> None:
    target, temporary = tmp_path / "file", tmp_path / "t"
    target.write_bytes(b"live")
    os.link(target, temporary)
    with pytest.raises(FileExistsError):
        replace(target, temporary, b"new", durable=False)
    assert target.read_bytes() == b"live"


def test_without_links_the_lock_works_and_is_never_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "file"
    with held(target, tmp_path / "a", b"new", durable=False) as lock:
        with pytest.raises(LockBusy):
            replace(target, tmp_path / "b", b"", durable=False)
        assert lock_of(target).stat().st_ino != (tmp_path / "a").stat().st_ino
        lock.install(durable=False)
    assert target.read_bytes() == b"new"
    assert _names(tmp_path) == ["file"]
