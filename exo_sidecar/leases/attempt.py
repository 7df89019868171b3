"""One try to change a lease: what was seen, what was decided, and the value to write. Touches only what is ours.

Shared by both places: a try decides on the values shown, makes the commit, and writes nonce and intent down before the
value leaves the process.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exo_sidecar.git import commits
from exo_sidecar.git.objects import ObjectDamaged
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import outcome, rules, value
from exo_sidecar.leases.intents import Intent, Intents
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.seen import DecideEach, LeaseUnknown, Seen, Settled, Survey
from exo_sidecar.leases.value import LeaseDamaged
from exo_sidecar.model.errors import ExoError, Held, Refused
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Lease


class Plan(NamedTuple):
    """The change that was decided."""

    ticket: TicketId
    before: Seen | None
    after: Seen
    damaged: Oid | None = None
    """The value that is replaced though it cannot be read; `before` is None then."""

    @property
    def old(self) -> Oid | None:
        """The ref's value that is expected when the change is made; None: none."""
        return self.before.oid if self.before else self.damaged

    @property
    def is_unchanged(self) -> bool:
        """Whether the ref already shows what was decided."""
        return self.before is not None and self.before.oid == self.after.oid


def decode(repository: Repository, ticket: TicketId, oid: Oid | None) -> Seen | None:
    """Return the lease value `oid` of `ticket`, whose object is here; LeaseDamaged."""
    if oid is None:
        return None
    try:
        found = repository.objects.read(oid)
    except ObjectDamaged as error:
        message = f"the lease of {ticket} cannot be read: {error.message}"
        raise LeaseDamaged(message, ticket=ticket) from error
    if found.kind != "commit":
        message = f"the lease of {ticket} cannot be read: it is a {found.kind}"
        raise LeaseDamaged(message, ticket=ticket)
    return Seen(oid, value.decode(ticket, found.data))


def survey(repository: Repository, shown: Mapping[TicketId, Oid]) -> Survey:
    """Return the leases `shown`, whose objects are here, and the values among them that cannot be read."""
    found = Survey({}, {})
    for ticket, oid in shown.items():
        try:
            seen = decode(repository, ticket, oid)
        except LeaseDamaged as damage:
            found.damaged[ticket] = damage.message
            continue
        if seen is not None:
            found.leases[ticket] = seen
    return found


def choose(
    repository: Repository,
    candidates: Sequence[TicketId],
    shown: Mapping[TicketId, Oid],
    decide: DecideEach,
    *,
    durable: bool,
    over_damage: bool = False,
) -> Plan | ExoError:
    """Return the change of the first candidate for which `decide` returns a lease, else the last refusal.

    Only refusals that are about one ticket go on to the next candidate; any other error ends the search. A value that
    cannot be read is a refusal; with `over_damage` it is decided on as if there were none. The new value's object is
    written, nothing else.
    """
    refusal: ExoError | None = None
    for ticket in candidates:
        damaged: Oid | None = None
        try:
            before = decode(repository, ticket, shown.get(ticket))
        except LeaseDamaged as damage:
            before, damaged = None, shown.get(ticket)
            answer: Lease | ExoError = decide(ticket, None) if over_damage else damage
        else:
            answer = decide(ticket, before)
        if not isinstance(answer, ExoError):
            parent = before.oid if before else _parent(repository, damaged)
            after = _written(repository, before, answer, parent, durable=durable)
            return Plan(ticket, before, after, damaged)
        refusal = answer
        if not isinstance(answer, Held | Refused | LeaseDamaged):
            break
    if refusal is None:
        message = "no candidate was given"
        raise ValueError(message)
    return refusal


def announce(nonces: Nonces, intents: Intents, plan: Plan, operation: str) -> Intent:
    """Write nonce and intent of `plan` down, durably: from here on a killed process is found out."""
    lease, before = plan.after.lease, plan.before
    nonces.remember(lease)
    intent = Intent(
        operation=operation,
        session=lease.holder.session,
        ticket=plan.ticket,
        nonce=lease.nonce,
        commit=plan.after.oid,
        kind=rules.move_between(before.lease if before else None, lease),
        replaces=plan.old,
    )
    intents.begin(intent)
    return intent


def settled(repository: Repository, intent: Intent, tip: Oid | None, *, may_arrive: bool) -> Settled:
    """Return what became of `intent`, given that the ref shows `tip` now; LeaseUnknown.

    `may_arrive`: what was sent to another process may be done when nobody waits for it any more.
    Where the ref shows what is no lease, ours is not the lease, whatever it was before.
    """
    try:
        seen = decode(repository, intent.ticket, tip)
    except LeaseDamaged:
        if tip == intent.commit:
            raise
        return Settled("lost", None)
    verdict = outcome.judge(repository.objects, tip, intent.commit, intent.replaces)
    if verdict == "unknown":
        raise unknown(intent.ticket)
    if verdict == "lost":
        return Settled("open" if may_arrive and tip == intent.replaces else "lost", seen)
    return Settled("won" if tip == intent.commit else "superseded", seen)


def unknown(ticket: TicketId) -> LeaseUnknown:
    """Return the error for a value that was sent and of which nobody can say whether it arrived."""
    message = f"whether the change of {ticket}'s lease arrived cannot be read"
    return LeaseUnknown(message, ticket=ticket)


def _written(repository: Repository, before: Seen | None, lease: Lease, parent: Oid | None, *, durable: bool) -> Seen:
    if before is not None and lease == before.lease:
        return before
    data = value.encode(lease, parent)
    # The empty tree goes along: git knows it by heart, but a store that lacks it fails its own check.
    return Seen(repository.objects.write([("tree", b""), ("commit", data)], durable=durable)[1], lease)


def _parent(repository: Repository, damaged: Oid | None) -> Oid | None:
    """Return the parent for a value that replaces `damaged`: nothing but a commit can be one."""
    try:
        return damaged if damaged is not None and commits.read(repository.objects, damaged) else None
    except ObjectDamaged:
        return None
