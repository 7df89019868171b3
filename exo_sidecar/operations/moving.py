"""How the authority on leases moves: the new place made, the old one retired, the ledger told, each step repeatable.

Order: nobody holds at the old place; the new place has an id; the old place shows an id that is on no record, so that
nobody claims there any more; nobody held in between; then the ledger. A claim that was on its way when the old place
was retired has an epoch that is not above the floor, so whoever claims at the new place stands above it.
"""

from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from exo_sidecar.git import remote as remotes
from exo_sidecar.git.remote import Remote
from exo_sidecar.leases import authority as authorities
from exo_sidecar.leases import moving, names
from exo_sidecar.leases.moving import Move
from exo_sidecar.leases.refs import Survey, open_leases
from exo_sidecar.leases.rules import EPOCH_MAX, EpochSpent
from exo_sidecar.leases.seen import LeaseUnsupported
from exo_sidecar.leases.value import LeaseDamaged
from exo_sidecar.model import ids
from exo_sidecar.model.errors import Conflict, Environment, LeaseHeld
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_authority import AuthorityMoved
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Authority
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context
from exo_sidecar.store.authority import SUBJECT
from exo_sidecar.sync import sync

OPERATION: Final = "leases-move"
EPOCHS_LEFT_MIN: Final = 1 << 20
"""A move refuses where fewer changes of holder than this could follow: nobody counts so far, somebody wrote it."""

Mode = Literal["refs", "branch"]


class Moved(NamedTuple):
    """Where leases are decided now."""

    authority: Authority
    tickets: tuple[TicketId, ...]
    """Those that had a lease at the old place: their epochs were raised."""


def move(ctx: Context, old: Authority, remote: str, mode: Mode) -> Moved:
    """Move the authority from `old`, which is on record, to `remote`; a move that was killed goes on.

    Raises:
        LeaseHeld, LeaseDamaged, EpochSpent: a lease is held, or cannot be read, or leaves no epoch above it;
            everything is as it was.
        AuthorityMismatch: the old place is not what is on record; or an error of the transport.
    """
    common = ctx.place.common
    pending = moving.under_way(common)
    if pending is not None and pending.previous != old.id:
        finish(ctx)
        pending = None
    if pending is not None and (pending.remote, pending.mode) != (remote, mode):
        _take_back(ctx, old, pending)
        pending = None
    move_ = pending or Move(
        previous=old.id,
        retired=ids.mint_nonce(ctx.entropy),
        id=ids.mint_nonce(ctx.entropy),
        was=old.remote,
        remote=remote,
        mode=mode,
    )
    shown = authorities.probe(ctx.repository, _remote(ctx, old), names.of(old.mode))
    if shown != move_.retired:
        _floor(ctx, old, _free(ctx, old))
        moving.begin(common, move_)
    return _carried_out(ctx, old, move_)


def move_to(ctx: Context, old: Authority, remote: str) -> Moved:
    """Move to `remote` below refs/exo, or, where its server refuses such refs, as branches; raises as `move`."""
    pending = moving.under_way(ctx.place.common)
    if pending is not None and (pending.previous, pending.remote, pending.mode) == (old.id, remote, "branch"):
        return move(ctx, old, remote, "branch")  # found out by the call that was killed
    try:
        return move(ctx, old, remote, "refs")
    except LeaseUnsupported as error:
        done = move(ctx, old, remote, "branch")
        text = f"{error.message}; leases are kept as branches {names.BRANCHES.prefix}* instead"
        ctx.warn("LEASES_ARE_BRANCHES", text)
        return done


def finish(ctx: Context) -> None:
    """Tell both places of a move that is on record, if that is still to be done."""
    pending = moving.under_way(ctx.place.common)
    authority = ctx.view().authority()
    if pending is None or authority is None or authority.id == pending.previous != pending.id:
        return
    known = ctx.repository.settings.remotes()
    _told(ctx, tuple(name for name in dict.fromkeys((pending.remote, pending.was)) if name in known))
    moving.end(ctx.place.common)


def _carried_out(ctx: Context, old: Authority, planned: Move) -> Moved:
    common, remote = ctx.place.common, remotes.named(ctx.repository, planned.remote)
    new_id = authorities.establish(ctx.repository, remote, planned.id, names.of(planned.mode)).id
    new = Authority(id=new_id, remote=planned.remote, mode=planned.mode)
    planned = replace(planned, id=new_id)
    moving.begin(common, planned)
    is_same = new_id == old.id and new.mode == old.mode  # the same place under another name
    retired = old if is_same else replace(old, id=planned.retired)
    if not is_same:
        _retire(ctx, old, planned)
    try:
        surveys = (_free(ctx, retired), _free(ctx, new))
        floor = _floor(ctx, old, *surveys)
    except (LeaseHeld, LeaseDamaged, EpochSpent):
        _take_back(ctx, old, planned)
        raise
    data = AuthorityMoved(id=new.id, remote=new.remote, mode=new.mode, previous=old.id, floor=floor)

    def rule(view: View) -> Outcome:
        recorded = view.authority()
        if recorded is not None and recorded.id == new.id and recorded.remote == new.remote:
            return Outcome()
        return Outcome(events=(Draft(subject=SUBJECT, data=data),))

    ctx.transact(rule)
    finish(ctx)
    return Moved(new, tuple(sorted(surveys[0].leases)))


def _retire(ctx: Context, old: Authority, planned: Move) -> None:
    change = (planned.previous, planned.retired)
    moving.exchange(ctx.repository, _remote(ctx, old), names.of(old.mode), change)


def _take_back(ctx: Context, old: Authority, planned: Move) -> None:
    """Let the old place decide again."""
    change = (planned.retired, planned.previous)
    moving.exchange(ctx.repository, _remote(ctx, old), names.of(old.mode), change)
    moving.end(ctx.place.common)


def _free(ctx: Context, place: Authority) -> Survey:
    """Return the leases of a place where nobody holds any; LeaseHeld, LeaseDamaged."""
    refs = open_leases(ctx.repository, place, clock=ctx.boot_clock, operation=OPERATION)
    survey = refs.survey()
    held = sorted(ticket for ticket, seen in survey.leases.items() if seen.lease.state == "held")
    where = place.remote or "this repository"
    if held:
        holder = survey.leases[held[0]].lease.holder
        message = f"{len(held)} leases are held at {where}: {', '.join(held[:5])}"
        hint = "let their sessions finish, or take them over: exo leases shows who holds them"
        raise LeaseHeld(message, hint=hint, ticket=held[0], holder=holder.session, actor=holder.actor)
    if survey.damaged:
        ticket, why = next(iter(sorted(survey.damaged.items())))
        message = f"the lease of {ticket} at {where} cannot be read: {why}"
        raise LeaseDamaged(message, ticket=ticket)
    return survey


def _floor(ctx: Context, old: Authority, *surveys: Survey) -> int:
    """Return what every epoch at the new place stands above; EpochSpent when that leaves too few."""
    epochs = {ticket: seen.lease.epoch for survey in surveys for ticket, seen in survey.leases.items()}
    floor = max([ctx.view().top_epoch(), old.floor, *epochs.values()]) + 1
    if floor > EPOCH_MAX - EPOCHS_LEFT_MIN:
        where = next((f"the lease of {ticket}" for ticket, epoch in epochs.items() if epoch + 1 == floor), "the ledger")
        message = f"{where} names epoch {floor - 1}, which leaves too few above it for another place"
        raise EpochSpent(message, hint="exo leases and exo audit show who wrote it")
    return floor


def _remote(ctx: Context, place: Authority) -> Remote | None:
    return remotes.named(ctx.repository, place.remote) if place.remote is not None else None


def _told(ctx: Context, places: tuple[str, ...]) -> None:
    """Push the ledger to both places, so that whoever asks either one learns of the move; silence is a warning."""
    settings = ctx.view().config().sync
    for name in places:
        remote = remotes.named(ctx.repository, name)
        try:
            sync.sync(ctx.store, remote, timeout_seconds=settings.timeout_seconds, rounds_max=settings.max_rounds)
        except (Environment, Conflict) as error:
            ctx.warn_of(error)


def by_itself(ctx: Context, remote: Remote) -> None:
    """Move a local authority to the first remote that is synced with, if nobody could have counted on it.

    Not while a lease is held, nor when somebody else has written to the ledger: they may hold leases of their own.
    """
    finish(ctx)
    old = ctx.view().authority()
    if old is None or old.remote is not None or remote.name is None:
        return
    with ctx.store.locked():
        own = ctx.store.clone_id()
    if any(writer.partition("-")[0] != own for writer in ctx.view().writers()):
        return
    try:
        move_to(ctx, old, remote.name)
        ctx.warn("LEASES_MOVED", f"leases are decided at {remote} from now on")
    except (LeaseHeld, LeaseDamaged, EpochSpent):
        return
    except (Environment, Conflict) as error:
        ctx.warn_of(error)
