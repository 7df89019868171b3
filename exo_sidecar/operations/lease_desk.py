"""The lease desk: where operations claim, keep and give back leases (docs/leases.md, "Moves").

A change of holder is complete in this order: the lease is won; the governance branch is fetched; the epoch is raised
above what that brought; the transaction; the push. No network call is made while the clone's lock is held.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from exo_sidecar.domain import holding
from exo_sidecar.git.oid import Oid
from exo_sidecar.host import live_sessions
from exo_sidecar.leases import backoff, rules
from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.refs import (
    BranchBehind,
    BranchUpdate,
    LeaseRefs,
    LeaseUnsupported,
    Seen,
    Survey,
    Swapped,
    open_leases,
)
from exo_sidecar.leases.rules import Request
from exo_sidecar.leases.seen import AuthorityMismatch
from exo_sidecar.leases.sight import Sight, look
from exo_sidecar.model import ids
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import ExoError, SessionFenced
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.instant import epoch_seconds
from exo_sidecar.model.lease import Authority, Holder, Lease
from exo_sidecar.model.opening import Grant, Overtaken
from exo_sidecar.operations import ending, exchange
from exo_sidecar.operations.context import Context

BRANCH_ROUNDS_MAX: Final = 8
"""How often a release is tried again because the governance branch moved meanwhile."""


class Terms(NamedTuple):
    """What a claim asks for."""

    session: SessionId
    actor: Actor
    ttl_seconds: int
    branch: str | None = None
    takes_over: bool = False
    """Whether the holder is to be followed without a release, or nothing."""
    reason: str | None = None
    """Why a person takes over from a holder that may be alive."""


class Won(NamedTuple):
    """A lease that is ours now."""

    seen: Seen
    swapped: Swapped
    grant: Grant
    is_new: bool
    """Whether the holder changed; else the session held it before."""
    seen_for_seconds: int = 0
    """For how long this clone had seen the value that it replaced."""


class Handed(NamedTuple):
    """What became of a release."""

    released: bool
    """Whether there was a lease to release."""
    tip: Oid | None
    """The governance branch that went along; None when the authority is this repository."""


class LeaseDesk:
    """The leases of one call; opened when first asked, and then the same place for the whole call."""

    def __init__(self, ctx: Context, operation: str, *, reads_only: bool = False) -> None:
        self._ctx = ctx
        self._operation = operation
        self._reads_only = reads_only
        self._refs: LeaseRefs | None = None
        self._opened: Authority | None = None

    @property
    def authority(self) -> Authority:
        """The place that decides who holds; LeaseUnsupported when the ledger names none."""
        found = self._ctx.view().authority()
        if found is None:
            message = "the governance branch names no lease authority"
            raise LeaseUnsupported(message, hint="exo sidecar-init chooses one")
        return found

    def refs(self) -> LeaseRefs:
        """Return the lease refs of the authority; Offline when that is a remote and the network is forbidden."""
        if self._refs is None:
            authority = self.authority
            if authority.remote is not None:
                self._ctx.require_network(f"asking {authority.remote} for leases")
            if not self._reads_only:
                self._own_what_is_ours()
            self._opened = authority
            self._refs = open_leases(
                self._ctx.repository,
                authority,
                clock=self._ctx.boot_clock,
                operation=self._operation,
                timeout_seconds=self._ctx.view().config().sync.timeout_seconds,
            )
            if not self._reads_only:
                self._settle_pending(self._refs)
            if not self._reads_only and self._operation != "lease-release":  # it is about to tell by itself
                ending.make_up(self._ctx, self.release)
        return self._refs

    def settle(self) -> None:
        """Find out what became of killed calls, and make up for them; nobody is asked when there were none."""
        if Intents(self._ctx.place.common).pending() or ending.is_any_open(self._ctx):
            self.refs()

    def survey(self) -> Survey:
        """Return every lease of the authority, in one connection."""
        return self.refs().survey()

    def sight(self, seen: Seen | None) -> Sight:
        """Return what this clone knows of a value: ours, silent, and for how long."""
        sight = look(self._ctx.repository, seen, self._ctx.boot_clock())
        is_expired = seen is not None and self._ctx.view().is_expired(seen.lease.ticket, seen.oid)
        return sight._replace(stale=sight.stale or is_expired)

    def claim(self, tickets: Sequence[TicketId], terms: Terms) -> Won:
        """Win the lease of the first ticket that is free or whose holder is silent, complete up to the transaction.

        The intent of the claim stays until `settled` is called: a killed process is found out by the next one.

        Raises:
            LeaseHeld, SessionFenced: of the last candidate, when none could be won.
            LeaseUnknown, TtlOutOfRange, or an error of the transport.
        """
        refs = self.refs()
        holder = self._holder(terms)
        epochs = {ticket: self._known_epoch(ticket) for ticket in tickets}
        sights: dict[TicketId, Sight] = {}
        first: dict[TicketId, Seen | None] = {}
        """What was there before this claim: a try of ours may arrive late, and is then what the next one sees."""

        def decide(ticket: TicketId, seen: Seen | None) -> Lease | ExoError:
            first.setdefault(ticket, seen)
            current = seen.lease if seen else None
            sights[ticket] = sight = self.sight(seen)
            request = self._request(ticket, holder, terms)
            if terms.reason is not None:
                met = first[ticket]
                return rules.force(current, request, epochs[ticket], meant=met.lease if met else None)
            other = current is not None and current.holder.session != terms.session
            move = rules.take_over if other and (sight.stale or terms.takes_over) else rules.claim
            return move(
                current,
                request,
                epochs[ticket],
                ours=sight.ours,
                stale=sight.stale,
                seen_for_seconds=sight.seen_for_seconds,
            )

        swapped = refs.claim_first(tickets, decide, keep_intent=True, over_damage=terms.reason is not None)
        swapped = swapped._replace(before=first[swapped.after.lease.ticket])
        before = swapped.before.lease if swapped.before else None
        is_new = before is None or before.state == "released" or before.holder.session != terms.session
        raised = self._completed(refs, swapped, terms) if is_new else swapped
        after = raised.after
        over = self._overtaken(swapped, terms) if is_new else None
        grant = Grant(terms.session, terms.actor, after.lease.epoch, after.oid, over)
        return Won(after, swapped, grant, is_new, sights[after.lease.ticket].seen_for_seconds)

    def settled(self, won: Won) -> None:
        """Forget the intent of a claim: what follows from it has been written, or it was given back."""
        Intents(self._ctx.place.common).end(won.swapped.after.lease.nonce)

    def give_back(self, won: Won) -> None:
        """Release a lease that was won for nothing: its ticket turned out closed, or the transaction failed."""
        terms = Terms(won.grant.session, won.grant.actor, won.seen.lease.ttl_seconds)
        self._release(won.seen.lease.ticket, terms, None)
        self.settled(won)

    def heartbeat(self, ticket: TicketId, terms: Terms) -> Swapped:
        """Show that the session is alive: same epoch, new nonce; LeaseLost, LeaseNotHeld, SessionFenced."""
        holder = self._holder(terms)

        def decide(seen: Seen | None) -> Lease | ExoError:
            request = self._request(ticket, holder, terms)
            return rules.heartbeat(seen.lease if seen else None, request, ours=self.sight(seen).ours)

        return self.refs().swap(ticket, decide)

    def renewal(self, seen: Seen, terms: Terms) -> Lease:
        """Return the value that a heartbeat would put in the place of `seen`, for who sends it himself.

        Raises:
            LeaseLost, LeaseNotHeld, SessionFenced: `seen` is not the session's.
        """
        request = self._request(seen.lease.ticket, self._holder(terms), terms)
        answer = rules.heartbeat(seen.lease, request, ours=self.sight(seen).ours)
        if isinstance(answer, ExoError):
            raise answer
        return answer

    def release(self, ticket: TicketId, session: SessionId, actor: Actor) -> Handed:
        """Release the lease and push the governance branch with it, atomically.

        Raises:
            LeaseLost, SessionFenced: another session, or another copy of this one, holds it.
            BranchBehind: the governance branch kept moving; LeaseUnknown, or an error of the transport.
        """
        terms = Terms(session, actor, 0)
        for count in range(BRANCH_ROUNDS_MAX):
            branch = self._branch()
            try:
                return Handed(self._release(ticket, terms, branch), branch.new if branch else None)
            except BranchBehind:
                backoff.pause(count)  # or two that release at once keep passing each other
                exchange.pull(self._ctx)
        message = f"the governance branch moved {BRANCH_ROUNDS_MAX} times while {ticket} was released"
        raise BranchBehind(message)

    def held(self, ticket: TicketId, session: SessionId) -> Seen | None:
        """Return the lease when the session holds it or was the last to hold it, as the authority shows it now.

        Raises:
            SessionFenced: another session, or another copy of this one, has it.
            LeaseDamaged, or an error of the transport.
        """
        seen = self.refs().read(ticket)
        if seen is None:
            return None
        if seen.lease.holder.session == session and self.sight(seen).ours:
            return seen
        raise fenced(ticket, session, seen)

    def _release(self, ticket: TicketId, terms: Terms, branch: BranchUpdate | None) -> bool:
        holder = self._holder(terms)

        def decide(seen: Seen | None) -> Lease | ExoError:
            request = self._request(ticket, holder, terms)
            return rules.release(seen.lease if seen else None, request, ours=self.sight(seen).ours)

        return self.refs().swap(ticket, decide, branch=branch).outcome == "won"

    def _branch(self) -> BranchUpdate | None:
        """Return the governance branch as it goes along with a release; None when the authority is this repository."""
        governed = self._ctx.governed
        tip = governed.tip()
        return BranchUpdate(governed.ref, tip) if self.authority.remote is not None and tip else None

    def _completed(self, refs: LeaseRefs, swapped: Swapped, terms: Terms) -> Swapped:
        """Learn what the last holder wrote and stand above it; a lease that cannot be completed is given back."""
        try:
            exchange.pull(self._ctx)
            self._check_unmoved()
            return self._raised(refs, swapped, terms)
        except ExoError:
            self._release(swapped.after.lease.ticket, terms, None)
            Intents(self._ctx.place.common).end(swapped.after.lease.nonce)
            raise

    def _raised(self, refs: LeaseRefs, swapped: Swapped, terms: Terms) -> Swapped:
        """Raise the epoch above what the ledger turned out to know after the lease was won."""
        ticket = swapped.after.lease.ticket
        holder = self._holder(terms)

        def decide(seen: Seen | None) -> Lease | ExoError:
            highest = self._known_epoch(ticket)
            request = self._request(ticket, holder, terms)
            return rules.raise_epoch(seen.lease if seen else None, request, highest, ours=self.sight(seen).ours)

        if swapped.after.lease.epoch > self._known_epoch(ticket):
            return swapped
        return refs.swap(ticket, decide)

    def _check_unmoved(self) -> None:
        """Raise AuthorityMismatch when the news of others say that leases are decided elsewhere by now."""
        if self._opened is not None and self.authority.id != self._opened.id:
            message = f"leases were moved to {self.authority.remote or 'this repository'} while one was claimed"
            raise AuthorityMismatch(message)

    def _known_epoch(self, ticket: TicketId) -> int:
        """Return the epoch that a claim must rise above, as far as the ledger knows."""
        return max(self._ctx.view().highest_epoch(ticket), self.authority.floor)

    def _overtaken(self, swapped: Swapped, terms: Terms) -> Overtaken | None:
        """Return the holder that had not released; of a value that cannot be read, the one that the ledger knows."""
        before = swapped.before.lease if swapped.before else None
        if before is not None and before.state == "held":
            return Overtaken(before.holder.session, before.holder.actor, before.epoch, terms.reason)
        known = holding.holding(self._ctx.view(), swapped.after.lease.ticket) if terms.reason and not before else None
        if known is None or known.epoch is None:
            return None
        return Overtaken(known.session, known.actor, known.epoch, terms.reason)

    def _holder(self, terms: Terms) -> Holder:
        with self._ctx.store.locked():
            clone = self._ctx.store.clone_id()
        return Holder(session=terms.session, clone=clone, actor=terms.actor)

    def _request(self, ticket: TicketId, holder: Holder, terms: Terms) -> Request:
        return Request(
            ticket=ticket,
            holder=holder,
            nonce=ids.mint_nonce(self._ctx.entropy),
            now=self._ctx.now,
            ttl_seconds=terms.ttl_seconds or None,
            branch=terms.branch,
        )

    def _own_what_is_ours(self) -> None:
        """Forget nonces, intents and live sessions of the folder that this one was copied from."""
        common = self._ctx.place.common
        with self._ctx.store.locked():
            clone = self._ctx.store.clone_id()
            if live_sessions.is_of_another(common, clone):
                Nonces(common).forget_all()
                Intents(common).forget_all()
                self._ctx.warn("CLONE_IS_COPY", "this folder is a copy of another clone: it holds none of its leases")
            live_sessions.belong_to(common, clone)

    def _settle_pending(self, refs: LeaseRefs) -> None:
        """Find out what became of writes whose process was killed, and give back what nobody knows of."""
        common = self._ctx.place.common
        for intent in Intents(common).pending():
            if live_sessions.is_claiming(common, intent.session) or live_sessions.is_confirming(common, intent.session):
                continue
            outcome = refs.settle(intent).outcome
            if outcome == "open" and Intents(common).may_arrive(intent.nonce, epoch_seconds(self._ctx.now)):
                continue
            is_claim = outcome == "won" and intent.kind in {"claim", "take-over"}
            if is_claim and not self._lives(intent.session, intent.ticket):
                terms = Terms(intent.session, self._ctx.caller.actor, 0)
                self._release(intent.ticket, terms, None)
                live = live_sessions.read(common, intent.session)
                if (live is None or live.claim is None) and not self._is_suspended(intent.session):
                    live_sessions.remove(common, intent.session)
                self._ctx.warn(
                    "CLAIM_GIVEN_BACK", f"{intent.ticket} was claimed by a call that was killed; it is free again"
                )
            Intents(common).end(intent.nonce)

    def _is_suspended(self, session: SessionId) -> bool:
        """Whether the ledger has the session as suspended: a claim that would have resumed it is no loss to it."""
        record = self._ctx.view().session(session)
        return record is not None and record.status == "suspended"

    def _lives(self, session: SessionId, ticket: TicketId) -> bool:
        """Whether the ledger knows the session, on just this ticket: a late claim may be of one that took another."""
        record = self._ctx.view().session(session)
        return record is not None and record.ticket == ticket and record.status in holding.LIVING


def fenced(ticket: TicketId, session: SessionId, seen: Seen) -> SessionFenced:
    """Return the refusal that tells a session who has its ticket now."""
    holder = seen.lease.holder
    message = (
        f"session {session} no longer holds {ticket}: {holder.actor} has it in session {holder.session} "
        f"(epoch {seen.lease.epoch})"
    )
    return SessionFenced(
        message, ticket=ticket, session=session, holder=holder.session, actor=holder.actor, epoch=seen.lease.epoch
    )
