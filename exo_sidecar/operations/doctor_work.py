"""What `doctor` looks at where work is under way: the sessions of this clone, and their leases."""

from collections.abc import Iterator

from exo_sidecar.domain.provisional import lost
from exo_sidecar.host import ancestry, live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.leases.seen import Survey
from exo_sidecar.model import duration
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.finding import Finding, Severity
from exo_sidecar.model.session import OfflineClaim
from exo_sidecar.operations import keepalive, session_facts
from exo_sidecar.operations.doctor_exam import Exam, Looked

_WORKING = frozenset({"active", "reserved"})


def sessions(exam: Exam) -> Looked:
    """Look at what this machine knows of its sessions, and whether anybody still works in them."""
    live = exam.ctx.live.sessions
    found = [*exam.ctx.live.findings]
    for one in live:
        found += _session(exam, one)
    unconfirmed = session_facts.unconfirmed(exam.ctx, exam.view)
    found += [
        _warning("FINISH_UNCONFIRMED", one, f"the end of {one.session} on {one.ticket} is not confirmed", "exo sync")
        for one in unconfirmed
    ]
    return Looked(found, f"{len(live)} in this clone")


def _session(exam: Exam, live: LiveSession) -> Iterator[Finding]:
    if live_sessions.is_claiming(exam.ctx.place.common, live.session):
        return
    record = session_facts.record_of(exam.view, live)
    if record is None and live.state != "lost":
        message = f"{live.session} is noted in this clone, and the ledger knows nothing of it"
        yield Finding(
            code="SESSION_LEFTOVER",
            severity="info",
            subject=live.session,
            message=message,
            hint="exo next or exo session-start forgets it",
            file=f"exo/sessions/{live.session}.json",
        )
    if record is None or record.status not in {"active", "reserved", "suspended"} or live.state not in _WORKING:
        return
    ways_out = f"exo session-finish --session {live.session} --summary TEXT ends it"
    if record.status == "reserved":
        ways_out = f"exo session-start --ticket-id {live.ticket} goes on"
    hint = f"{ways_out}; exo session-cleanup ends what is dead, and gives its ticket back"
    now = exam.ctx.boot_clock()
    age = live.heartbeat_age(now)
    if live.process is not None and (age is None or ancestry.liveness(live.process) == "dead"):
        when = "before this machine was restarted" if age is None else "by now"
        message = f"{live.actor} in {live.session} on {live.ticket}: its process has ended {when}"
        yield _warning("SESSION_DEAD", live, message, hint)
    elif age is not None and age > exam.stale_seconds:
        message = f"{live.session} on {live.ticket} by {live.actor} was silent for {duration.show(int(age))}"
        yield _warning("SESSION_STALE", live, message, hint)


def _is_at_work(exam: Exam, live: LiveSession) -> bool:
    """Whether this machine and the ledger agree that it counts on its lease; a call that ends it writes one first."""
    record = session_facts.record_of(exam.view, live)
    return live.state in _WORKING and record is not None and record.status in _WORKING


def leases(exam: Exam) -> Looked:
    """Look at the leases: what this clone holds, or believes to hold, against what the authority shows."""
    if exam.authority is None:
        missing = Finding(
            code="AUTHORITY_MISSING",
            severity="error",
            subject="authority",
            message="the governance branch names no place that decides about leases",
            hint="exo sidecar-init chooses one",
        )
        return Looked([missing])
    where = exam.authority.remote or "this repository"
    found = [each for live in exam.ctx.live.sessions for each in _known_here(exam, live)]
    if isinstance(exam.survey, ExoError):
        return Looked(found, f"not asked: {exam.survey.message}", checked=False)
    found += _against(exam, exam.survey)
    held = sum(1 for seen in exam.survey.leases.values() if seen.lease.state == "held")
    return Looked(found, f"{held} held, as {where} shows")


def _known_here(exam: Exam, live: LiveSession) -> Iterator[Finding]:
    """Yield what is known of a session's lease without asking anybody."""
    if live.lost is not None:
        claim = OfflineClaim(session=live.session, ticket=live.ticket, nonce=live.claim or "", lost=live.lost)
        refusal = lost(claim)
        yield Finding(
            code=refusal.code, severity="error", subject=live.ticket, message=refusal.message, hint=refusal.hint
        )
    elif live.claim is not None:
        message = f"{live.ticket} was taken offline by {live.session}: provisional, not confirmed by the authority"
        yield _warning("PROVISIONAL_LEASE", live, message, "exo sync asks for it")
    trouble = keepalive.trouble(exam.ctx, live.session) if _is_at_work(exam, live) else None
    if trouble is not None:
        hint = "exo leases shows who has it now" if trouble.is_lost else "exo lease-heartbeat tries again, and says why"
        severity: Severity = "error" if trouble.is_lost else "warning"
        yield Finding(code=trouble.code, severity=severity, subject=live.ticket, message=trouble.message, hint=hint)


def _against(exam: Exam, survey: Survey) -> Iterator[Finding]:
    for live in exam.ctx.live.sessions:
        if not _is_at_work(exam, live) or live.claim is not None or live.epoch is None:
            continue
        seen = survey.leases.get(live.ticket)
        holder = seen.lease.holder if seen is not None and seen.lease.state == "held" else None
        if live.ticket in survey.damaged or (holder is not None and holder.session == live.session):
            continue
        has = f"{holder.actor} has it in {holder.session}" if holder else "nobody has it"
        yield Finding(
            code="LEASE_LOST",
            severity="error",
            subject=live.ticket,
            message=f"{live.session} no longer holds {live.ticket}: {has}",
            hint=f"exo session-finish --session {live.session} --summary TEXT ends it; exo leases shows who has it",
        )
    for ticket, why in sorted(survey.damaged.items()):
        yield Finding(
            code="LEASE_DAMAGED",
            subject=ticket,
            message=f"the lease of {ticket} cannot be read, so nobody gets it: {why}",
            hint=f"a person takes it over: exo lease-takeover --ticket-id {ticket} --force --reason TEXT",
        )


def _warning(code: str, live: LiveSession, message: str, hint: str) -> Finding:
    return Finding(code=code, subject=live.session, message=message, hint=hint)
