"""Commits at the end of a session: its own, by what they change, and what its branch holds of others."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from exo_sidecar.domain import fence
from exo_sidecar.git.locate import Place
from exo_sidecar.host import checkout, inheritance, patches
from exo_sidecar.model.drift import PATH_MAX, SHOWN_MAX
from exo_sidecar.model.errors import Environment, Integrity, NotFound
from exo_sidecar.model.session import Finish, Inherited, SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_drift, session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.session_drift import Measured


class InheritedShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a session's branch holds of others."""

    commits: int
    files: int
    out_of_scope: tuple[str, ...]
    """The first of the files that lie outside of the ticket's fence."""


def noted(ctx: Context, view: View, session: SessionRecord, measured: Measured, said: Finish) -> Finish:
    """Return the session's words with what its commits change and its files are; what cannot be told says why."""
    try:
        place = session_facts.place_of(ctx, session.id)
        if place.worktree is None:
            return said
        said = replace(said, artifacts=_artifacts(place.worktree, said.artifacts))
        if measured.changes is None:
            return replace(said, commits_error=measured.drift.error)
        return replace(
            said,
            patch_ids=patches.ids(place.worktree, said.commits),
            inherited=_inherited(view, place, session, measured),
        )
    except (Environment, Integrity, NotFound) as error:
        ctx.warn_of(error)
        return replace(said, commits_error=error.message)


def shown(found: Inherited | None) -> InheritedShown | None:
    """Return what was inherited as reports show it."""
    if found is None:
        return None
    return InheritedShown(commits=found.commits, files=found.files, out_of_scope=found.out_of_scope)


def _artifacts(worktree: Path, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return what came of the session, each file of the checkout with the digest of what stands in it now."""
    digests = checkout.contents(worktree, named)
    return tuple(f"{path} sha256:{digests[path]}" if digests[path] else path for path in named)


def _inherited(view: View, place: Place, session: SessionRecord, measured: Measured) -> Inherited | None:
    own = {commit.id for commit in measured.changes.commits} if measured.changes else set()
    apart = session_drift.apart(place, view.config())
    found = inheritance.of_session(place, session.base, own, apart)
    if not found:
        return None
    files = {path for commit in found for path in commit.paths}
    record = view.ticket(session.ticket)
    outside = sorted(fence.scope(view, record).outside(files)) if record is not None else []
    named = tuple(path for path in outside if len(path) <= PATH_MAX)[:SHOWN_MAX]
    return Inherited(commits=len(found), files=len(files), out_of_scope=named, out_of_scope_count=len(outside))
