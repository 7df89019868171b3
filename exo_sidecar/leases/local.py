"""Leases in this repository: the authority when there is no remote. One clone with its worktrees, many processes."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from typing import Final

from exo_sidecar.git.lockfile import clear_dead_lock
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import attempt, backoff, value
from exo_sidecar.leases.attempt import Plan
from exo_sidecar.leases.intents import Intent, Intents
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.seen import (
    BranchUpdate,
    Decide,
    DecideEach,
    LeaseContended,
    ReadClock,
    Seen,
    Settled,
    Survey,
    Swapped,
)
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId

ATTEMPTS_MAX: Final = 32
"""Each loss means that another process won; with the pauses in between, at most half a minute."""
_PROOF: Final = "exo/leases/swap.tmp"


class LocalLeases:
    """The lease refs of this repository, changed by compare-and-swap of local refs."""

    def __init__(
        self,
        repository: Repository,
        *,
        clock: ReadClock,
        operation: str = "lease",
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._operation = operation
        common = repository.place.common
        self._folder = common / "exo" / "leases"
        self._nonces = Nonces(common)
        self._intents = Intents(common)
        self._observations = Observations(common)

    def listing(self) -> dict[TicketId, Seen]:
        """Return all leases that can be read."""
        return self.survey().leases

    def survey(self) -> Survey:
        """Return all leases, and the values that cannot be read; what is seen is recorded."""
        refs = self._repository.refs.list(value.PREFIX)
        shown = {ticket: oid for ref, oid in refs.items() if (ticket := value.ticket_of(ref)) is not None}
        self._observations.record(shown, self._clock(), complete=True)
        return attempt.survey(self._repository, shown)

    def read(self, ticket: TicketId) -> Seen | None:
        """Return the ticket's lease, None when it never had one; LeaseDamaged."""
        oid = self._repository.refs.read(value.ref_of(ticket))
        if oid is not None:
            self._observations.record({ticket: oid}, self._clock())
        return attempt.decode(self._repository, ticket, oid)

    def swap(
        self, ticket: TicketId, decide: Decide, *, branch: BranchUpdate | None = None, keep_intent: bool = False
    ) -> Swapped:
        """Change the ticket's lease; `branch` lives in this repository anyway and needs no move."""
        del branch
        return self.claim_first([ticket], lambda _ticket, seen: decide(seen), keep_intent=keep_intent)

    def claim_first(self, candidates: Sequence[TicketId], decide: DecideEach, *, keep_intent: bool = False) -> Swapped:
        """Change the first of `candidates` for which `decide` returns a lease; see `LeaseRefs`."""
        for count in range(ATTEMPTS_MAX):
            started = self._clock()
            plan = self._plan(candidates, decide)
            if plan.is_unchanged:
                return Swapped(plan.before, plan.after, "unchanged", started)
            attempt.announce(self._nonces, self._intents, plan, self._operation)
            won = self._swap(plan)
            if not won or not keep_intent:
                self._intents.end(plan.after.lease.nonce)
            if won:
                return Swapped(plan.before, plan.after, "won", started)
            backoff.pause(count)
        message = f"the lease of {', '.join(candidates)[:80]} kept changing"
        raise LeaseContended(message)

    def settle(self, intent: Intent) -> Settled:
        """Return what became of the write that `intent` announced; LeaseUnknown."""
        return attempt.settled(self._repository, intent, self._repository.refs.read(value.ref_of(intent.ticket)))

    def _plan(self, candidates: Sequence[TicketId], decide: DecideEach) -> Plan:
        refs = {ticket: self._repository.refs.read(value.ref_of(ticket)) for ticket in candidates}
        shown = {ticket: oid for ticket, oid in refs.items() if oid is not None}
        self._observations.record(shown, self._clock())
        plan = attempt.choose(self._repository, candidates, shown, decide, durable=True)
        if isinstance(plan, ExoError):
            raise plan
        return plan

    def _swap(self, plan: Plan) -> bool:
        ref = value.ref_of(plan.ticket)
        with self._alone() as alone:
            if not alone:
                return False
            # Whoever made this temporary file held the lock that is ours now, so it is dead.
            clear_dead_lock(self._repository.refs.path(ref), self._repository.place.common / _PROOF)
            old = plan.before.oid if plan.before else None
            return self._repository.refs.swap(ref, old=old, new=plan.after.oid, temporary=_PROOF)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Yield whether this process is the only one that swaps; the kernel frees the lock of one that dies."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / "swap.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            yield False
            return
        try:
            yield True
        finally:
            os.close(handle)
