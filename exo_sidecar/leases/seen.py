"""What a lease ref showed, what a change of it came to, why it could not be made: the words of both places."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from exo_sidecar.git.oid import Oid
from exo_sidecar.leases.intents import Intent
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.errors import Conflict, Environment, ExoError, Integrity
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Lease


class LeaseUnknown(Environment):
    """A lease value was sent and its outcome cannot be read; it may hold or not. The next operation finds out."""

    code = "LEASE_UNKNOWN"
    advice = "nothing is lost: exo status shows what is open, and the next exo sync decides it"


class LeaseUnsupported(Environment):
    """The authority does not let lease refs be changed, or this clone cannot use its mode."""

    code = "LEASE_UNSUPPORTED"
    advice = "this server lets leases be no such refs: exo leases-move --mode branch, or --remote with another remote"


class LeaseContended(Conflict):
    """A lease kept changing under this operation until its bounded tries were used up."""

    code = "LEASE_CONTENDED"
    advice = "try again in a moment"


class AuthorityMismatch(Integrity):
    """The remote is not the authority on leases that the governance branch records."""

    code = "AUTHORITY_MISMATCH"
    advice = "exo sync brings the news when the leases were moved; else check the address: git remote -v"


class BranchBehind(Conflict):
    """The governance branch there holds what this clone does not have, so nothing was pushed: sync, then try again."""

    code = "BRANCH_BEHIND"
    advice = "exo sync brings the two together"


class Seen(NamedTuple):
    """A lease as its ref showed it."""

    oid: Oid
    lease: Lease


class Swapped(NamedTuple):
    """A lease before and after; "unchanged" means that the value was already as wished and nothing was written."""

    before: Seen | None
    after: Seen
    outcome: Literal["won", "unchanged"]
    started: BootClock
    """Read before anything was sent: the holder's own deadline counts from here."""


class BranchUpdate(NamedTuple):
    """The governance branch travels in the same atomic push; `new` must descend from what is there."""

    ref: str
    new: Oid


class Settled(NamedTuple):
    """What became of an intent, and what the lease is.

    Its value is the lease, was the lease and is so no more, or never will be. Open: the ref shows what it was to
    replace; the process that sent it may be gone while the server is still at work on it.
    """

    outcome: Literal["won", "superseded", "lost", "open"]
    seen: Seen | None


class Survey(NamedTuple):
    """All leases of the place; `damaged` names tickets whose value cannot be read and why: they are not free."""

    leases: dict[TicketId, Seen]
    damaged: dict[TicketId, str]


Decide: TypeAlias = Callable[[Seen | None], Lease | ExoError]
"""Called with the current value; called again when that changed before ours took its place."""
DecideEach: TypeAlias = Callable[[TicketId, Seen | None], Lease | ExoError]
ReadClock: TypeAlias = Callable[[], BootClock]


class LeaseRefs(Protocol):
    """The lease refs of one place: this repository, or a remote."""

    def listing(self) -> dict[TicketId, Seen]:
        """Return all leases that can be read, in one connection."""
        ...

    def survey(self) -> Survey:
        """Return all leases, and the values that cannot be read."""
        ...

    def read(self, ticket: TicketId) -> Seen | None:
        """Return the ticket's lease, None when it never had one; LeaseDamaged."""
        ...

    def swap(
        self, ticket: TicketId, decide: Decide, *, branch: BranchUpdate | None = None, keep_intent: bool = False
    ) -> Swapped:
        """Change the ticket's lease to what `decide` returns, by compare-and-swap.

        With `keep_intent` the intent of a change that was won stays until the caller ends it, so that a process killed
        before it has acted on the lease is found out by the next one.

        Raises:
            The error that `decide` returned.
            LeaseUnknown: the value was sent and its outcome cannot be read; the intent stays.
            BranchBehind: the branch part was refused, and with it the lease.
            LeaseContended, LeaseUnsupported, LeaseDamaged, AuthorityMismatch, or an error of the transport.
        """
        ...

    def claim_first(
        self,
        candidates: Sequence[TicketId],
        decide: DecideEach,
        *,
        keep_intent: bool = False,
        over_damage: bool = False,
    ) -> Swapped:
        """Change the first of `candidates` for which `decide` returns a lease; a lost race goes on to the next.

        With `over_damage` a value that cannot be read is decided on as if there were none, and replaced.

        Raises:
            The last refusal, when every candidate was refused; else as `swap`.
        """
        ...

    def settle(self, intent: Intent) -> Settled:
        """Return what became of the write that `intent` announced; the caller then ends the intent. LeaseUnknown."""
        ...
