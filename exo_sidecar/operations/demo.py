"""Demo: what exo is for, shown on throw-away copies of a repository by real processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from exo_sidecar.host import stage
from exo_sidecar.model.errors import NotARepository
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.demo_proof import NOT_REACHED, Invariant, Judged
from exo_sidecar.operations.demo_story import BoardRow, Claim, Step, Story
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


class Demo(Params, frozen=True, kw_only=True):
    """Parameters of `demo`."""

    keep: Annotated[str | None, param("Make it in this folder, new or empty, and leave it there", metavar="PATH")] = (
        None
    )


class InvariantShown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must hold, and whether it did."""

    name: str
    statement: str
    holds: bool
    evidence: str


class Demonstrated(Result, frozen=True, kw_only=True):
    """What was done and what it showed."""

    verdict: Literal["pass", "fail", "none"]
    result: Literal["pass", "fail", "none"]
    """The verdict; `none` with --dry-run."""
    source: str
    """What the hub was copied from."""
    steps: tuple[Step, ...] = ()
    claims: tuple[Claim, ...] = ()
    board: tuple[BoardRow, ...] = ()
    governance_history: tuple[str, ...] = ()
    code_history: tuple[str, ...] = ()
    invariants: tuple[InvariantShown, ...] = ()
    path: str | None = None
    """Where the repositories were left; None: they are gone."""


@operation(Panel.SET_UP, checkout=True, mcp=False)
def run(ctx: Context, params: Demo) -> Demonstrated:
    """Show what exo does, on throw-away copies of a repository.

    Copies the repository (a small one of its own where there is none) into a hub and three clones, lets all of them
    claim one ticket at the same moment, work, finish and agree, and checks what must hold. Real processes, real git,
    no network; nothing of yours is touched. Exit 1 when an invariant fails.
    """
    source = _source(ctx)
    name = _name(source) if source else "a small repository"
    if ctx.dry_run:
        return Demonstrated(verdict="none", result="none", source=name)
    keep = Path(params.keep).absolute() if params.keep else None
    ctx.progress("a hub and three clones")
    with stage.raised(source, keep, ctx.environ) as raised:
        story = Story(raised, ctx.progress, lambda: ctx.boot_clock().seconds)
        story.play()
    return _told(story, name, keep)


def _source(ctx: Context) -> Path | None:
    """Return the repository to copy, None where there is none; a folder that does not exist is an error."""
    try:
        place = ctx.place
    except NotARepository:
        if not ctx.repo.is_dir():
            raise
        return None
    return place.common if place.in_mount or place.worktree is None else place.worktree


def _name(source: Path) -> str:
    return source.parent.name if source.name == ".git" else source.name


def _told(story: Story, source: str, keep: Path | None) -> Demonstrated:
    invariants = tuple(_shown(invariant, story.judged) for invariant in Invariant)
    verdict: Literal["pass", "fail"] = "pass" if all(each.holds for each in invariants) else "fail"
    return Demonstrated(
        verdict=verdict,
        result=verdict,
        source=source,
        steps=tuple(story.steps),
        claims=story.claims,
        board=story.board,
        governance_history=story.governance_history,
        code_history=story.code_history,
        invariants=invariants,
        path=str(keep) if keep else None,
    )


def _shown(invariant: Invariant, judged: Mapping[Invariant, Judged]) -> InvariantShown:
    found = judged.get(invariant, Judged(holds=False, evidence=NOT_REACHED))
    name = invariant.name.lower().replace("_", "-")
    return InvariantShown(name=name, statement=invariant.value, holds=found.holds, evidence=found.evidence)
