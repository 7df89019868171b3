"""The first page of the help: every operation by panel, one line each."""

from exo_sidecar.cli.options import OPTIONS
from exo_sidecar.cli.page import Block, Cell, Facts, Headline, Page
from exo_sidecar.operations.registry import Operation, Panel, every

_FIRST = (
    "Governance for a git repository in which many people and agents work at once.",
    "Usage: exo COMMAND [OPTIONS]        exo COMMAND --help shows a command's parameters",
)
_DOORS = (
    ("completion", "Print or install the completion of a shell."),
    ("mcp", "Serve the operations as tools of the Model Context Protocol."),
)


def page(noun: str | None = None) -> Page:
    """Return the help of the program, or of one noun."""
    found = [each for each in every() if noun is None or each.name == noun or each.name.startswith(f"{noun}-")]
    blocks: list[Block] = [Headline((_FIRST[0],)), Headline((_FIRST[1],))]
    for panel in Panel:
        rows = sorted(_rows(found, panel, doors=noun is None))
        if rows:
            blocks.append(Facts(tuple((name, summary) for name, summary in rows), panel))
    if noun is None:
        blocks.append(Facts(tuple((_flags(each.flags, each.metavar), each.help) for each in OPTIONS), "Common options"))
        last = "exo --version shows the version; names like `session start` work in two words"
        blocks.append(Headline((Cell(last, "dim"),)))
    return Page(tuple(blocks))


def _rows(found: list[Operation], panel: Panel, *, doors: bool) -> list[tuple[str, str]]:
    rows = [(each.name, each.summary) for each in found if each.panel is panel]
    if doors and panel is Panel.AGENTS and all(name != "mcp" for name, _ in rows):
        rows.append(_DOORS[1])
    return rows


def _flags(flags: tuple[str, ...], metavar: str | None) -> str:
    return ", ".join(flags) + (f" {metavar}" if metavar else "")
