"""Code pushed under the lease of the session that wrote it."""

from typing import Annotated, Literal

import msgspec

from exo_sidecar.domain import pushes
from exo_sidecar.git import remote as remotes
from exo_sidecar.host.caller import require_clear
from exo_sidecar.model.check_run import Verify
from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations import exchange, push_checks, pushing, reconciling, session_facts
from exo_sidecar.operations.checking import CheckShown
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.lease_shown import LeaseShown
from exo_sidecar.operations.push_checks import PushChecked
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


class Push(Params, frozen=True, kw_only=True):
    """Parameters of `push`."""

    ticket_id: Annotated[
        str | None, param("Ticket that the code belongs to; left away: the session's", metavar="ID", completes="ticket")
    ] = None
    remote: Annotated[str | None, param("Where to push; left away: where leases are decided", metavar="NAME")] = None
    branch: Annotated[str | None, param("Branch to push; left away: the one checked out", metavar="NAME")] = None
    force_with_lease: Annotated[
        bool, param("Overwrite what was last fetched of the branch, and nothing newer (git's force-with-lease)")
    ] = False
    no_check: Annotated[bool, param("Do not run the checks; only for a person")] = False


class CodePushed(Result, frozen=True, kw_only=True):
    """Code that was pushed."""

    pushed: bool
    """False when the branch was there already; the lease was renewed all the same."""
    ticket_id: TicketId
    remote: str
    branch: str
    start: str | None = msgspec.field(name="from")
    """The branch there before; None: new, or not told."""
    end: str = msgspec.field(name="to")
    guard: Literal["atomic", "checked"] | None
    """`atomic`: the server took lease and code together or neither. `checked`: looked at before and after."""
    atomic: bool
    lease: LeaseShown | None
    verify: Verify
    """How the code was verified; none: there was nothing to run."""
    checks: tuple[CheckShown, ...] = ()
    """Those that ran now; the ones that had passed on the same files before are not run again."""
    sync: Exchanged


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True)
def run(ctx: Context, params: Push) -> CodePushed:
    """Push the session's branch, together with the proof that its lease still holds.

    Code and lease go in one atomic push, so a session that has lost its ticket is turned away by the server. Where the
    server cannot do that, the lease is checked before and after, and the result says `guard: checked`. Hooks,
    credentials and the fast-forward check are git's own. The checks of the ticket run first, unless they have passed on
    the same files already, and what fails them is not pushed.
    """
    reconciling.require_confirmed(ctx, "push")
    view = ctx.view()
    named = view.find_ticket(params.ticket_id).id if params.ticket_id else None
    session_id = require_clear(ctx.caller).session
    session = pushes.at_work(view.session(session_id) if session_id else None, session_id)
    if named is not None and named != session.ticket:
        raise pushes.other_ticket(session, named)
    pushes.refuse_overtaken(view, session)
    desk = LeaseDesk(ctx, "push", reads_only=ctx.dry_run)
    remote = params.remote or desk.authority.remote or view.config().leases.remote
    remotes.named(ctx.repository, remote)
    ctx.require_network(f"pushing to {remote}")
    session_facts.worktree_of(ctx)
    wanted = pushing.plan(ctx, session, remote, params.branch, overwrite=params.force_with_lease)
    checked = push_checks.require(ctx, view, session, no_check=params.no_check)
    if ctx.dry_run:
        pushing.confirmed(desk, session)
        return _result(wanted, None, checked, exchange.skipped("dry run"))
    done = pushing.carry_out(ctx, desk, wanted)
    session_facts.count_on(ctx, done.lease, done.started)
    ctx.transact(lambda now: pushes.record(now, session, pushing.event(wanted, done), checked.event))
    return _result(wanted, done, checked, exchange.push(ctx))


def _result(wanted: pushing.Plan, done: pushing.Done | None, checked: PushChecked, sync: Exchanged) -> CodePushed:
    ttl = done.lease.ttl_seconds if done else 0
    return CodePushed(
        pushed=done is not None and done.start != wanted.code.commit,
        ticket_id=wanted.session.ticket,
        remote=wanted.remote,
        branch=wanted.branch,
        start=done.start if done else None,
        end=wanted.code.commit,
        guard=done.guard if done else None,
        atomic=done is not None and done.guard == "atomic",
        lease=LeaseShown(epoch=done.lease.epoch, ttl_seconds=ttl, deadline_in=ttl) if done else None,
        verify=checked.verify,
        checks=checked.checks,
        sync=sync,
    )
