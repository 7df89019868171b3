"""A worker: one process on one clone that claims, writes, releases, and now and then dies; `worker.py <plan as JSON>`.

A fault is chosen before an operation, by the worker's own seeded numbers, and handed to the hub's hook in the
environment (hub.py); pauses are SIGSTOPs to itself, and the conductor wakes it.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from exo_sidecar.git import code_push
from exo_sidecar.leases import intents
from tests.soak.desk import Desk, Held
from tests.soak.plan import Plan
from tests.soak.recorder import Recorder

FAULTS: Final = (("die", 6), ("orphan", 3), ("drop", 10), ("slow", 10), ("refuse", 8), ("hang", 1))
"""Of a thousand operations, so many meet this fault at the hub."""
PAUSES_PER_THOUSAND: Final = 12
UNSAFE_PAUSES_PER_THOUSAND: Final = 250
WRITES: Final = 0.22
"""Of what a holder does, up to this part it writes; without fencing more, or a short run would show nothing."""
UNSAFE_WRITES: Final = 0.7
CANDIDATES: Final = 3
"""A claim walks on to the next one when a race is lost."""
ARRIVAL_SECONDS: Final = 8.0
"""Longer than any fault of the hub delays a push."""
STATE: Final = "soak-held.json"
FAULT: Final = "SOAK_FAULT"


class Worker:
    """The loop of one process."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._run = Path(plan.run)
        self._state = Path(plan.clone) / ".git" / STATE
        self._sessions = 0
        self._desk = Desk(plan, Recorder(self._run / "history", plan.worker), self._pause)
        self._held = self._resumed()

    def work(self) -> None:
        """Work until there is a file that says stop."""
        if self._plan.copy == "noticed":
            self._desk.forget()
        self._desk.settle()
        for _ in range(self._plan.moves_max):
            if (self._run / "stop").exists():
                return
            self._arm()
            self._move()
            os.environ.pop(FAULT, None)

    def _move(self) -> None:
        held = self._held
        if held is None:
            wanted = self._chance.sample(self._plan.tickets, min(CANDIDATES, len(self._plan.tickets)))
            self._keep(self._desk.claim(wanted, self._session()))
            if self._held is None:
                time.sleep(self._chance.uniform(0.05, 0.2))
                self._desk.settle()
            return
        dice = self._chance.random()
        if dice < 0.08:
            goes_on = self._desk.heartbeat(held)
        elif dice < (UNSAFE_WRITES if self._plan.variant == "no-fencing" else WRITES):
            goes_on = self._desk.write(held)
        elif dice < 0.98:
            goes_on = not self._desk.release(held)
        else:  # forgotten: nobody will ever release it
            goes_on = False
        if not goes_on:
            self._keep(None)

    def _arm(self) -> None:
        """Choose what goes wrong with the next operation."""
        os.environ.pop(FAULT, None)
        if not self._plan.faults:
            return
        dice = self._chance.random() * 1000
        for fault, share in FAULTS:
            if dice < share:
                os.environ[FAULT] = f"{fault}:{os.getpid()}"
                return
            dice -= share

    def _pause(self, where: str) -> None:
        """Stop in the middle of an operation, now and then; somebody else wakes this process when it is late."""
        per_thousand = UNSAFE_PAUSES_PER_THOUSAND if self._plan.variant and where == "guard" else PAUSES_PER_THOUSAND
        if (self._plan.faults or self._plan.variant) and self._chance.random() * 1000 < per_thousand:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _session(self) -> str:
        self._sessions += 1
        return f"SES-{self._plan.worker.upper().replace('_', '-')}-{os.urandom(4).hex().upper()}-{self._sessions}"

    def _keep(self, held: Held | None) -> None:
        self._held = held
        if held is None:
            self._state.unlink(missing_ok=True)
        else:
            self._state.write_bytes(msgspec.json.encode(held))

    def _resumed(self) -> Held | None:
        """Return what the process before this one held, when its session goes on."""
        goes_on = self._chance.random() < 0.7 or self._plan.copy
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=Held) if goes_on else None
        except (FileNotFoundError, msgspec.DecodeError):
            return None


def main(plan: str) -> None:
    """Work as planned. The disk is not waited for: processes die here, not machines."""
    os.fsync = lambda _: None  # type: ignore[assignment]
    told = msgspec.json.decode(plan, type=Plan)
    code_push.PUSH_SECONDS = told.timeout_seconds  # type: ignore[misc]
    intents.ARRIVAL_SECONDS = ARRIVAL_SECONDS  # type: ignore[misc]
    Worker(told).work()


if __name__ == "__main__":
    main(sys.argv[1])
