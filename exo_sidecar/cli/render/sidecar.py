"""Pages of the mount."""

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece
from exo_sidecar.cli.render import sync
from exo_sidecar.cli.render.tones import counted, optional
from exo_sidecar.operations.compacting import Compacted
from exo_sidecar.operations.repairing import Repaired
from exo_sidecar.operations.sidecar import Pushed, SidecarMounted
from exo_sidecar.operations.sync import Exchange


def init(result: SidecarMounted) -> Page:
    """Say where the governance branch is mounted and where it came from."""
    word = "was mounted already" if result.already_mounted else "is mounted"
    rows: list[tuple[str, Piece]] = [
        ("branch", f"{result.branch} ({result.branch_source})"),
        ("upstream", optional(result.upstream)),
    ]
    if result.git_repo_created:
        rows.append(("repository", "made now"))
    if result.migrated is not None:
        rows.append(("taken in", f"{result.migrated.files} files, commit {result.migrated.commit}"))
        rows.append(("original", Cell(str(result.migrated.original), "strong")))
    return Page((Headline((Cell(result.sidecar_path, "strong"), f" {word}"), "good"), Facts(tuple(rows))))


def pull(result: Exchange) -> Page:
    """Say what came."""
    return sync.pulled(result)


def push(result: Pushed) -> Page:
    """Say what went."""
    went = f"{counted(result.pushed_events, 'event')} went" if result.pushed_events else "it has everything already"
    return Page((Headline((f"{result.remote}: ", went), "good"), Facts((("tip", optional(result.tip)),))))


def compact(result: Compacted) -> Page:
    """Say what the history weighs now."""
    if result.tip == result.previous_tip:
        headline = Headline(("the branch has one commit already",), "good")
    else:
        headline = Headline(("the branch begins anew with one commit",), "good")
    rows: tuple[tuple[str, Piece], ...] = (
        ("before", f"{_size(result.size_before)}, {result.previous_tip}"),
        ("after", f"{_size(result.size_after)}, {result.tip}"),
        ("at", optional(", ".join(result.remotes))),
    )
    hints = ("git gc, in each clone and on each remote, lets go of what nothing names any more",)
    return Page((headline, Facts(rows)), hints)


def _size(size: int | None) -> str:
    return "size unknown" if size is None else f"{size:,} bytes"


def repair(result: Repaired) -> Page:
    """Say what had to be mended."""
    rows: list[tuple[str, Piece]] = []
    if result.mounted:
        rows.append(("mount", "put back"))
    if result.journal != "none":
        rows.append(("left transaction", result.journal))
    if result.index_rebuilt:
        rows.append(("local index", "rebuilt"))
    lists = (
        ("written anew", result.rendered),
        ("taken in", result.absorbed),
        ("kept aside", tuple(Cell(each, "warn") for each in result.kept_aside)),
    )
    blocks = tuple(Listing(title, items) for title, items in lists if items)
    word = "repaired" if rows or blocks else "there was nothing to repair"
    return Page((Headline((word,), "good"), *((Facts(tuple(rows)),) if rows else ()), *blocks))
