"""Bringing: the governance branch exchanged with several remotes in turn (docs/sync.md, "Several remotes").

One that does not answer costs a warning as long as another did. One whose ledger was refused stops no other, and is
then the answer. What a later one brought is taken to the earlier ones, so that one call leaves all of them even.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from exo_sidecar.git.remote import Remote
from exo_sidecar.model.errors import Conflict, Environment, ExoError, Integrity, NotFound
from exo_sidecar.operations.context import Context
from exo_sidecar.sync import distance
from exo_sidecar.sync.sync import Synced


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the exchange with one remote."""

    remote: str
    state: Literal["done", "failed"] = "done"
    code: str | None = None
    """The error's code when it failed."""
    reason: str | None = None
    fetched_events: int = 0
    pushed_events: int = 0
    merged: bool = False
    rounds: int = 0
    ahead: int = 0
    behind: int = 0
    """As far apart as both are after the whole call."""


def bring(ctx: Context, others: Sequence[Remote], one: Callable[[Remote], Synced]) -> tuple[Brought, ...]:
    """Exchange with each remote by `one`, and again with those that a later one has left behind.

    Raises:
        What `one` raised: of the only remote; of the first, when none answered; when a remote's ledger was refused.
    """
    if len(others) == 1:
        return (_with_distance(ctx, _told(str(others[0]), one(others[0]))),)
    troubles: dict[str, ExoError] = {}
    found = {str(each): _tried(ctx, each, one, troubles) for each in others}
    tip = ctx.governed.tip()
    for each in others[:-1]:
        if str(each) not in troubles and _last_seen(ctx, each) != tip:
            found[str(each)] = _joined(found[str(each)], _tried(ctx, each, one, troubles))
    refused = [error for error in troubles.values() if isinstance(error, Integrity)]
    if refused or len(troubles) == len(others):
        raise next(iter((*refused, *troubles.values())))
    return tuple(_with_distance(ctx, each) for each in found.values())


def _tried(ctx: Context, remote: Remote, one: Callable[[Remote], Synced], troubles: dict[str, ExoError]) -> Brought:
    try:
        return _told(str(remote), one(remote))
    except (Conflict, Environment, Integrity, NotFound) as error:
        troubles[str(remote)] = error
        ctx.warn(error.code, f"{remote}: {error.message}{f' ({error.hint})' if error.hint else ''}")
        return Brought(remote=str(remote), state="failed", code=error.code, reason=error.message)


def _told(remote: str, done: Synced) -> Brought:
    return Brought(
        remote=remote,
        fetched_events=done.fetched_events,
        pushed_events=done.pushed_events,
        merged=done.merged,
        rounds=done.rounds,
    )


def _joined(first: Brought, second: Brought) -> Brought:
    """Return both exchanges with one remote as one; the second says how it ended."""
    return msgspec.structs.replace(
        second,
        fetched_events=first.fetched_events + second.fetched_events,
        pushed_events=first.pushed_events + second.pushed_events,
        merged=first.merged or second.merged,
        rounds=first.rounds + second.rounds,
    )


def _with_distance(ctx: Context, brought: Brought) -> Brought:
    apart = distance.measure(ctx.governed, brought.remote)
    return msgspec.structs.replace(brought, ahead=apart.ahead, behind=apart.behind)


def _last_seen(ctx: Context, remote: Remote) -> str | None:
    return ctx.repository.refs.read(distance.tracking_ref(ctx.governed, str(remote)))
