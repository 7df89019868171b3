"""One process at a time: the second is refused, or waits for as long as it was told."""

import contextlib
import time
from pathlib import Path

import pytest

from exo_sidecar.base.alone import alone


def test_the_second_is_refused_at_once_until_the_first_has_let_go(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "a.lock"
    with alone(lock) as first, alone(lock) as second:
        assert (first, second) == (True, False)
    with alone(lock) as third:
        assert third


def test_who_is_patient_gets_a_lock_that_is_let_go_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "a.lock"
    with contextlib.ExitStack() as holder:
        assert holder.enter_context(alone(lock))
        monkeypatch.setattr(time, "sleep", lambda _: holder.close())
        with alone(lock, patience_seconds=60) as is_alone:
            assert is_alone


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    lock = tmp_path / "a.lock"
    with alone(lock), alone(lock, patience_seconds=3) as is_alone:
        assert not is_alone
    assert next(now) < 10
