"""The catalogue: operations as tools. Schemas and annotations follow from the declarations."""

from collections.abc import Iterable
from typing import Any, Final

from mcp_types import Tool, ToolAnnotations

from exo_sidecar.mcp.schemas import result_schema, schema_of
from exo_sidecar.operations.registry import Operation, Panel, every

CORE: Final = (
    "status",
    "brief",
    "next",
    "ticket-list",
    "ticket-show",
    "ticket-move",
    "session-start",
    "session-suspend",
    "session-resume",
    "session-finish",
    "session-handoff",
    "scope-check",
    "check",
    "push",
    "board",
    "recall",
    "reflect",
)
_SESSIONS: Final = frozenset({Panel.TICKETS, Panel.SESSIONS, Panel.LEASES_AND_SYNC})
_GOVERNANCE: Final = _SESSIONS | {Panel.GOVERNANCE, Panel.TRACEABILITY}
_DESCRIPTION_MAX: Final = 2000
"""Some hosts cut descriptions at 2 KB."""
_TEXT: Final = {"type": "string"}
SHARED: Final[dict[str, dict[str, Any]]] = {
    "repo": {**_TEXT, "description": "Repository, when it is not the server's own"},
    "actor": {**_TEXT, "description": "Who acts, as agent:name"},
    "session": {**_TEXT, "description": "Session the call belongs to"},
    "dry_run": {"type": "boolean", "description": "Show what would happen, write nothing"},
    "offline": {"type": "boolean", "description": "Do without the network"},
    "yes": {"type": "boolean", "description": "Confirm that something may be lost"},
}
"""Arguments of a call beside the operation's own."""


def offered(*, read_only: bool) -> dict[str, Operation]:
    """Return every operation that may be called through this door, by name."""
    return {each.name: each for each in every() if each.mcp and (each.reads_only or not read_only)}


def of_toolset(operations: Iterable[Operation], toolset: str) -> tuple[Operation, ...]:
    """Return the operations that a toolset shows as tools of their own, core ones first."""
    found = [each for each in operations if each.name in CORE or _shows(toolset, each.panel)]
    return tuple(sorted(found, key=lambda each: (each.name not in CORE, each.name)))


def shared_of(operation: Operation) -> dict[str, dict[str, Any]]:
    """Return the shared arguments that mean something for the operation and that it does not declare itself."""
    hidden = {"dry_run": not operation.dry_runs, "offline": not operation.network, "yes": not operation.destructive}
    own = set(operation.params.__struct_encode_fields__)
    return {name: schema for name, schema in SHARED.items() if not hidden.get(name) and name not in own}


def tool(operation: Operation) -> Tool:
    """Return an operation as a tool."""
    schema = input_schema(operation)
    return Tool(
        name=operation.tool,
        title=operation.summary.rstrip("."),
        description=f"{operation.summary}\n\n{operation.description}".strip()[:_DESCRIPTION_MAX],
        input_schema=schema,
        output_schema=result_schema(operation.result),
        annotations=annotations(operation),
    )


def input_schema(operation: Operation) -> dict[str, Any]:
    """Return the JSON schema of a call's arguments."""
    schema = schema_of(operation.params)
    schema.pop("description", None)
    schema["properties"] = {**schema.get("properties", {}), **shared_of(operation)}
    schema["additionalProperties"] = False
    return schema


def annotations(operation: Operation) -> ToolAnnotations:
    """Return what a host may want to know before it calls."""
    return ToolAnnotations(
        read_only_hint=operation.reads_only,
        destructive_hint=operation.destructive,
        idempotent_hint=operation.idempotent or operation.reads_only,
        open_world_hint=False,
    )


def _shows(toolset: str, panel: Panel) -> bool:
    match toolset:
        case "sessions":
            return panel in _SESSIONS
        case "governance":
            return panel in _GOVERNANCE
        case "all":
            return True
        case _:
            return False
