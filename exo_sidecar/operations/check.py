"""Check: the commands that show whether work is good, run here and judged."""

from typing import Annotated

import msgspec

from exo_sidecar.domain import checks
from exo_sidecar.domain.checks import CheckUnknown
from exo_sidecar.git.locate import Place
from exo_sidecar.host.caller import require_clear
from exo_sidecar.model.check import Check as Declared
from exo_sidecar.model.check_run import RunVerdict
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import checking, session_facts, trusting
from exo_sidecar.operations.checking import CheckShown
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


class Check(Params, frozen=True, kw_only=True):
    """Parameters of `check`."""

    ticket: Annotated[
        str | None,
        param(
            "Ticket whose checks run; left away: the session's", positional=True, metavar="TICKET", completes="ticket"
        ),
    ] = None
    only: Annotated[tuple[str, ...], param("Run this check alone", metavar="ID")] = ()
    list: Annotated[bool, param("Run nothing, only say what would run")] = False
    no_governance: Annotated[bool, param("Leave the policy out of the report")] = False
    record: Annotated[bool, param("Write the result to the ledger")] = False


class CheckListed(msgspec.Struct, frozen=True, kw_only=True):
    """A check that may run."""

    id: str
    argv: tuple[str, ...]
    wanted: bool
    """Whether it is one of the ticket's."""


class PolicyShown(msgspec.Struct, frozen=True, kw_only=True):
    """The policy that names the checks."""

    digest: str
    trusted: bool


class ChecksDone(Result, frozen=True, kw_only=True):
    """What the checks showed."""

    verdict: RunVerdict | None
    """None: nothing was to be run, only listed."""
    ticket_id: TicketId | None
    checks: tuple[CheckShown, ...] = ()
    listed: tuple[CheckListed, ...] = ()
    """With --list: every command that may run as a check."""
    commit: str | None = None
    """The result holds for this commit."""
    dirty: str | None = None
    """Digest of what is changed and not committed beside it; None: nothing is."""
    policy: PolicyShown | None = None
    recorded: bool = False


@operation(Panel.GOVERNANCE, writes=True, gate=True)
def run(ctx: Context, params: Check) -> ChecksDone:
    """Run a ticket's checks and those that every ticket has, and say what they show.

    Only commands of checks_allowlist run, as argument lists and never through a shell, in this checkout, with a time
    limit, and only once a person here has accepted the policy that names them. A check that did nothing is no pass.
    The result holds for the files as they are now. Without a ticket and outside of a session, the checks of every
    ticket run. Nothing is written unless --record says so.
    """
    view = ctx.view()
    record = _ticket(ctx, view, params.ticket)
    config = view.config()
    may_run = checks.allowed(config)
    ids = checks.wanted(record, view)
    if params.list:
        return _listing(record, may_run, ids)
    wanted = _only(params.only, ids, may_run) if params.only else ids
    if wanted:
        checking.require_trusted(ctx)
    chosen = checks.choose(wanted, may_run)
    done = checking.run(ctx, _place(ctx, view, record), chosen)
    ticket = record.id if record else None
    if params.record:
        ctx.transact(lambda now: checks.record(now, done.event(ticket), ctx.caller))
    return ChecksDone(
        verdict=done.verdict,
        ticket_id=ticket,
        checks=done.shown,
        commit=done.tree.commit,
        dirty=done.tree.dirty,
        policy=None if params.no_governance else _policy(ctx),
        recorded=params.record and not ctx.dry_run,
    )


def _ticket(ctx: Context, view: View, named: str | None) -> TicketRecord | None:
    """Return the ticket named, else the session's, None outside of a session."""
    if named is not None:
        return view.find_ticket(named)
    session = require_clear(ctx.caller).session
    known = view.session(session) if session else None
    return view.ticket(known.ticket) if known else None


def _place(ctx: Context, view: View, record: TicketRecord | None) -> Place:
    """Return the checkout of the caller's session where it works on the ticket, else the one the call was made in."""
    session = require_clear(ctx.caller).session
    known = view.session(session) if session else None
    is_own = known is not None and record is not None and known.ticket == record.id
    return session_facts.place_of(ctx, known.id) if is_own and known is not None else ctx.place


def _only(only: tuple[str, ...], ids: tuple[str, ...], may_run: dict[str, Declared]) -> tuple[str, ...]:
    """Return the checks asked for; CheckUnknown for one that is neither the ticket's nor in the list."""
    for each in only:
        if each not in ids and each not in may_run:
            message = f"there is no check {each[:100]!r}"
            raise CheckUnknown(message, check=each)
    return tuple(dict.fromkeys(only))


def _listing(record: TicketRecord | None, may_run: dict[str, Declared], ids: tuple[str, ...]) -> ChecksDone:
    every = (*ids, *(each for each in may_run if each not in ids))
    listed = (
        CheckListed(id=each, argv=may_run[each].run if each in may_run else (), wanted=each in ids) for each in every
    )
    return ChecksDone(verdict=None, ticket_id=record.id if record else None, listed=tuple(listed))


def _policy(ctx: Context) -> PolicyShown:
    standing = trusting.standing(ctx)
    return PolicyShown(digest=standing.policy.digest, trusted=standing.is_trusted)
