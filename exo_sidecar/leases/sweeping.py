"""Sweeping: tombstones of closed tickets removed in one push, each only if it is still what was looked at.

The epoch survives in the ledger: a ticket whose lease was swept is claimed above the highest epoch that is known there.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import files
from exo_sidecar.git import lone_swap
from exo_sidecar.git.fetch import advertised
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.push import OK, REFUSED, Update, push
from exo_sidecar.git.remote import DEFAULT_TIMEOUT_SECONDS, Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import authority as authorities
from exo_sidecar.leases.names import Names
from exo_sidecar.leases.seen import LeaseUnknown, Survey
from exo_sidecar.model.ids import TicketId

ABOVE: Final = 500
"""Fewer tombstones than this slow nobody down."""
SWEPT_MAX: Final = 10_000
_REFUSED: Final = "exo/leases/sweep-refused"
_NOTE_BYTES_MAX: Final = 200


class Sweep(NamedTuple):
    """What is to go, with the value that is expected; and what stays, and why."""

    doomed: dict[TicketId, Oid]
    kept: dict[TicketId, str]


class Swept(NamedTuple):
    """What went, and what did not although it was to."""

    gone: tuple[TicketId, ...]
    stayed: dict[TicketId, str]
    refused: bool
    """Whether the server lets no ref be removed."""


def choose(
    survey: Survey, is_closed: Callable[[TicketId], bool], epoch_of: Callable[[TicketId], int], *, above: int = ABOVE
) -> Sweep:
    """Return which of the leases may go; none as long as there are no more than `above` tombstones.

    `epoch_of` is the highest epoch that the ledger knows. What is held stays, however old.
    """
    tombstones = [ticket for ticket, seen in survey.leases.items() if seen.lease.state == "released"]
    few = f"there are {len(tombstones)} tombstones; up to {above} stay" if len(tombstones) <= above else ""
    doomed: dict[TicketId, Oid] = {}
    kept = {ticket: f"its lease cannot be read: {why}" for ticket, why in survey.damaged.items()}
    for ticket, seen in sorted(survey.leases.items()):
        if seen.lease.state == "held":
            kept[ticket] = f"it is held by {seen.lease.holder.actor}"
        elif few:
            kept[ticket] = few
        elif not is_closed(ticket):
            kept[ticket] = "the ticket is not closed"
        elif epoch_of(ticket) < seen.lease.epoch:
            kept[ticket] = f"its epoch {seen.lease.epoch} is not in the ledger"
        elif len(doomed) >= SWEPT_MAX:
            kept[ticket] = f"{SWEPT_MAX} go at once; the next sweep takes it"
        else:
            doomed[ticket] = seen.oid
    return Sweep(doomed, kept)


def sweep(
    repository: Repository,
    remote: Remote | None,
    place: tuple[Names, str],
    doomed: Mapping[TicketId, Oid],
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Swept:
    """Remove the `doomed` leases whose value still is the one given; `place` is its names and the authority's id.

    Raises:
        AuthorityMismatch: the place is not the authority; nothing was removed.
        LeaseUnknown: whether they went cannot be read; or an error of the transport.
    """
    names, authority_id = place
    expected = {names.ref_of(ticket): oid for ticket, oid in doomed.items()}
    if remote is None:
        shown = {
            ref: None if lone_swap.swap(repository, ref, old=oid, new=None) else repository.refs.read(ref)
            for ref, oid in expected.items()
        }
        return _swept(names, doomed, {ref: oid for ref, oid in shown.items() if oid is not None}, {})
    wanted = authorities.commit_of(authority_id)[0]

    def decide(refs: dict[str, Oid]) -> list[Update]:
        if refs.get(names.authority) != wanted:
            raise authorities.mismatch(remote, shows_another=names.authority in refs)
        return [Update(ref, None) for ref, oid in expected.items() if refs.get(ref) == oid]

    pushed = push(repository, remote, decide, atomic=False, timeout_seconds=timeout_seconds)
    if pushed.trouble is not None:
        message = f"whether leases were removed at {remote} cannot be read: {pushed.trouble.message}"
        raise LeaseUnknown(message)
    if all(text == OK for text in pushed.status.values()) and pushed.status.keys() == expected.keys():
        return Swept(tuple(sorted(doomed)), {}, refused=False)
    prefixes = [names.prefix]
    after = advertised(repository, remote, prefixes, timeout_seconds=timeout_seconds)
    return _swept(names, doomed, after, pushed.status)


def is_refused(common: Path, authority_id: str) -> bool:
    """Whether the authority is known to let no ref be removed."""
    try:
        data = files.read_beneath(common, _REFUSED, limit_bytes=_NOTE_BYTES_MAX)
    except OSError:
        return False
    return data == authority_id.encode()


def remember_refusal(common: Path, authority_id: str) -> None:
    """Remember that the authority lets no ref be removed, so that it is not asked again."""
    files.write_beneath(common, _REFUSED, authority_id.encode())


def _swept(names: Names, doomed: Mapping[TicketId, Oid], after: Mapping[str, Oid], said: Mapping[str, str]) -> Swept:
    gone = tuple(sorted(ticket for ticket in doomed if names.ref_of(ticket) not in after))
    stayed: dict[TicketId, str] = {}
    refusals = 0
    for ticket, oid in doomed.items():
        ref = names.ref_of(ticket)
        if ref in after:
            is_same = after[ref] == oid
            words = said.get(ref, "").removeprefix(REFUSED)
            stayed[ticket] = (
                f"the server refused: {words or 'it does not say why'}" if is_same else "it changed meanwhile"
            )
            refusals += is_same and bool(words)
    return Swept(gone, stayed, refused=not gone and bool(doomed) and refusals == len(doomed))
