"""Leases in this repository: the authority when there is no remote. One clone with its worktrees, many processes."""

from collections.abc import Sequence
from typing import Final

from exo_sidecar.git import lone_swap
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import attempt, backoff
from exo_sidecar.leases import authority as authorities
from exo_sidecar.leases.attempt import Plan
from exo_sidecar.leases.intents import Intent, Intents
from exo_sidecar.leases.names import REFS
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


class LocalLeases:
    """The lease refs of this repository, changed by compare-and-swap of local refs."""

    def __init__(
        self,
        repository: Repository,
        *,
        clock: ReadClock,
        authority_id: str | None = None,
        operation: str = "lease",
    ) -> None:
        self._repository = repository
        self._authority = authorities.commit_of(authority_id)[0] if authority_id else None
        self._clock = clock
        self._operation = operation
        common = repository.place.common
        self._nonces = Nonces(common)
        self._intents = Intents(common)
        self._observations = Observations(common)

    def listing(self) -> dict[TicketId, Seen]:
        """Return all leases that can be read."""
        return self.survey().leases

    def survey(self) -> Survey:
        """Return all leases, and the values that cannot be read; what is seen is recorded."""
        self._check_authority()
        refs = self._repository.refs.list(REFS.prefix)
        shown = {ticket: oid for ref, oid in refs.items() if (ticket := REFS.ticket_of(ref)) is not None}
        self._observations.record(shown, self._clock(), complete=True)
        return attempt.survey(self._repository, shown)

    def read(self, ticket: TicketId) -> Seen | None:
        """Return the ticket's lease, None when it never had one; LeaseDamaged."""
        self._check_authority()
        oid = self._repository.refs.read(REFS.ref_of(ticket))
        if oid is not None:
            self._observations.record({ticket: oid}, self._clock())
        return attempt.decode(self._repository, ticket, oid)

    def swap(
        self, ticket: TicketId, decide: Decide, *, branch: BranchUpdate | None = None, keep_intent: bool = False
    ) -> Swapped:
        """Change the ticket's lease; `branch` lives in this repository anyway and needs no move."""
        del branch
        return self.claim_first([ticket], lambda _ticket, seen: decide(seen), keep_intent=keep_intent)

    def claim_first(
        self,
        candidates: Sequence[TicketId],
        decide: DecideEach,
        *,
        keep_intent: bool = False,
        over_damage: bool = False,
    ) -> Swapped:
        """Change the first of `candidates` for which `decide` returns a lease; see `LeaseRefs`."""
        for count in range(ATTEMPTS_MAX):
            started = self._clock()
            plan = self._plan(candidates, decide, over_damage=over_damage)
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
        return attempt.settled(
            self._repository, intent, self._repository.refs.read(REFS.ref_of(intent.ticket)), may_arrive=False
        )

    def _plan(self, candidates: Sequence[TicketId], decide: DecideEach, *, over_damage: bool) -> Plan:
        self._check_authority()
        refs = {ticket: self._repository.refs.read(REFS.ref_of(ticket)) for ticket in candidates}
        shown = {ticket: oid for ticket, oid in refs.items() if oid is not None}
        self._observations.record(shown, self._clock())
        plan = attempt.choose(self._repository, candidates, shown, decide, durable=True, over_damage=over_damage)
        if isinstance(plan, ExoError):
            raise plan
        return plan

    def _check_authority(self) -> None:
        """Raise AuthorityMismatch when this repository is the recorded authority no more: the leases were moved."""
        shown = self._repository.refs.read(REFS.authority) if self._authority else None
        if shown is not None and shown != self._authority:
            raise authorities.mismatch(None, shows_another=True)

    def _swap(self, plan: Plan) -> bool:
        return lone_swap.swap(self._repository, REFS.ref_of(plan.ticket), old=plan.old, new=plan.after.oid)
