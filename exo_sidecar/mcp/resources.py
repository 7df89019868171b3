"""Resources: the board, a ticket, the constitution, by address."""

from collections.abc import Mapping
from typing import Final

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, ReadResourceResult, Resource, ResourceTemplate, TextContent, TextResourceContents

from exo_sidecar.mcp.calls import Caller, call
from exo_sidecar.mcp.server import Serving
from exo_sidecar.model.errors import ExoError
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Operation

_BOARD: Final = "exo://board"
_CONSTITUTION: Final = "exo://constitution"
_TICKET: Final = "exo://tickets/"
_JSON: Final = "application/json"
_MARKDOWN: Final = "text/markdown"


def fixed() -> tuple[Resource, ...]:
    """Return the resources with an address of their own."""
    return (
        Resource(uri=_BOARD, name="board", title="Board", description="What is in flight and ready", mime_type=_JSON),
        Resource(
            uri=_CONSTITUTION,
            name="constitution",
            title="Constitution",
            description="The rules of this repository, when it has them",
            mime_type=_MARKDOWN,
        ),
    )


def templates() -> tuple[ResourceTemplate, ...]:
    """Return the resources whose address holds an id."""
    return (
        ResourceTemplate(
            uri_template=f"{_TICKET}{{id}}", name="ticket", title="Ticket", description="One ticket", mime_type=_JSON
        ),
    )


def read(offered: Mapping[str, Operation], serving: Serving, uri: str, caller: Caller) -> ReadResourceResult:
    """Return a resource's text; MCPError when there is none at the address."""
    if uri == _BOARD:
        name = "board" if "board" in offered else "ticket-list"
        return _contents(uri, _answered(offered, serving, name, {}, caller), _JSON)
    if uri.startswith(_TICKET):
        wanted: dict[str, object] = {"id": uri.removeprefix(_TICKET)}
        return _contents(uri, _answered(offered, serving, "ticket-show", wanted, caller), _JSON)
    if uri == _CONSTITUTION:
        return _contents(uri, _constitution(serving), _MARKDOWN)
    raise MCPError(INVALID_PARAMS, f"there is nothing at {uri[:200]}")


def _answered(
    offered: Mapping[str, Operation], serving: Serving, name: str, values: dict[str, object], caller: Caller
) -> str:
    found = call(offered, serving, name, values, caller)
    text = found.content[0].text if found.content and isinstance(found.content[0], TextContent) else ""
    if found.is_error:
        raise MCPError(INVALID_PARAMS, text)
    return text


def _constitution(serving: Serving) -> str:
    try:
        with Context.open(serving.repo, environ=serving.environ) as ctx:
            found = ctx.view().document("CONSTITUTION.md")
    except ExoError as error:
        raise MCPError(INVALID_PARAMS, f"error {error.code}: {error.message}") from error
    if found is None:
        raise MCPError(INVALID_PARAMS, "this repository has no constitution")
    return found.text


def _contents(uri: str, text: str, mime_type: str) -> ReadResourceResult:
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])
