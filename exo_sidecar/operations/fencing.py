"""Fencing: everything that the kernel judges an action of the caller by, gathered once (docs/kernel.md, "Fence")."""

import msgspec

from exo_sidecar.domain import fence as fences
from exo_sidecar.domain import holding
from exo_sidecar.model.action import Fence
from exo_sidecar.model.actor import is_agent
from exo_sidecar.model.policy import Seal
from exo_sidecar.model.role import ROLES, Role
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import policy_keeping
from exo_sidecar.operations.context import Context

_CHANGES = frozenset({"write", "delete"})


def of_caller(ctx: Context, ticket: str | None = None) -> Fence:
    """Return the fence of the caller's session; with `ticket` that of work on another one, under the caller's lease.

    What a ticket's work has used so far is not known here: budgets are judged where changes are counted.
    """
    verdict, seal = policy_keeping.in_force(ctx)
    view = ctx.view()
    session = _session(ctx, view)
    own = session.ticket if session is not None else None
    wanted = view.find_ticket(ticket).id if ticket is not None else own
    is_own = session is not None and wanted == session.ticket
    record = view.ticket(wanted) if wanted is not None else None
    overtaken = session is not None and is_own and holding.is_overtaken(view, session)
    found = Fence(
        actor="human" if not is_agent(ctx.caller.actor) and ctx.is_person else "agent",
        verdict=verdict,
        seal=seal,
        session=session.id if session is not None else None,
        ticket=wanted,
        holds=session is not None and is_own and _may_hold(session) and not overtaken,
        fenced=overtaken,
        role=_role(seal, session),
    )
    if record is None:
        return found
    return msgspec.structs.replace(
        found,
        ticket_type=record.ticket.type,
        scope=fences.scope(view, record),
        budgets=fences.budgets(record),
    )


def _session(ctx: Context, view: View) -> SessionRecord | None:
    session = ctx.caller.session
    if session is None:
        # Of several that fit, an audit is the strictest: it writes nothing.
        fitting = (view.session(each) for each in ctx.caller.candidates)
        return next((each for each in fitting if each is not None and each.is_audit), None)
    return view.session(session) or view.offline_session(session)


def _may_hold(session: SessionRecord) -> bool:
    return session.status == "active" and not session.is_audit


def _role(seal: Seal | None, session: SessionRecord | None) -> Role | None:
    """Return the role that bounds the session; one that the policy does not know may do nothing.

    An audit writes and deletes nothing, whatever its role may do elsewhere.
    """
    if session is None or (seal is None and not session.is_audit):
        return None
    known = {role.name: role for role in (seal.roles if seal is not None else ROLES)}
    found = known.get(session.role) or Role(name=session.role, may=())
    if not session.is_audit:
        return found
    return msgspec.structs.replace(found, may=tuple(power for power in found.may if power not in _CHANGES))
