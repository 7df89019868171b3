"""By a person: what agents may not do, and what nobody does without saying why (docs/architecture.md, "Who acts")."""

from exo_sidecar.domain import wording
from exo_sidecar.domain.holding import HumanRequired
from exo_sidecar.model.errors import Usage
from exo_sidecar.operations.context import Context


class ReasonRequired(Usage):
    """What goes against somebody's will is done with a reason that they can read."""

    code = "REASON_REQUIRED"
    advice = 'say why: --reason "..."'


def require(ctx: Context, what: str, command: str) -> None:
    """Refuse what only a person does, `what` in words, `command` as they would type it; HumanRequired."""
    if not ctx.is_person:
        message = f"only a person {what}"
        raise HumanRequired(message, hint=f"ask a person to run {command}")


def reason(given: str | None, what: str) -> str:
    """Return why it is done; ReasonRequired when nothing is said."""
    text = wording.passage("reason", given or "")
    if not text.strip():
        message = f"{what} needs a reason"
        raise ReasonRequired(message)
    return text
