"""The moves of one worker, in the order that operations/lease_desk.py has; the broken variants differ here only."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from exo_sidecar.git.code_push import CodeUpdate
from exo_sidecar.git.locate import locate
from exo_sidecar.git.push import Update
from exo_sidecar.git.push import push as push_refs
from exo_sidecar.git.remote import named
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import guarded, rules
from exo_sidecar.leases.guarded import Guard, Sent
from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.names import REFS
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.refs import Seen, open_leases
from exo_sidecar.leases.rules import Request
from exo_sidecar.leases.sight import Sight, look
from exo_sidecar.model.errors import ExoError, LeaseLost
from exo_sidecar.model.ids import CloneId, SessionId, TicketId
from exo_sidecar.model.lease import Authority, Holder, Lease
from tests.soak import guard
from tests.soak.clocks import MachineClock
from tests.soak.ledger import SoakLedger
from tests.soak.plan import AUTHORITY, TTL_SECONDS, Plan
from tests.soak.recorder import Recorder, Running


class Held(NamedTuple):
    """What a session holds."""

    session: str
    ticket: TicketId
    epoch: int


class Desk:
    """One clone at the hub."""

    def __init__(self, plan: Plan, recorder: Recorder, pause: Callable[[str], None]) -> None:
        self._plan = plan
        self._recorder = recorder
        self._pause = pause
        self._clock = MachineClock(plan)
        self._ledger = SoakLedger(Path(plan.run) / "ledger")
        self._repository = Repository(locate(Path(plan.clone)))
        self._leases = open_leases(
            self._repository,
            Authority(id=AUTHORITY, remote="origin"),
            clock=self._clock,
            operation="soak",
            timeout_seconds=plan.timeout_seconds,
        )

    def forget(self) -> None:
        """Discard what makes values ours: this clone found out that it is a copy."""
        Nonces(self._repository.place.common).forget_all()
        Intents(self._repository.place.common).forget_all()

    def settle(self) -> None:
        """Find out what became of killed operations, and give back claims that nobody completed."""
        intents = Intents(self._repository.place.common)
        for intent in intents.pending():
            with self._recorder.op("settle", intent.session, intent.ticket) as op:
                settled = self._leases.settle(intent)
                op.saw(intent.ticket, settled.seen)
                op.result = "ok"
                is_open = settled.outcome == "open" and intents.may_arrive(intent.nonce, time.time())
                claimed = settled.outcome == "won" and intent.kind in {"claim", "take-over"}
            if not op.succeeded:
                return
            if is_open:
                continue
            if claimed and not self._ledger.knows(intent.session):
                self._give_back(intent.session, intent.ticket)
            intents.end(intent.nonce)

    def claim(self, tickets: Sequence[str], session: str) -> Held | None:
        """Win a ticket, complete up to the ledger; None when all are held."""
        with self._recorder.op("claim", session) as op:
            swapped = self._leases.claim_first(
                [TicketId(ticket) for ticket in tickets],
                lambda ticket, seen: self._decide(op, ticket, seen),
                keep_intent=True,
            )
            self._pause("won")
            ticket = swapped.after.lease.ticket
            op.ticket = ticket
            after = self._completed(op, swapped.after)
            if after is not None:
                op.confirmed(after)
            if after is None:
                self._give_back(session, ticket)
            Intents(self._repository.place.common).end(swapped.after.lease.nonce)
        return Held(session, TicketId(op.ticket), op.epoch) if op.result == "ok" else None

    def heartbeat(self, held: Held) -> bool:
        """Show that the session lives; whether it still holds, as far as is known."""
        with self._recorder.op("heartbeat", held.session, held.ticket) as op:
            self._stand(held)

            def decide(seen: Seen | None) -> Lease | ExoError:
                op.saw(held.ticket, seen)
                request = self._request(op, held.ticket)
                return rules.heartbeat(seen.lease if seen else None, request, ours=self._sight(seen).ours)

            op.confirmed(self._leases.swap(held.ticket, decide).after)
        return op.result != "refused"

    def release(self, held: Held, epoch: int | None = None) -> bool:
        """Give the ticket free; whether that is certain."""
        with self._recorder.op("release", held.session, held.ticket) as op:

            def decide(seen: Seen | None) -> Lease | ExoError:
                op.saw(held.ticket, seen)
                request = self._request(op, held.ticket)
                return rules.release(seen.lease if seen else None, request, ours=self._sight(seen).ours)

            if self._plan.variant == "delete-on-release":
                self._delete(held)
                op.result = "ok"
            else:
                op.confirmed(self._leases.swap(held.ticket, decide).after, epoch)
        return op.result != "unknown"

    def write(self, held: Held) -> bool:
        """Make a guarded write; whether the session still holds, as far as is known."""
        with self._recorder.op("guard", held.session, held.ticket) as op:
            self._stand(held)
            seen = self._leases.read(held.ticket)
            op.saw(held.ticket, seen)
            request = self._request(op, held.ticket)
            lease = rules.heartbeat(seen.lease if seen else None, request, ours=self._sight(seen).ours)
            if isinstance(lease, ExoError):
                raise lease
            if seen is None:
                return False
            op.epoch = lease.epoch
            if self._plan.variant == "no-fencing":
                self._write_unguarded(op, held)
                return True
            code = guard.commit(self._repository, guard.fetched(self._repository, held.ticket), lease.epoch, op.id)
            self._pause("guard")
            place = Guard(self._repository, Path(self._plan.clone), "origin", REFS)
            self._judged(op, guarded.push(place, CodeUpdate(guard.BRANCHES + held.ticket, code), seen, lease))
        return op.result != "refused"

    def _judged(self, op: Running, sent: Sent) -> None:
        """Note what became of a guarded write; what the server did not say is read again."""
        if sent.said.done:
            op.confirmed(sent.after)
            return
        settled = self._leases.settle(sent.intent)
        op.saw(sent.after.lease.ticket, settled.seen)
        if settled.outcome == "open" and sent.said.may_arrive:
            return  # unknown: the next look at what is pending tells
        if settled.outcome in {"lost", "open"}:
            op.result, op.note = "refused", settled.outcome
        else:
            op.confirmed(sent.after)
        Intents(self._repository.place.common).end(sent.intent.nonce)

    def _write_unguarded(self, op: Running, held: Held) -> None:
        """Check the lease, then write: between the two anything may happen."""
        self._pause("guard")
        tip = guard.fetched(self._repository, held.ticket)
        code = guard.commit(self._repository, tip, held.epoch, op.id)
        if guard.push_unguarded(self._repository, code, held.ticket, self._plan.timeout_seconds):
            op.result = "ok"

    def _stand(self, held: Held) -> None:
        """Refuse to act under an epoch that the ledger knows to be over, as the fold does."""
        highest = self._ledger.highest(held.ticket)
        if highest > held.epoch and not self._plan.variant:
            message = f"{held.ticket} was acquired with epoch {highest}; {held.session} has {held.epoch}"
            raise LeaseLost(message)

    def _decide(self, op: Running, ticket: TicketId, seen: Seen | None) -> Lease | ExoError:
        op.saw(ticket, seen)
        current = seen.lease if seen else None
        sight = self._sight(seen)
        other = current is not None and current.holder.session != op.session
        move = rules.take_over if sight.stale and other else rules.claim
        highest = 0 if self._plan.variant == "delete-on-release" else self._ledger.highest(ticket)
        return move(current, self._request(op, ticket), highest, **sight._asdict())

    def _completed(self, op: Running, won: Seen) -> Seen | None:
        """Stand above what the ledger knows, and be written down there; None when the lease was lost meanwhile."""
        ticket = won.lease.ticket
        for _ in range(8):
            highest = self._ledger.highest(ticket)
            if highest >= won.lease.epoch and self._plan.variant != "delete-on-release":

                def decide(seen: Seen | None, highest: int = highest) -> Lease | ExoError:
                    op.saw(ticket, seen)
                    request = self._request(op, ticket)
                    return rules.raise_epoch(
                        seen.lease if seen else None, request, highest, ours=self._sight(seen).ours
                    )

                try:
                    won = self._leases.swap(ticket, decide).after
                except ExoError as error:
                    op.note = f"raise: {error.code}"
                    return None
            if self._ledger.acquire(ticket, won.lease.epoch, op.session, blindly=bool(self._plan.variant)):
                return won
        return None

    def _give_back(self, session: str, ticket: str) -> None:
        self.release(Held(session, TicketId(ticket), 0), epoch=0)

    def _sight(self, seen: Seen | None) -> Sight:
        sight = look(self._repository, seen, self._clock())
        if self._plan.variant != "wall-clock" or seen is None:
            return sight
        renewed = datetime.strptime(seen.lease.renewed_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return sight._replace(stale=(self._clock.wall() - renewed).total_seconds() > seen.lease.ttl_seconds)

    def _delete(self, held: Held) -> None:
        remote = named(self._repository, "origin")
        ref = REFS.ref_of(held.ticket)
        seen = self._leases.read(held.ticket)
        if seen is not None and self._sight(seen).ours:
            push_refs(
                self._repository,
                remote,
                lambda refs: [Update(ref, None)] if refs.get(ref) == seen.oid else [],
                atomic=False,
            )

    def _request(self, op: Running, ticket: TicketId) -> Request:
        holder = Holder(session=SessionId(op.session), clone=CloneId("c" * 16), actor="agent:soak")
        return Request(ticket, holder, op.nonce(), self._clock.now(), TTL_SECONDS)
