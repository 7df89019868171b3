"""What git's pre-push hook asks: is the lease still the session's at its authority, are the changes inside the fence.

It looks and answers, and never pushes: what the server accepts is decided by `exo push` alone (docs/leases.md).
"""

from collections.abc import Sequence
from typing import NamedTuple

from exo_sidecar.domain import pushes
from exo_sidecar.domain.pushes import HEADS
from exo_sidecar.git.cgit import GUARDED
from exo_sidecar.git.oid import Oid, is_oid
from exo_sidecar.host import checkout
from exo_sidecar.host.caller import require_clear
from exo_sidecar.leases import names
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import pushing, session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk

_FIELDS = 4
_NOTHING = "0"
_MIRRORED = "refs/remotes/"


class Update(NamedTuple):
    """A ref that is about to be pushed."""

    ref: str
    """Its name there."""
    new: Oid | None
    """None: it is deleted."""


def parse(text: str) -> tuple[Update, ...]:
    """Return the updates that git names on the hook's standard input; ValueInvalid."""
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) < _FIELDS or not is_oid(fields[-3]):
            message = f"{line[:80]!r} is no line of git's pre-push hook"
            raise ValueInvalid(message, parameter="input")
        new = fields[-3]
        found.append(Update(fields[-2], Oid(new) if new.strip(_NOTHING) else None))
    return tuple(found)


def check(ctx: Context, updates: Sequence[Update], remote: str) -> None:
    """Return when the push may go.

    Raises:
        SessionFenced, LeaseNotHeld: the lease is not the session's any more.
        PushRejected: `leases.guard: require` wants this branch pushed by `exo push`.
        ScopeDenied: a change lies outside of the fence. Or an error of the transport: what cannot be judged is refused.
    """
    view = ctx.view()
    code = [update for update in updates if _is_code(ctx, update)]
    session_id = require_clear(ctx.caller).session
    session = view.session(session_id) if session_id else None
    guarded = ctx.environ.get(GUARDED) == "1"
    if not guarded:
        _refuse_governance(ctx, view, updates, remote)
    if not code:
        return
    if session is None or session.status != "active":
        if not guarded and view.config().leases.guard == "require":
            _refuse_leased(ctx, code)
        return
    if not guarded:
        pushing.confirmed(LeaseDesk(ctx, "hook", reads_only=True), session)
        if view.config().leases.guard == "require":
            raise pushes.unguarded(code[0].ref.removeprefix(HEADS))
    _check_fence(ctx, view, session, code, remote)


def _check_fence(ctx: Context, view: View, session: SessionRecord, code: Sequence[Update], remote: str) -> None:
    worktree = session_facts.worktree_of(ctx)
    for update in code:
        if update.new is not None:
            paths = checkout.paths_of_new_commits(worktree, update.new, remote)
            refusal = pushes.out_of_scope(view, session, paths)
            if refusal is not None:
                raise refusal


def _refuse_leased(ctx: Context, code: Sequence[Update]) -> None:
    """Raise when a branch that is pushed without a session is one that somebody holds a lease for."""
    leased = {
        seen.lease.branch
        for seen in LeaseDesk(ctx, "hook", reads_only=True).survey().leases.values()
        if seen.lease.state == "held"
    }
    for update in code:
        if update.ref.removeprefix(HEADS) in leased:
            raise pushes.unguarded(update.ref.removeprefix(HEADS))


def _is_code(ctx: Context, update: Update) -> bool:
    name = update.ref.removeprefix(HEADS)
    return update.ref.startswith(HEADS) and pushes.branch_fault(name, ctx.governed.branch) is None


def _refuse_governance(ctx: Context, view: View, updates: Sequence[Update], remote: str) -> None:
    """Raise when a plain push would change a lease, or take away what all go by: `git push --mirror` does both.

    git tells hooks of no ref that a mirror removes; that other clones' branches are sent gives a mirror away. Another
    remote, a backup say, may be given whatever is here.
    """
    authority = view.authority()
    if authority is None or authority.remote is None:
        return
    if remote != authority.remote and remote in ctx.repository.settings.remotes():
        return
    known = names.of(authority.mode)
    kept = {known.authority, ctx.governed.ref}
    for update in updates:
        if update.ref.startswith(_MIRRORED):
            raise pushes.governs(known.authority)
        if known.ticket_of(update.ref) is not None or (update.new is None and update.ref in kept):
            raise pushes.governs(update.ref)
