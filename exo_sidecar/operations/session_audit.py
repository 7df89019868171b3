"""Audits: a session that only looks on, beside whoever works."""

from typing import Annotated

from exo_sidecar.model.opening import Work
from exo_sidecar.operations import session_auditing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, operation, param
from exo_sidecar.operations.session_auditing import AuditStarted


class SessionAudit(Params, frozen=True, kw_only=True):
    """Parameters of `session-audit`."""

    ticket_id: Annotated[str, param("Ticket to look at, whatever its status", metavar="ID", completes="ticket")]
    vendor: Annotated[str, param("Who makes the model that looks")] = "unknown"
    model: Annotated[str, param("The model that looks")] = "unknown"
    context_window: Annotated[int | None, param("The model's context window, in tokens", metavar="N")] = None
    role: Annotated[str, param("The role it looks in; it writes nothing in any", metavar="NAME")] = "Reviewer"
    task: Annotated[str | None, param("What to look for", stdin=True)] = None
    topic: Annotated[str, param("The topic it belongs to")] = "repo:default"
    pr_base: Annotated[str | None, param("Where the range to look at begins; the default branch", metavar="REF")] = None
    pr_head: Annotated[str | None, param("Where the range to look at ends; HEAD", metavar="REF")] = None
    persona: Annotated[
        str | None, param("A file of this checkout that says how to look", metavar="PATH", completes="path")
    ] = None
    no_sync: Annotated[bool, param("Neither fetch before nor push after")] = False
    tokens: Annotated[int | None, param("Longest bootstrap, in tokens", metavar="N")] = None


@operation(Panel.SESSIONS, writes=True, network=True)
def run(ctx: Context, params: SessionAudit) -> AuditStarted:
    """Start an audit of a ticket: a session that looks on, without its lease, beside whoever works.

    Its fence denies all writes. Its bootstrap leaves out what the writer said, tells what an audit is for and who wrote
    last, and with --pr-base or --pr-head what the commits of that range are. exo session-finish ends it: no check runs,
    and the ticket stays where it is.
    """
    wish = session_auditing.Wish(
        ticket=params.ticket_id,
        work=Work(params.role, params.vendor, params.model, params.context_window, params.task, params.topic),
        base=params.pr_base,
        head=params.pr_head,
        persona=params.persona,
        sync=not params.no_sync,
        tokens=params.tokens,
    )
    return session_auditing.start(ctx, wish)
