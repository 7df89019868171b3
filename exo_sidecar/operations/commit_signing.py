"""What git's hooks for messages do: a commit of a session names it, its ticket and its epoch.

They never stop a commit. Nothing is asked of the ledger: whoever works here is known from this machine's facts.
"""

from pathlib import Path
from typing import Final

from exo_sidecar.domain import trailers
from exo_sidecar.domain.trailers import Signed
from exo_sidecar.host import commit_messages
from exo_sidecar.operations.context import Context

_WRITTEN_LATER: Final = frozenset({"", "template"})
"""Sources of a message that somebody still has to write; who writes none wants no commit."""
_AGAIN: Final = "commit"
"""The message of another commit, taken up again: an amend."""
_COMMENTS_AUTO: Final = tuple("#;@!$%^&|:")
"""Of these git takes one that begins no line of the message."""


def sign(ctx: Context, path: str, source: str | None) -> None:
    """Put the trailers of the caller's session into the message at `path`.

    `source` is what git calls where the message comes from; None once it is written.
    """
    if ctx.place.in_mount:  # somebody's plain git on the governance branch
        return
    own = _own(ctx)
    if own is None or (source is not None and source in _WRITTEN_LATER):
        return
    file = Path(path) if Path(path).is_absolute() else ctx.repo / path
    found = trailers.parse(commit_messages.read(file))
    if source is None and _is_unwritten(ctx, found.text):
        return
    anew = source == _AGAIN and not commit_messages.is_moving(ctx.place.git_dir)
    wanted = trailers.wanted(found, own, is_written_anew=anew)
    if found.signed != wanted or found.has_doubles:
        lines = [line for each in wanted for line in each.lines]
        commit_messages.write(file, found.text, lines)


def _own(ctx: Context) -> Signed | None:
    """Return what the caller's session signs with, None outside of one, or where it is not clear which."""
    live = next((live for live in ctx.live.sessions if live.session == ctx.caller.session), None)
    if live is None or live.state != "active" or live.audit:
        return None
    return Signed(live.session, live.ticket, str(live.epoch) if live.epoch is not None else None)


def _is_unwritten(ctx: Context, text: str) -> bool:
    """Whether git makes no commit of the message: there are no words, or the user's template is untouched."""
    settings = ctx.repository.settings
    comment = settings.get(("core",), "commentString") or settings.get(("core",), "commentChar") or "#"
    comments = _COMMENTS_AUTO if comment == "auto" else (comment,)
    written = trailers.content(text, comments)
    return not written or written == trailers.content(_template(ctx), comments)


def _template(ctx: Context) -> str:
    named = ctx.repository.settings.get(("commit",), "template")
    if not named:
        return ""
    path = Path(named).expanduser()
    try:
        return (path if path.is_absolute() else ctx.repo / path).read_text(errors="surrogateescape")
    except OSError:
        return ""
