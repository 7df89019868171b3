"""The local index is disposable: whatever happens to its file, answers and writes are right."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.stores import Clone, a_governed_store, assert_sound, closing, created, noted, opened, titled


def deleted(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 // 4096 * 4096])


def cut_oddly(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def garbage(path: Path) -> None:
    path.write_bytes(b"no database " * 5000)


def garbage_inside(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:8192] + b"\xaa" * (len(data) - 8192))


def of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE key = 'program'")
        connection.execute("DELETE FROM tickets")
    connection.close()


DAMAGES = (deleted, emptied, cut, cut_oddly, garbage, garbage_inside, of_another_program)


def damaged(tmp_path: Path, damage: Callable[[Path], None]) -> Clone:
    one = a_governed_store(tmp_path)
    one.write(*(created(f"TICKET-{number}") for number in range(50)))
    path = one.store.index_path
    one.store.close()
    for name in (f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    damage(path)
    return one


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_writer_builds_a_damaged_index_anew(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    with closing([damaged(tmp_path, damage)]) as (one,):
        one.write(titled("TICKET-7", "Written"), noted("TICKET-8", "a note"))
        assert one.store.view().find_ticket("TICKET-7").ticket.title == "Written"
        assert len(one.lines()) == 53
        assert_sound(one)


@pytest.mark.parametrize("damage", [each for each in DAMAGES if each is not garbage_inside])
def test_a_reader_is_right_with_a_damaged_index(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    with closing([damaged(tmp_path, damage)]) as (one,):
        assert one.store.view().ticket_count() == 50
        assert_sound(one)


def test_a_reader_that_may_not_write_folds_in_memory(tmp_path: Path) -> None:
    with closing([damaged(tmp_path, deleted)]) as (one,):
        one.store.index_path.mkdir()  # no file can be opened there, not even by root
        assert one.store.view().ticket_count() == 50
        one.store.close()
        one.store.index_path.rmdir()


def test_readers_follow_what_other_processes_wrote(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        other = opened(one.folder)
        assert other.store.view().ticket_count() == 0
        one.write(created("TICKET-1"))
        assert other.store.view().ticket_count() == 1
        other.store.close()
