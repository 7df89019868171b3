"""The hierarchy as a table: which kind stands under which, and what is known around a ticket that is to be judged."""

from typing import Final

import msgspec

from exo_sidecar.model.errors import Refused
from exo_sidecar.model.ticket import Kind, TicketRecord

PARENT_KINDS: Final[dict[Kind, tuple[Kind, ...]]] = {"intent": (), "epic": ("intent",), "task": ("intent", "epic")}
CONTAINERS: Final = frozenset({"intent", "epic"})
FREE_TYPES: Final = frozenset({"governance", "practice"})
"""Types whose tickets need no parent."""


class InvalidParent(Refused):
    """The ticket cannot stand under this parent."""

    code = "INVALID_PARENT"
    advice = "exo ticket-list --kind intent --kind epic shows possible parents"


class ParentRequired(Refused):
    """The ticket needs a parent and has none."""

    code = "PARENT_REQUIRED"
    advice = "name an intent or epic with --parent ID; exo intent-create makes one"


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What is around a ticket where it stands, or is to stand."""

    parent: TicketRecord | None
    """The ticket that it names as its parent; None when it names none, or there is none of that id."""
    above: tuple[TicketRecord, ...] = ()
    """What lies above the parent, nearest first."""
    levels_below: int = 0
    """How deep its own descendants go; they come along."""
    require_parent: bool = True
    levels_max: int = 20
