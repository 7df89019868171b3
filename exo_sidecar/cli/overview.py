"""The first page of the help: every operation by panel, one line each."""

from exo_sidecar.cli.options import OPTIONS
from exo_sidecar.cli.page import Block, Cell, Facts, Headline, Page
from exo_sidecar.operations.registry import Panel, every

_FIRST = (
    "Governance for a git repository in which many people and agents work at once.",
    "Usage: exo COMMAND [OPTIONS]        exo COMMAND --help shows a command's parameters",
)
_MCP = ("mcp", "Serve the operations as tools of the Model Context Protocol.")
"""The one command that is no operation but a door of its own."""


def page(noun: str | None = None) -> Page:
    """Return the help of the program, or of one noun."""
    found = [each for each in every() if noun is None or each.name == noun or each.name.startswith(f"{noun}-")]
    blocks: list[Block] = [Headline((_FIRST[0],)), Headline((_FIRST[1],))]
    for panel in Panel:
        rows = [(each.name, each.summary) for each in found if each.panel is panel]
        rows += [_MCP] if panel is Panel.AGENTS and noun is None else []
        if rows:
            blocks.append(Facts(tuple(sorted(rows)), panel))
    if noun is None:
        blocks.append(Facts(tuple((_flags(each.flags, each.metavar), each.help) for each in OPTIONS), "Common options"))
        last = "exo --version shows the version; names like `session start` work in two words"
        blocks.append(Headline((Cell(last, "dim"),)))
    return Page(tuple(blocks))


def _flags(flags: tuple[str, ...], metavar: str | None) -> str:
    return ", ".join(flags) + (f" {metavar}" if metavar else "")
