"""An id for a new ticket: one that people chose, or one that is free here and meets no other elsewhere."""

from collections.abc import Callable
from typing import Final

from exo_sidecar.model import ids
from exo_sidecar.model.errors import IdInvalid, Internal
from exo_sidecar.model.ids import Entropy, TicketId
from exo_sidecar.model.ticket import Kind

_PREFIXES: Final[dict[Kind, str]] = {"intent": "INTENT", "epic": "EPIC", "task": "TICKET"}
_RESERVED: Final = frozenset(
    "ACT APR DEC EFF ESC HND NOTE OBS PROP REF SES SPEC THR".split()  # noqa: SIM905 - a list to be read at a glance
)
"""Prefixes of other records: a ticket of that name could not be told from one."""
_MINTS_MAX: Final = 20
"""A new id is taken once in 10,000 times, so twenty in a row mean a broken source of randomness."""


def mint_ticket(
    kind: Kind, given: str | None, count: int, is_taken: Callable[[TicketId], bool], entropy: Entropy
) -> TicketId:
    """Return the id of a new ticket: the one given, upper-cased, else a minted one that is not taken.

    Nothing is counted up: `count` tickets make ids so long that two clones meet once in 10,000 times. The randomness
    comes from `entropy` alone, so the same bytes give the same id.

    Raises:
        IdInvalid: the id given has another form, or a prefix that says something else than the kind.
        Internal: the source of randomness gives taken ids again and again.
    """
    if given is not None:
        return _given(kind, given)
    for _ in range(_MINTS_MAX):
        minted = TicketId(ids.mint(_PREFIXES[kind], count, entropy))
        if not is_taken(minted):
            return minted
    message = f"no free id after {_MINTS_MAX} attempts"
    raise Internal(message, hint="the machine's source of randomness gives the same values again and again")


def _given(kind: Kind, given: str) -> TicketId:
    parsed = ids.parse(given)
    prefix = parsed.split("-", 1)[0]
    owner = next((word for word, own in _PREFIXES.items() if own == prefix and own != _PREFIXES["task"]), kind)
    if prefix in _RESERVED:
        message = f"{parsed} cannot be a ticket: {prefix}- names another sort of record"
    elif owner != kind:
        message = f"{parsed} cannot be the id of a {kind}: {prefix}- says {owner}"
    else:
        return TicketId(parsed)
    hint = f"begin it with {_PREFIXES[kind]}-, or leave --id away"
    raise IdInvalid(message, hint=hint, parameter="id", field="id")
