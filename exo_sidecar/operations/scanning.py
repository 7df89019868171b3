"""Scanning: a checkout surveyed for its first constitution; what `scan` shows and `init` writes."""

from pathlib import Path

from exo_sidecar.domain import languages
from exo_sidecar.domain import scan as scans
from exo_sidecar.domain.scan import Scanned
from exo_sidecar.git import mount as mounts
from exo_sidecar.host import surveying
from exo_sidecar.model.errors import NotARepository
from exo_sidecar.model.survey import Survey
from exo_sidecar.operations.context import Context

USUAL_MOUNT = ".exo"


def survey(ctx: Context, root: Path) -> Survey:
    """Return the facts below a folder."""
    found = surveying.survey(root, mount=mount_of(ctx, root), environ=ctx.environ, programs=languages.PROGRAMS)
    asked = scans.worth_asking(found)
    modules = {f"{python}:pytest" for python in asked if surveying.has_pytest(python, root)}
    return found._replace(programs=found.programs | modules)


def checkout(ctx: Context) -> Path | None:
    """Return the root of the checkout, None where there is none to look at: a bare repository, the mount itself."""
    try:
        place = ctx.place
    except NotARepository:  # `init` makes one of this folder
        return ctx.repo
    return None if place.in_mount else place.worktree


def found(ctx: Context) -> Scanned | None:
    """Return what a scan of the checkout finds, None where there is no checkout."""
    root = checkout(ctx)
    return scans.scan(survey(ctx, root)) if root is not None else None


def mount_of(ctx: Context, root: Path) -> str:
    """Return the mount of the governance branch below `root`, its usual place where it is not there yet."""
    try:
        state = mounts.state(ctx.place.common)
    except NotARepository:
        state = None
    if state is None or not state.path.is_relative_to(root):
        return USUAL_MOUNT
    return state.path.relative_to(root).as_posix()
