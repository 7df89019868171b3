"""Prompts: how to begin and how to end, in words that a person can hand to an agent."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

_VALUE_MAX: Final = 2000


class _Entry(NamedTuple):
    title: str
    description: str
    argument: PromptArgument
    text: str


_START: Final = """\
Start governed work{subject}.
1. Call exo_status to see where things stand.
2. {claim}
3. Call exo_session_start with that ticket. Read the whole bootstrap that it returns: the task, the fence, the rules.
4. Work only inside the fence, on the branch it names. When you cannot go on, call exo_session_finish and say why.
"""
_FINISH: Final = """\
Finish the governed session.
1. Make sure that all work is committed on the session's branch, and that its checks pass.
2. Call exo_session_finish with a summary of what was done and what remains{subject}.
3. When it is refused, follow the hint of the error; do not try to get around it.
"""
_ENTRIES: Final = {
    "start": _Entry(
        "Start work",
        "Claim a ticket and start a session on it",
        PromptArgument(name="ticket_id", description="Ticket to work on; without it the best free one", required=False),
        _START,
    ),
    "finish": _Entry(
        "Finish work",
        "End the session with a summary",
        PromptArgument(name="summary", description="What was done, to begin the summary with", required=False),
        _FINISH,
    ),
}


def every() -> tuple[Prompt, ...]:
    """Return what can be asked for."""
    return tuple(
        Prompt(name=name, title=entry.title, description=entry.description, arguments=[entry.argument])
        for name, entry in _ENTRIES.items()
    )


def get(name: str, arguments: Mapping[str, str]) -> GetPromptResult:
    """Return a prompt with its argument filled in; MCPError for a name that does not exist."""
    entry = _ENTRIES.get(name)
    if entry is None:
        raise MCPError(INVALID_PARAMS, f"there is no prompt {name[:60]!r}")
    given = " ".join(arguments.get(entry.argument.name, "").split())[:_VALUE_MAX]
    if name == "start":
        subject = f" on {given}" if given else ""
        claim = f"Call exo_next with ticket_id {given}." if given else "Call exo_next to claim the best free ticket."
        text = entry.text.format(subject=subject, claim=claim)
    else:
        text = entry.text.format(subject=f", beginning with: {given}" if given else "")
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=entry.description, messages=[message])
