"""The watchdog ends what is silent, and never takes our own work for the other end's silence."""

import threading
import time

from exo_sidecar.git.watchdog import Watchdog

IDLE_SECONDS = 0.05
PATIENCE_SECONDS = 20.0


def test_silence_is_ended() -> None:
    ended = threading.Event()
    with Watchdog(IDLE_SECONDS) as dog:
        dog.guard(ended.set)
        assert ended.wait(PATIENCE_SECONDS)
    assert dog.fired


def test_our_own_work_may_take_longer_and_the_silence_after_it_is_ended_all_the_same() -> None:
    ended = threading.Event()
    with Watchdog(IDLE_SECONDS) as dog:
        dog.guard(ended.set)
        with dog.ours():
            time.sleep(4 * IDLE_SECONDS)
            worked = not dog.fired
        silent = ended.wait(PATIENCE_SECONDS)
    assert worked
    assert silent


def test_our_own_work_is_ended_with_the_whole_transfer() -> None:
    ended = threading.Event()
    with Watchdog(IDLE_SECONDS, total_seconds=4 * IDLE_SECONDS) as dog:
        dog.guard(ended.set)
        with dog.ours():
            assert ended.wait(PATIENCE_SECONDS)
