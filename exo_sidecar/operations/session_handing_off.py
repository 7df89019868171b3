"""How a session hands its ticket on: it ends, and leaves a record for the actor that it names, in whichever clone."""

from typing import Final, NamedTuple

from exo_sidecar.domain import fence, handoffs, wording
from exo_sidecar.domain.handoffs import Handing
from exo_sidecar.domain.provisional import lost
from exo_sidecar.domain.sessions import Ending
from exo_sidecar.git import refnames
from exo_sidecar.model import actor as actors
from exo_sidecar.model import ids, instant
from exo_sidecar.model.errors import ActorInvalid
from exo_sidecar.model.handoff import Handoff
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import Scope
from exo_sidecar.model.view import View
from exo_sidecar.operations import reconciling, session_finishing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.session_checks import PassedOver
from exo_sidecar.operations.session_finishing import Manner, SessionFinished

FAILED_MAX: Final = 50
"""Things that were tried; together with their length they keep the event's line far below its limit."""
_HOUR_SECONDS: Final = 3600


class Wish(NamedTuple):
    """A handoff as it is asked for."""

    to: str
    summary: str
    reason: str | None
    next_step: str | None
    failed: tuple[str, ...]
    ticket: str | None
    break_glass_reason: str | None


class SessionHandedOff(SessionFinished, frozen=True, kw_only=True):
    """A session that ended and named who goes on."""

    handoff_id: str
    to: str
    reserved_until: str
    """Until then nobody else takes the ticket."""


def hand_off(ctx: Context, wish: Wish) -> SessionHandedOff:
    """End the caller's session and leave its ticket, paused, to somebody."""
    to = addressee(wish.to)
    reconciling.settle(ctx, handoffs.OPERATION)
    if ctx.claim is not None and ctx.claim.lost is not None:
        raise lost(ctx.claim)
    view = ctx.view()
    ticket = view.find_ticket(wish.ticket).id if wish.ticket else None
    session = session_finishing.meant(ctx, view, ticket)
    handoff_id = ids.mint_handoff(ctx.entropy)
    until = instant.after(ctx.now, view.config().handoff.reserve_hours * _HOUR_SECONDS)
    failed = tuple(wording.line("failed", each, longest=wording.MEMBER_MAX) for each in wish.failed)[:FAILED_MAX]

    def rule(now: View, session_id: SessionId, ending: Ending) -> Outcome:
        said, scope = ending.finish, _scope(now, session_id)
        content = Handoff(
            to=to,
            summary=said.summary,
            reserved_until=until,
            reason=ending.reason,
            next_step=said.next_step,
            failed=failed,
            branch=said.branch,
            head=said.head,
            uncommitted=said.uncommitted,
            allow=scope.allow,
            deny=scope.deny,
            checks=tuple(f"{each.id}: {each.verdict}" for each in said.checks),
        )
        return handoffs.hand_on(now, session_id, ending, Handing(handoff_id, content))

    finish = session_finishing.Wish(
        summary=wish.summary,
        ticket=wish.ticket,
        status=handoffs.status_after(view, session.ticket),
        reason=wish.reason,
        next_step=wish.next_step,
        artifacts=(),
        blockers=(),
        errors=(),
        lesson=None,
        keep_lease=False,
        over=PassedOver(wanted=wish.break_glass_reason is not None, reason=wish.break_glass_reason),
    )
    ended = session_finishing.finish(ctx, finish, Manner(handoffs.OPERATION, rule))
    _tell_what_stays(ctx, ended)
    told = {name: getattr(ended, name) for name in SessionFinished.__struct_fields__}
    return SessionHandedOff(**told, handoff_id=handoff_id, to=to, reserved_until=until)


def addressee(text: str) -> str:
    """Return whom a handoff is for: an actor (a bare name is a person's), or every actor of a kind; ActorInvalid."""
    if not text.endswith("*"):
        return actors.parse(text)
    if not handoffs.is_addressee(text):
        message = f"{text[:80]!r} names nobody"
        raise ActorInvalid(message, hint="agent:* is any agent, human:* any person")
    return text


def _scope(view: View, session_id: SessionId) -> Scope:
    session = view.session(session_id)
    record = view.ticket(session.ticket) if session else None
    return fence.scope(view, record) if record is not None else Scope()


def _tell_what_stays(ctx: Context, ended: SessionFinished) -> None:
    """Warn of work that the addressee does not get: files that are not committed, commits that are not pushed."""
    if ended.uncommitted:
        message = f"{len(ended.uncommitted)} files are not committed: they stay in this clone"
        ctx.warn("HANDOFF_UNCOMMITTED", message)
    session = ctx.view().session(ended.session_id)
    finish = session.finish if session else None
    branch, head = (finish.branch, finish.head) if finish else (None, None)
    remotes = ctx.repository.settings.remotes()
    if not ended.commits or branch is None or head is None or not remotes:
        return
    names = (f"refs/remotes/{remote}/{branch}" for remote in remotes)
    if not any(refnames.is_valid(name) and ctx.repository.refs.read(name) == head for name in names):
        message = f"{branch} at {head[:12]} is on no remote, as far as is known here: git push takes it there"
        ctx.warn("HANDOFF_UNPUSHED", message)
