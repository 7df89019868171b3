"""Leases on a remote: one connection reads the value, decides, and sends the change with that value as expected.

The server compares and swaps. Whatever is not a plain success is settled by reading again: our commit at the tip or
below it landed, otherwise it was lost, and what cannot be read is unknown and stays an intent.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from exo_sidecar.git.fetch import fetch
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.push import OK, REFUSED, Pushed
from exo_sidecar.git.remote import DEFAULT_TIMEOUT_SECONDS, Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import attempt, backoff, names, outcome
from exo_sidecar.leases import authority as authorities
from exo_sidecar.leases.attempt import Plan
from exo_sidecar.leases.intents import Intent, Intents
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.seen import (
    AuthorityMismatch,
    BranchUpdate,
    Decide,
    DecideEach,
    LeaseContended,
    LeaseUnknown,
    LeaseUnsupported,
    ReadClock,
    Seen,
    Settled,
    Survey,
    Swapped,
)
from exo_sidecar.leases.turn import Change, Turn, behind
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Authority

ATTEMPTS_MAX: Final = 16
"""Each loss means that somebody else won the ticket."""
REFUSALS_MAX: Final = 4
"""How often a server may refuse a change of a value that stands still: a lock of its own left behind, or its policy."""
CANDIDATES_MAX: Final = 64


Verdict: TypeAlias = Literal["done", "again", "behind", "refused"]


class RemoteLeases:
    """The lease refs of a remote."""

    def __init__(
        self,
        repository: Repository,
        remote: Remote,
        *,
        clock: ReadClock,
        authority: Authority | None = None,
        operation: str = "lease",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self._repository = repository
        self._remote = remote
        self._clock = clock
        self._names = names.of(authority.mode if authority else "refs")
        self._authority = authorities.commit_of(authority.id)[0] if authority else None
        self._operation = operation
        self._timeout_seconds = timeout_seconds
        common = repository.place.common
        self._nonces = Nonces(common)
        self._intents = Intents(common)
        self._observations = Observations(common)

    def listing(self) -> dict[TicketId, Seen]:
        """Return all leases that can be read, in one connection."""
        return self.survey().leases

    def survey(self) -> Survey:
        """Return all leases, and the values that cannot be read; what is seen is recorded."""
        refs = self._fetch([self._names.prefix, self._names.authority], None)
        return attempt.survey(self._repository, self._observe(refs, complete=True))

    def read(self, ticket: TicketId) -> Seen | None:
        """Return the ticket's lease, None when it never had one; LeaseDamaged."""
        ref = self._names.ref_of(ticket)
        refs = self._fetch([ref, self._names.authority], {ref})
        return attempt.decode(self._repository, ticket, self._observe(refs).get(ticket))

    def swap(
        self, ticket: TicketId, decide: Decide, *, branch: BranchUpdate | None = None, keep_intent: bool = False
    ) -> Swapped:
        """Change the ticket's lease, and the governance branch with it when `branch` is given; see `LeaseRefs`."""
        return self._change(Change([ticket], lambda _ticket, seen: decide(seen), branch), keep_intent=keep_intent)

    def claim_first(
        self,
        candidates: Sequence[TicketId],
        decide: DecideEach,
        *,
        keep_intent: bool = False,
        over_damage: bool = False,
    ) -> Swapped:
        """Change the first of `candidates` for which `decide` returns a lease; see `LeaseRefs`."""
        change = Change(candidates[:CANDIDATES_MAX], decide, None, over_damage)
        return self._change(change, keep_intent=keep_intent)

    def settle(self, intent: Intent) -> Settled:
        """Return what became of the write that `intent` announced; LeaseUnknown when it cannot be read."""
        ref = self._names.ref_of(intent.ticket)
        refs = self._read_again(intent.ticket, [ref], {ref})
        try:
            return attempt.settled(self._repository, intent, refs.get(ref), may_arrive=True)
        except LeaseUnknown:
            # The value is here and its history is not, because git has pruned it: nothing names old lease values.
            refs = self._read_again(intent.ticket, [ref], {ref}, whole=True)
            return attempt.settled(self._repository, intent, refs.get(ref), may_arrive=True)

    def _change(self, change: Change, *, keep_intent: bool) -> Swapped:
        """Take turns until the change is made, refused, or the bounded tries are used up."""
        refusals = 0
        doubtful = False
        for count in range(ATTEMPTS_MAX):
            started = self._clock()
            turn = Turn(self._repository, self._names, change, self._announce)
            pushed = self._run(turn, doubtful=doubtful)
            if turn.unseen:
                self._fetch([self._names.prefix], {self._names.ref_of(ticket) for ticket in change.candidates})
                continue
            if turn.plan is None or turn.refusal:
                raise turn.refusal or _contended(change, self._remote)
            plan = turn.plan
            verdict = self._judge(plan, change.branch, pushed)
            if verdict == "done":
                if not plan.is_unchanged:
                    self._intents.overtake(plan.ticket, plan.old, apart_from=plan.after.lease.nonce)
                if not plan.is_unchanged and not keep_intent:
                    self._intents.end(plan.after.lease.nonce)
                return Swapped(plan.before, plan.after, "unchanged" if plan.is_unchanged else "won", started)
            if verdict == "behind" and change.branch:
                raise behind(change.branch)
            if verdict == "refused":
                doubtful = doubtful or pushed.trouble is not None
                refusals += 1
            if refusals >= REFUSALS_MAX:
                raise attempt.unknown(plan.ticket) if doubtful else _unsupported(self._remote, pushed)
            backoff.pause(count)
        raise _contended(change, self._remote)

    def _run(self, turn: Turn, *, doubtful: bool) -> Pushed:
        """Run `turn`; when an earlier one is in doubt, an error here leaves its outcome unknown."""
        try:
            pushed = turn.run(self._remote, self._timeout_seconds, self._check_authority)
        except ExoError as error:
            if not doubtful:
                raise
            message = f"whether the lease arrived at {self._remote} cannot be read: {error.message}"
            raise LeaseUnknown(message) from error
        self._observe(pushed.advertised)
        return pushed

    def _judge(self, plan: Plan, branch: BranchUpdate | None, pushed: Pushed) -> Verdict:
        """Return what became of `plan`: as the server said when it said yes, else as its refs show now."""
        if all(text == OK for text in pushed.status.values()):
            return "done"
        ref = self._names.ref_of(plan.ticket)
        refs = self._read_again(plan.ticket, [ref, *([branch.ref] if branch else [])], {ref})
        if not plan.is_unchanged:
            verdict = outcome.judge(self._repository.objects, refs.get(ref), plan.after.oid, plan.old)
            if verdict == "unknown":
                raise attempt.unknown(plan.ticket)
            if verdict == "landed" and refs.get(ref) == plan.after.oid:
                return "done"
            if verdict == "landed" or refs.get(ref) != plan.old:
                self._intents.end(plan.after.lease.nonce)
                return "again"
        return self._judge_still(plan, branch, pushed, refs)

    def _judge_still(self, plan: Plan, branch: BranchUpdate | None, pushed: Pushed, refs: Mapping[str, Oid]) -> Verdict:
        """Return what became of `plan` when the lease stands as it did: the branch moved, or the server refused."""
        moved = branch is not None and refs.get(branch.ref) != pushed.advertised.get(branch.ref)
        if branch and plan.is_unchanged and refs.get(branch.ref) == branch.new:
            return "done"
        if not plan.is_unchanged and not pushed.trouble:
            self._intents.end(plan.after.lease.nonce)
        return "behind" if branch and moved and refs.get(branch.ref) != branch.new else "refused"

    def _announce(self, plan: Plan) -> None:
        attempt.announce(self._nonces, self._intents, plan, self._operation)

    def _read_again(
        self, ticket: TicketId, prefixes: Sequence[str], needed: set[str], *, whole: bool = False
    ) -> dict[str, Oid]:
        """Return the refs as they are now; LeaseUnknown when that cannot be told."""
        try:
            refs = self._fetch([*prefixes, self._names.authority], needed, whole=whole)
        except AuthorityMismatch:
            raise
        except ExoError as error:
            raise attempt.unknown(ticket) from error
        self._observe(refs)
        return refs

    def _fetch(self, prefixes: Sequence[str], needed: set[str] | None, *, whole: bool = False) -> dict[str, Oid]:
        """Return the refs under `prefixes`, the values of the `needed` ones (None: all leases) brought here.

        With `whole` their histories are brought too, whether or not the values are here.
        """
        lacking: dict[TicketId, Oid] = {}

        def missing(refs: dict[str, Oid]) -> list[Oid]:
            named = refs.keys() if needed is None else needed & refs.keys()
            leases = {ticket: refs[ref] for ref in named if (ticket := self._names.ticket_of(ref)) is not None}
            has = self._repository.objects.contains
            lacking.update((ticket, oid) for ticket, oid in leases.items() if whole or not has(oid))
            return list(lacking.values())

        found = fetch(
            self._repository,
            self._remote,
            missing,
            prefixes,
            known=lambda: [] if whole else self._observations.held(lacking),
            timeout_seconds=self._timeout_seconds,
        ).refs
        if self._names.authority in prefixes:
            self._check_authority(found)
        return found

    def _check_authority(self, refs: Mapping[str, Oid]) -> None:
        if self._authority is not None and refs.get(self._names.authority) != self._authority:
            raise authorities.mismatch(self._remote, shows_another=self._names.authority in refs)

    def _observe(self, refs: Mapping[str, Oid], *, complete: bool = False) -> dict[TicketId, Oid]:
        """Record the lease values in an advertisement, with a clock read after it came; return them by ticket."""
        shown = {ticket: oid for ref, oid in refs.items() if (ticket := self._names.ticket_of(ref)) is not None}
        is_here = self._repository.objects.contains
        self._observations.record(shown, self._clock(), complete=complete, is_here=is_here)
        return shown


def _contended(change: Change, remote: Remote) -> LeaseContended:
    message = f"the lease of {', '.join(change.candidates)[:80]} kept changing on {remote}"
    return LeaseContended(message)


def _unsupported(remote: Remote, pushed: Pushed) -> LeaseUnsupported:
    words = next((text.removeprefix(REFUSED) for text in pushed.status.values() if text.startswith(REFUSED)), "")
    message = f"{remote} does not let the lease be changed: {words or 'it does not say why'}"
    return LeaseUnsupported(message)
