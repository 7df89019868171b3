"""Giving back: a lease confirmed before its session's last words, and released together with their push."""

from typing import NamedTuple

from exo_sidecar.domain import holding
from exo_sidecar.leases.refs import BranchBehind
from exo_sidecar.leases.seen import LeaseUnknown
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import Environment, Held, SessionFenced
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.operations import exchange
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.sync.verified import SyncRefused


class Released(NamedTuple):
    """What became of a lease that is given back."""

    released: bool
    sync: Exchanged
    confirmed: bool = True
    """Whether nothing is left to tell the lease's authority."""


def confirm(ctx: Context, desk: LeaseDesk, session: SessionRecord) -> None:
    """Make sure that the session still has its lease; offline that is left to the next sync.

    Raises:
        SessionFenced: it has lost it; nothing was changed.
        Or an error of the transport.
    """
    if session.claim is not None:
        if not ctx.offline:
            message = f"{session.ticket} was taken offline, and its authority could not be asked"
            raise LeaseUnknown(message, hint="--offline ends the session here, and the next exo sync decides")
        ctx.warn("PROVISIONAL_LEASE", f"{session.ticket} is provisional: the end counts once exo sync has confirmed it")
        return
    if ctx.offline and desk.authority.remote is not None:
        ctx.warn(
            "FINISH_UNCONFIRMED", f"the lease of {session.ticket} could not be confirmed; the next exo sync decides"
        )
        return
    seen = desk.held(session.ticket, session.id)
    if seen is None and not holding.is_overtaken(ctx.view(), session):
        raise _not_known_there(desk, session)
    if seen is None or (seen.lease.state == "released" and seen.lease.epoch != session.epoch):
        raise holding.session_fenced(session.ticket, session.id)


def hand_back(ctx: Context, desk: LeaseDesk, session: SessionRecord, *, release: bool) -> Released:
    """Push what was written, and the release with it; what cannot be confirmed is a warning, for it is written here.

    Raises:
        SessionFenced: the lease was lost in between; what was written counts nowhere.
    """
    if ctx.dry_run:
        return Released(release, exchange.skipped("dry run"))
    if session.claim is not None:
        return Released(released=False, sync=exchange.skipped("provisional"), confirmed=False)
    if not release:
        return Released(released=False, sync=exchange.push(ctx))
    if ctx.offline and desk.authority.remote is not None:
        return Released(released=False, sync=exchange.skipped("--offline"), confirmed=False)
    try:
        handed = desk.release(session.ticket, session.id, Actor(session.actor))
    except Held as error:
        raise _fenced_in_between(session, error) from error
    except (Environment, BranchBehind, SyncRefused) as error:
        ctx.warn_of(error)
        message = f"the end of {session.id} is written here and not confirmed by the lease's authority"
        ctx.warn("FINISH_UNCONFIRMED", f"{message}; the next exo sync tells it")
        return Released(released=False, sync=Exchanged(state="failed", reason=error.message), confirmed=False)
    return Released(handed.released, exchange.carried(ctx, handed.tip) if handed.tip else exchange.push(ctx))


def _not_known_there(desk: LeaseDesk, session: SessionRecord) -> SessionFenced:
    """Return the refusal for a lease of another place: this clone's governance met one that leases are decided by."""
    place = desk.authority.remote or "this repository"
    message = f"{place} decides about leases and knows none of {session.ticket}: {session.id} took it elsewhere"
    hint = "exo session-finish --offline ends it, and what it wrote counts; exo session-start then claims there"
    return SessionFenced(message, hint=hint, ticket=session.ticket, session=session.id)


def _fenced_in_between(session: SessionRecord, error: Held) -> SessionFenced:
    message = f"{session.id} lost {session.ticket} while it finished: {error.message}; its last events count nowhere"
    return SessionFenced(message, ticket=session.ticket, session=session.id)
