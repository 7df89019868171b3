"""How an audit begins and ends: written down, told what it is for, and nothing taken from whoever works."""

from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base import files
from exo_sidecar.domain import auditing, wording
from exo_sidecar.domain.bootstrap_audit import Audited, Range
from exo_sidecar.host import ancestry, checkout, live_sessions
from exo_sidecar.host.caller import Caller
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model import ids
from exo_sidecar.model.errors import ExoError, ValueInvalid
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.opening import Work
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import (
    exchange,
    policy_keeping,
    range_report,
    session_brief,
    session_facts,
    session_shown,
    worktree_making,
)
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.policy_keeping import PolicyShown
from exo_sidecar.operations.range_report import RangeReport
from exo_sidecar.operations.session_branching import BranchShown
from exo_sidecar.operations.session_brief import Wanted
from exo_sidecar.operations.session_starting import SessionStarted
from exo_sidecar.store import prompt

PERSONA_BYTES_MAX: Final = 64 * 1024


class Wish(NamedTuple):
    """An audit as it is asked for."""

    ticket: str
    work: Work
    """What it says of itself, in words that nobody has looked at yet."""
    base: str | None
    head: str | None
    persona: str | None
    sync: bool
    tokens: int | None


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever worked on a ticket last."""

    session: str
    actor: str
    vendor: str
    model: str


class AuditStarted(SessionStarted, frozen=True, kw_only=True):
    """An audit at work."""

    writer: Writer | None
    """None: nobody has worked on the ticket."""
    pr_report: RangeReport | None
    """The commits of the range that was named."""


class _Looked(NamedTuple):
    """What the audit looks at."""

    audited: Audited
    report: RangeReport | None
    policy: PolicyShown


def start(ctx: Context, wish: Wish) -> AuditStarted:
    """Start an audit, or return the one that the same actor has on the same ticket in this worktree."""
    session_facts.worktree_of(ctx)
    sync = exchange.pull(ctx) if wish.sync else exchange.skipped("--no-sync")
    policy = policy_keeping.at_start(ctx)
    view = ctx.view()
    record = view.find_ticket(wish.ticket)
    report = _report(ctx, view, record, wish)
    told = Audited(auditing.last_writer(view, record.id), _counted(report), _persona(ctx, wish))
    looked = _Looked(told, report, policy)
    known = _known(ctx, view, record)
    if known is not None:
        ctx.caller = Caller(ctx.caller.actor, known.session)
        live = known if ctx.dry_run else session_facts.beat(ctx, known)
        return msgspec.structs.replace(_result(ctx, view, wish, live, looked), reused=True, sync=sync)
    live = _live(ctx, record)
    ctx.caller = Caller(ctx.caller.actor, live.session)
    view = _written(ctx, wish, live)
    if wish.sync:
        sync = exchange.push(ctx)
    return msgspec.structs.replace(_result(ctx, view, wish, live, looked), sync=sync)


def _written(ctx: Context, wish: Wish, live: LiveSession) -> View:
    """Write the beginning; this machine knows of the session before anybody else does, and forgets it if that fails."""
    head = checkout.head(ctx.place)
    work = wording.work(wish.work)._replace(branch=head.branch, base=head.commit)
    if ctx.dry_run:
        return ctx.transact(lambda now: auditing.start(now, live.ticket, live.session, work))
    common = ctx.place.common
    begun = msgspec.structs.replace(live, state="claiming", call=ancestry.this_process())
    live_sessions.write(common, begun)
    try:
        view = ctx.transact(lambda now: auditing.start(now, live.ticket, live.session, work))
    except ExoError:
        live_sessions.remove(common, live.session)
        raise
    live_sessions.write(common, live)
    return view


def _known(ctx: Context, view: View, record: TicketRecord) -> LiveSession | None:
    """Return the audit that this actor has of the ticket in this worktree, None when there is none."""
    here = session_facts.in_worktree(session_facts.living(ctx, view, "active"), session_facts.worktree_of(ctx))
    fitting = session_facts.on_ticket(here, record.id)
    return next((live for live in fitting if live.audit and live.actor == ctx.caller.actor), None)


def _live(ctx: Context, record: TicketRecord) -> LiveSession:
    now = ctx.boot_clock()
    return LiveSession(
        session=SessionId(ids.mint_session(ctx.entropy)),
        ticket=record.id,
        actor=ctx.caller.actor,
        state="active",
        worktree=str(session_facts.worktree_of(ctx)),
        process=ancestry.agent_ancestor(),
        boot_id=now.boot_id,
        heartbeat=now.seconds,
        audit=True,
    )


def _report(ctx: Context, view: View, record: TicketRecord, wish: Wish) -> RangeReport | None:
    """Return the commits of the range that is named, None when none is; RefUnknown."""
    if wish.base is None and wish.head is None:
        return None
    base = wish.base
    if base is None:
        base = worktree_making.base_commit(ctx, view.config(), None)[1]
    return range_report.of_range(ctx, view, record, base, "HEAD" if wish.head is None else wish.head)


def _counted(report: RangeReport | None) -> Range | None:
    if report is None:
        return None
    counts = (report.commit_count, report.unsigned, report.file_count)
    return Range(report.base, report.head, *counts, report.out_of_scope)


def _persona(ctx: Context, wish: Wish) -> str | None:
    """Return what the persona's file says; ValueInvalid for one that is not here, too large, or outside."""
    if wish.persona is None:
        return None
    try:
        data = files.read_beneath(session_facts.worktree_of(ctx), wish.persona, limit_bytes=PERSONA_BYTES_MAX)
        text = data.decode() if data is not None else None
    except (OSError, ValueError) as error:
        message = f"the persona {wish.persona!r} cannot be read as a text of this checkout: {error}"
        raise ValueInvalid(message, parameter="persona") from error
    if text is None:
        message = f"there is no file {wish.persona!r} in this checkout"
        raise ValueInvalid(message, parameter="persona")
    return text


def _result(ctx: Context, view: View, wish: Wish, live: LiveSession, looked: _Looked) -> AuditStarted:
    session, ticket = view.session(live.session), view.find_ticket(live.ticket)
    if session is None:  # it was written a moment ago, and only its own clone ends it
        message = f"{live.session} is in no record"
        raise ValueInvalid(message, parameter="session")
    told = session_brief.brief(ctx, view, session, live, Wanted(wish.tokens, audited=looked.audited))
    path = None if ctx.dry_run else str(prompt.write_bootstrap(ctx.governed, session.id, told.text))
    return AuditStarted(
        session=session_shown.shown(session),
        ticket=ticket.ticket,
        lease=None,
        bootstrap_path=path,
        bootstrap_prompt=told.text,
        advisories=told.advisories,
        reused=False,
        branch=BranchShown(wanted=None, actual=checkout.head(ctx.place).branch),
        worktree=live.worktree,
        policy=looked.policy,
        sync=exchange.skipped("nothing was written"),
        writer=_shown(looked.audited.writer),
        pr_report=looked.report,
    )


def _shown(writer: SessionRecord | None) -> Writer | None:
    if writer is None:
        return None
    return Writer(session=writer.id, actor=writer.actor, vendor=writer.vendor, model=writer.model)
