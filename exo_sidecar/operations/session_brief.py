"""The brief of a session: its bootstrap, made from the view and what this machine knows."""

from typing import Final

from exo_sidecar.domain import bootstrap, fence, hierarchy
from exo_sidecar.domain.bootstrap import Facts, Sibling
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model import instant
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context

SIBLINGS_MAX: Final = 20
TOKENS_MIN: Final = 100


def compose(ctx: Context, view: View, session: SessionRecord, live: LiveSession | None, tokens: int | None) -> str:
    """Return the bootstrap of `session`, at most `tokens` long (None: as configured)."""
    record = view.ticket(session.ticket)
    if record is None:
        return ""
    budget = view.config().bootstrap.max_tokens if tokens is None else max(tokens, TOKENS_MIN)
    return bootstrap.prompt(_facts(ctx, view, session, record, live), budget)


def _facts(ctx: Context, view: View, session: SessionRecord, record: TicketRecord, live: LiveSession | None) -> Facts:
    above = hierarchy.ancestors(view, record.ticket)
    left = live.lease_seconds_left(ctx.boot_clock()) if live else None
    return Facts(
        session=session,
        ticket=record,
        intent=above[-1] if above else None,
        scope=fence.scope(view, record),
        boundary=fence.boundary(view, record),
        lease_seconds_left=None if left is None else int(left),
        siblings=_siblings(view, session, ctx.now),
        prior=next(iter(view.sessions(ticket=record.id, statuses=("finished",), limit=1)), None),
        now=ctx.now,
    )


def _siblings(view: View, session: SessionRecord, now: Instant) -> tuple[Sibling, ...]:
    found: list[Sibling] = []
    for other in view.sessions(statuses=("active",), limit=SIBLINGS_MAX + 1):
        record = view.ticket(other.ticket)
        if other.id == session.id or record is None:
            continue
        found.append(Sibling(other, fence.scope(view, record), _age(other, now)))
    return tuple(found[:SIBLINGS_MAX])


def _age(session: SessionRecord, now: Instant) -> int:
    if session.started_at is None:
        return 0
    return max(0, instant.epoch_seconds(now) - instant.epoch_seconds(Instant(session.started_at)))
