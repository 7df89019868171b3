"""The worker processes of a run: started, watched, stopped, woken, killed, and started again."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from tests.soak.plan import Plan
from tests.soak.schedule import STOP_SECONDS

DAY_SECONDS: Final = 86_400.0
COPY_MOVES: Final = 25


class Crew:
    """Clones and the process on each."""

    def __init__(self, run: Path, seed: int, tickets: tuple[str, ...], first: Plan) -> None:
        self._run = run
        self._chance = random.Random(f"crew {seed}")
        self._seed = seed
        self._tickets = tickets
        self._first = first
        self._plans: dict[str, Plan] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._wake: dict[str, float] = {}
        self._starts = 0
        self.deaths = 0
        self.stops = 0
        self.failed: list[str] = []

    def add(self, clone: Path, **changes: str | int) -> None:
        """Put a worker on `clone`; its clocks are off by up to a day and up to one per cent."""
        plan = msgspec.structs.replace(
            self._first,
            worker=clone.name,
            clone=str(clone),
            run=str(self._run),
            tickets=self._tickets,
            wall_offset_seconds=self._chance.choice((-1, 0, 1)) * DAY_SECONDS,
            rate=self._chance.uniform(0.99, 1.01),
            boot_started=time.monotonic(),
            **changes,
        )
        self._plans[clone.name] = plan
        self._start(clone.name)

    def clone(self, number: int) -> Path:
        """Return the folder of a worker, by number."""
        return Path(self._plans[sorted(self._plans)[number % len(self._plans)]].clone)

    def kill(self, number: int, *, reboot: bool = False) -> None:
        """Kill a worker as kill -9 does; after a reboot its boot clock begins anew, under another id."""
        name = self.clone(number).name
        if reboot:
            plan = self._plans[name]
            self._plans[name] = msgspec.structs.replace(plan, boot=plan.boot + 1, boot_started=time.monotonic())
        self._signal(name, signal.SIGKILL)

    def stop(self, number: int, seconds: float) -> None:
        """Freeze a worker for a while."""
        name = self.clone(number).name
        self._signal(name, signal.SIGSTOP)
        self._wake[name] = time.monotonic() + seconds

    def watch(self) -> None:
        """Wake who has slept enough, start again who died; copies that are done are let go."""
        for name, process in list(self._running.items()):
            found, status = os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED)
            if found and os.WIFSTOPPED(status):
                self.stops += 1
                self._wake.setdefault(name, time.monotonic() + self._chance.uniform(*STOP_SECONDS))
            elif found:
                self._ended(name, os.waitstatus_to_exitcode(status))
            elif name in self._wake and time.monotonic() >= self._wake[name]:
                del self._wake[name]
                self._signal(name, signal.SIGCONT)

    def end(self, seconds: float) -> None:
        """Let everybody finish, and kill who does not within `seconds`."""
        (self._run / "stop").touch()
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            self.watch()
            time.sleep(0.02)
        for name, process in list(self._running.items()):
            self._signal(name, signal.SIGKILL)
            os.waitpid(process.pid, 0)
            process.returncode = -signal.SIGKILL
        self._running.clear()

    def _start(self, name: str) -> None:
        self._starts += 1
        plan = msgspec.structs.replace(self._plans[name], seed=f"{self._seed} {name} {self._starts}")
        errors = self._run / "errors" / f"{name}-{self._starts}"
        with errors.open("wb") as stderr:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.worker", msgspec.json.encode(plan).decode()],
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )

    def _ended(self, name: str, code: int) -> None:
        process = self._running.pop(name)
        process.returncode = code
        self._wake.pop(name, None)
        if code == -signal.SIGKILL:
            self.deaths += 1
        elif code:
            self.failed.append(f"{name} ended with {code}: {self._last_words(name)}")
        if (self._run / "stop").exists() or code != -signal.SIGKILL or self._plans[name].copy:
            if self._plans[name].copy:
                del self._plans[name]
            return
        self._start(name)

    def _last_words(self, name: str) -> str:
        """Return what a worker wrote to its standard error, by every process that it was."""
        return "".join(path.read_text() for path in sorted((self._run / "errors").glob(f"{name}-*")))

    def _signal(self, name: str, number: signal.Signals) -> None:
        if name in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._running[name].pid, number)
