"""Wishes completed: what a new ticket has where nobody says otherwise, and what it takes over from a closed one."""

from typing import Final

from exo_sidecar.domain import ticket_limits
from exo_sidecar.domain.archiving import TicketNotClosed
from exo_sidecar.domain.tickets import Wish
from exo_sidecar.model.errors import ExoError, ValueInvalid
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.ticket import (
    BUDGET_FIELDS,
    SCALARS,
    SETS,
    Budgets,
    Scalar,
    Ticket,
    TicketRecord,
    scalar_of,
    set_of,
)
from exo_sidecar.model.view import View

REOPENS: Final = "reopens"
"""How a ticket is linked to the closed one whose work it goes on with."""
_OWN: Final = frozenset({"kind", "title", "created_by"})
"""Fields that a ticket does not take over."""
_TYPE: Final = "feature"


def completed(view: View, wish: Wish) -> Wish:
    """Return the wish with the defaults of the settings; budgets of theirs stay below the ceilings.

    Containers have no checks by themselves: nobody works on them.
    """
    defaults = view.config().defaults
    fields: dict[str, Scalar] = dict(wish.fields)
    if wish.kind != "intent" and "type" not in fields and defaults.ticket_type != _TYPE:
        fields["type"] = defaults.ticket_type
    if wish.kind == "task" and "checks" not in fields and defaults.ticket_checks:
        fields["checks"] = defaults.ticket_checks
    ticket_type = fields.get("type", _TYPE)
    ceilings = ticket_limits.ceilings(view, ticket_type if isinstance(ticket_type, str) else _TYPE)
    usual = Budgets()
    for name in BUDGET_FIELDS:
        value: int = getattr(defaults.ticket_budgets, name)
        most = min(value, ceilings[name].most) if name in ceilings else value
        if name not in fields and most != getattr(usual, name):
            fields[name] = most
    return wish._replace(fields=fields)


def reopened(wish: Wish, source: TicketRecord) -> Wish | ExoError:
    """Return the wish with what it does not say taken from a closed ticket, and a link to it."""
    ticket = source.ticket
    if source.is_open:
        hint = f"work on it goes on there: exo session-start --ticket-id {source.id}"
        return TicketNotClosed(f"{source.id} is {ticket.status}", hint=hint, ticket=source.id)
    if ticket.kind == "intent":
        message = f"{source.id} is an intent, and only tasks and epics are made from closed ones"
        return ValueInvalid(message, hint="exo intent-create says anew what is wanted", parameter="from")
    taken = {name: scalar_of(ticket, name) for name in SCALARS if name not in _OWN}
    sets = {name: set_of(ticket, name) for name in SETS if name != "blockers"}
    links = (*wish.sets.get("links", sets["links"]), f"{REOPENS}:{source.id}")
    return wish._replace(
        kind=ticket.kind,
        fields={**_written(taken, ticket), **wish.fields},
        sets={**{name: members for name, members in sets.items() if members}, **wish.sets, "links": links},
    )


def unchecked(view: View, ticket: Ticket) -> Finding | None:
    """Return what to tell of a task that has no check although its work needs one to be done; None otherwise."""
    config = view.config()
    if ticket.kind != "task" or ticket.checks or config.global_checks or ticket.type in config.lifecycle.no_check_types:
        return None
    message = f"{ticket.id} has no check, so nothing can show that it is done"
    hint = f"exo ticket-edit {ticket.id} --set-checks ID, or defaults.ticket_checks in .exo/config.yaml"
    return Finding(code="NO_CHECKS", subject=ticket.id, message=message, hint=hint)


def _written(taken: dict[str, Scalar], ticket: Ticket) -> dict[str, Scalar]:
    """Return the fields that differ from what a new ticket has: the others need not be said."""
    plain = Ticket(id=ticket.id, title=ticket.title)
    return {name: value for name, value in taken.items() if value != scalar_of(plain, name)}
