"""How code is pushed under a lease: with it in one atomic push where the server can, else checked before and after.

The lease is read, the push names exactly that value, and whatever is not a plain success is settled by reading again:
still the same value means that the refusal was about the code; another value of ours, once more; not ours, fenced.
"""

from typing import Final, Literal, NamedTuple

from exo_sidecar.domain import pushes
from exo_sidecar.domain.pushes import HEADS, PushRejected
from exo_sidecar.git import code_push, refnames
from exo_sidecar.git.code_push import CodeUpdate, Said
from exo_sidecar.git.oid import Oid
from exo_sidecar.host import checkout
from exo_sidecar.leases import guarded, names
from exo_sidecar.leases.guarded import Guard
from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.refs import LeaseContended, LeaseUnknown, Seen
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.errors import LeaseNotHeld, SessionFenced
from exo_sidecar.model.event_pushes import PushGuarded
from exo_sidecar.model.lease import Lease
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.operations import session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms

ROUNDS_MAX: Final = 4
"""Each means that the lease changed meanwhile and is still ours: another process of this clone renewed it."""


class Plan(NamedTuple):
    """A push as it is asked for."""

    session: SessionRecord
    remote: str
    code: CodeUpdate

    @property
    def branch(self) -> str:
        """The branch's short name."""
        return self.code.branch.removeprefix(HEADS)


class Done(NamedTuple):
    """A push that was made."""

    guard: Literal["atomic", "checked"]
    start: Oid | None
    lease: Lease
    started: BootClock
    """Read before the lease's new value was sent."""


def plan(ctx: Context, session: SessionRecord, remote: str, branch: str | None, *, overwrite: bool) -> Plan:
    """Return what is to be pushed; PushRejected when there is no such branch, or it is none of code."""
    head = checkout.head(ctx.place)
    name = branch or head.branch
    if name is None:
        message = "no branch is checked out here"
        raise PushRejected(message, hint=f"git switch -c exo/{session.ticket}, or name one with --branch")
    fault = pushes.branch_fault(name, ctx.governed.branch)
    if fault is not None:
        raise fault
    ref = HEADS + name
    commit = ctx.repository.refs.read(ref) if refnames.is_valid(ref) else None
    if commit is None:
        message = f"there is no branch {name!r} here with a commit on it"
        raise PushRejected(message, hint="git branch lists those that are", branch=name)
    expected = ctx.repository.refs.read(f"refs/remotes/{remote}/{name}") if overwrite else None
    if overwrite and expected is None:
        message = f"what {remote} had of {name} was never fetched, so nothing says what may be overwritten"
        raise PushRejected(message, hint=f"git fetch {remote}", branch=name)
    return Plan(session, remote, CodeUpdate(ref, commit, expected))


def carry_out(ctx: Context, desk: LeaseDesk, wanted: Plan) -> Done:
    """Push the code under its lease.

    Raises:
        SessionFenced, LeaseNotHeld: the lease is not the session's; nothing was pushed, unless the message says so.
        PushRejected: the server, a hook or git refused the code.
        LeaseUnknown: the outcome cannot be read; or an error of the transport.
    """
    if desk.authority.remote == wanted.remote:
        for _ in range(ROUNDS_MAX):
            current = confirmed(desk, wanted.session)
            done = _guarded(ctx, desk, wanted, current)
            if done == "lacks atomic":
                break
            if done is not None:
                return done
        else:
            message = f"the lease of {wanted.session.ticket} kept changing"
            raise LeaseContended(message)
    return _checked(ctx, desk, wanted)


def confirmed(desk: LeaseDesk, session: SessionRecord) -> Seen:
    """Return the lease as the authority shows it, held by the session; SessionFenced, LeaseNotHeld."""
    seen = desk.held(session.ticket, session.id)
    if seen is None or seen.lease.state == "released":
        message = f"nobody holds the lease of {session.ticket}"
        raise LeaseNotHeld(message, ticket=session.ticket, hint="exo session-start takes it again")
    return seen


def event(wanted: Plan, done: Done) -> PushGuarded:
    """Return what the ledger is told."""
    return PushGuarded(
        ticket=wanted.session.ticket,
        session=wanted.session.id,
        branch=wanted.branch,
        remote=wanted.remote,
        end=wanted.code.commit,
        guard=done.guard,
        start=done.start,
    )


def _guarded(ctx: Context, desk: LeaseDesk, wanted: Plan, current: Seen) -> "Done | Literal['lacks atomic'] | None":
    """Push code and lease at once; None when the lease changed meanwhile."""
    started = ctx.boot_clock()
    guard = Guard(ctx.repository, session_facts.worktree_of(ctx), wanted.remote, names.of(desk.authority.mode))
    sent = guarded.push(guard, wanted.code, current, desk.renewal(current, _terms(wanted)))
    if sent.said.lacks_atomic:
        return "lacks atomic"
    if not sent.said.done:
        outcome = desk.refs().settle(sent.intent).outcome
        if outcome == "open" and sent.said.may_arrive:
            raise _unknown(wanted, sent.said)
        Intents(ctx.place.common).end(sent.intent.nonce)
        if outcome == "open":
            raise _rejected(wanted, sent.said)
        if outcome == "lost":
            return None
    return Done("atomic", sent.said.start, sent.after.lease, started)


def _checked(ctx: Context, desk: LeaseDesk, wanted: Plan) -> Done:
    """Renew the lease, push, and look whether it is still ours: for where one push cannot hold both."""
    confirmed(desk, wanted.session)
    swapped = desk.heartbeat(wanted.session.ticket, _terms(wanted))
    said = code_push.push(session_facts.worktree_of(ctx), wanted.remote, wanted.code, None)
    if not said.done:
        raise _rejected(wanted, said)
    try:
        confirmed(desk, wanted.session)
    except (SessionFenced, LeaseNotHeld) as error:
        message = f"{wanted.branch} was pushed to {wanted.remote}, and the lease was lost meanwhile: {error.message}"
        raise SessionFenced(message, ticket=wanted.session.ticket, session=wanted.session.id) from error
    return Done("checked", said.start, swapped.after.lease, swapped.started)


def _terms(wanted: Plan) -> Terms:
    return Terms(wanted.session.id, Actor(wanted.session.actor), 0, wanted.branch)


def _unknown(wanted: Plan, said: Said) -> LeaseUnknown:
    message = f"whether {wanted.branch} arrives at {wanted.remote} is not known yet: {said.words}"
    return LeaseUnknown(message, branch=wanted.branch, remote=wanted.remote, hint="run exo push again: it finds out")


def _rejected(wanted: Plan, said: Said) -> PushRejected:
    if "non-fast-forward" in said.words or "fetch first" in said.words:
        message = f"{wanted.remote} has commits of {wanted.branch} that this clone has not"
        theirs = f"{wanted.remote}/{wanted.branch}"
        hint = f"git fetch, then git rebase {theirs} or git merge {theirs}; nothing was pushed, the lease included"
        return PushRejected(message, hint=hint, branch=wanted.branch, remote=wanted.remote)
    message = f"{wanted.remote} did not take {wanted.branch}: {said.words or 'git gave no reason'}"
    return PushRejected(message, branch=wanted.branch, remote=wanted.remote)
