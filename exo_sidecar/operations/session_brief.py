"""The brief of a session: its bootstrap, made from the view and what this machine knows."""

from typing import Final, NamedTuple

from exo_sidecar.domain import bootstrap, checks, fence, hierarchy, holding, reflections, told_rules
from exo_sidecar.domain import policy as domain_policy
from exo_sidecar.domain.bootstrap import Facts, Sibling
from exo_sidecar.domain.bootstrap_audit import Audited
from exo_sidecar.git.locate import main_worktree
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model import instant
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.advisory import Advisory
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.reflection import GLOBAL
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_advice
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.session_advice import Advice

SIBLINGS_MAX: Final = 20
TOKENS_MIN: Final = 100
_LOOKED_AT_MAX: Final = 10
"""Sessions that are looked through for one that began; reservations that were given back have nothing to say."""


class Brief(NamedTuple):
    """What a session is told when it begins or goes on."""

    text: str
    """The bootstrap."""
    advisories: tuple[Advisory, ...]


class Wanted(NamedTuple):
    """What a bootstrap is to be like, and what its call has to add."""

    tokens: int | None
    """At most so long; None: as configured."""
    notices: tuple[str, ...] = ()
    """Sentences on the policy."""
    audited: Audited | None = None
    """What an audit looks at: nothing is told of what the writer said about it."""


def brief(ctx: Context, view: View, session: SessionRecord, live: LiveSession | None, wanted: Wanted) -> Brief:
    """Return the bootstrap of `session`, and the advice that is in it."""
    record = view.ticket(session.ticket)
    if record is None:
        return Brief("", ())
    tokens = view.config().bootstrap.max_tokens if wanted.tokens is None else max(wanted.tokens, TOKENS_MIN)
    advice = session_advice.of(ctx, view, session, live, wanted.notices)
    facts = _facts(ctx, view, session, record, live, advice)
    if wanted.audited is not None:
        facts = facts._replace(audited=wanted.audited, prior=None, learnings=())
    return Brief(bootstrap.prompt(facts, tokens), advice.advisories)


def _facts(
    ctx: Context, view: View, session: SessionRecord, record: TicketRecord, live: LiveSession | None, advice: Advice
) -> Facts:
    above = hierarchy.ancestors(view, record.ticket)
    left = live.lease_seconds_left(ctx.boot_clock()) if live else None
    scope = fence.scope(view, record)
    return Facts(
        session=session,
        ticket=record,
        intent=above[-1] if above else None,
        scope=scope,
        boundary=fence.boundary(view, record),
        lease_seconds_left=None if left is None else int(left),
        siblings=_siblings(view, session, ctx.now),
        prior=_prior(view, session),
        learnings=reflections.told(
            view, (GLOBAL, record.id, *(each.id for each in above)), view.config().bootstrap.max_learnings
        ),
        now=ctx.now,
        checks=checks.wanted(record, view),
        rules=told_rules.touching(domain_policy.seal_at(view), scope, record.ticket.type, Actor(session.actor)),
        handoff=view.handoff_taken_by(session.id),
        advisories=advice.advisories,
        machine=advice.machine,
        worktree=_linked(ctx, live),
    )


def _prior(view: View, session: SessionRecord) -> SessionRecord | None:
    """Return the session whose words are worth hearing: one that began, and did not hand on to this one."""
    taken = view.handoff_taken_by(session.id)
    for other in view.sessions(ticket=session.ticket, statuses=("finished",), limit=_LOOKED_AT_MAX):
        if other.started_at is not None:
            return None if taken is not None and taken.session == other.id else other
    return None


def _linked(ctx: Context, live: LiveSession | None) -> str | None:
    """Return the linked worktree that the session works in, None for the main one."""
    if live is None or live.worktree == str(main_worktree(ctx.place)):
        return None
    return live.worktree


def _siblings(view: View, session: SessionRecord, now: Instant) -> tuple[Sibling, ...]:
    found: list[Sibling] = []
    for other in view.sessions(statuses=("active",), limit=SIBLINGS_MAX + 1):
        record = view.ticket(other.ticket)
        if other.id == session.id or other.is_audit or record is None or holding.is_overtaken(view, other):
            continue
        found.append(Sibling(other, fence.scope(view, record), _age(other, now)))
    return tuple(found[:SIBLINGS_MAX])


def _age(session: SessionRecord, now: Instant) -> int:
    if session.started_at is None:
        return 0
    return max(0, instant.seconds_between(session.started_at, now))
