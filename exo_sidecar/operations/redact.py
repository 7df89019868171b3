"""Redacting an event: what it held goes from the branch, everywhere; that it was, and who took it out, stays."""

from typing import Annotated, Final

from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.event import REASON_MAX, Draft
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.operations import by_person
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.sync import take_in_edits
from exo_sidecar.store import redaction
from exo_sidecar.store.redaction import Planned

_SHOWN_MAX: Final = 10


class Redact(Params, frozen=True, kw_only=True):
    """Parameters of `redact`."""

    event: Annotated[str, param("The event, as CLONE:NUMBER; see exo ticket-show ID --history", positional=True)]
    reason: Annotated[str, param("Why; it stands in the place of what is taken out", stdin=True)]


class Redacted(Result, frozen=True, kw_only=True):
    """An event whose contents are taken out."""

    event: str
    digest: str
    """The event's own digest, which its successor names."""
    type: str
    subject: str
    reason: str
    already: bool
    """Whether it had been redacted before; nothing was written then."""
    together: tuple[str, ...]
    """Other events of the same call: what was given to it may stand in them, too."""


@operation(Panel.GOVERNANCE, writes=True, destructive=True, idempotent=True)
def run(ctx: Context, params: Redact) -> Redacted:
    """Take out what an event holds: its line keeps who, when and what about, and loses parameters and data.

    For people only. What the event did is undone, in every clone from its next sync on. Events of leases and of their
    authority stay. Git's history of the branch still has the old line, here and on every remote, until sidecar-compact
    and git's own clean-up have run in each; a secret that was pushed is to be changed in any case.
    """
    by_person.require(ctx, "redacts an event", "exo redact EVENT --reason")
    reason = by_person.reason(params.reason, "a redaction")
    if len(reason) > REASON_MAX:
        message = f"reason has {len(reason)} characters; at most {REASON_MAX} are allowed"
        raise ValueInvalid(message, hint="shorten it", parameter="reason")
    if not ctx.dry_run:
        take_in_edits(ctx)
    planned = redaction.planned(ctx.store.view().index.db, params.event, reason)
    if not planned.already:
        ctx.transact(lambda _: Outcome(events=(Draft(subject=planned.data.event, data=planned.data),)))
    _tell(ctx, planned)
    return Redacted(
        event=planned.data.event,
        digest=planned.data.digest,
        type=planned.type,
        subject=planned.subject,
        reason=planned.data.reason,
        already=planned.already,
        together=planned.together,
    )


def _tell(ctx: Context, planned: Planned) -> None:
    if any(each.code == "RENDER_NEWER" for each in ctx.view().findings()):
        ctx.warn("REDACTED_FILES_LEFT", "files of the branch may show it until a newer exo computes them: update exo")
    if planned.together:
        named = ", ".join(planned.together[:_SHOWN_MAX])
        ctx.warn("REDACT_MORE", f"the same call wrote {named}; what was given to it may stand there, too")
    if planned.type == "ticket.created" and not planned.already:
        ticket = planned.subject
        ctx.warn(
            "TICKET_GONE",
            f"{ticket} is gone with the event that created it (exo ticket-create --id {ticket} brings the rest back)",
        )
