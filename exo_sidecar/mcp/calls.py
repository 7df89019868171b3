"""Calls: the arguments of a tool to an operation, its result or its error to content. The door's one broad except."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations

from exo_sidecar.base.quoting import plain_line, visible_json
from exo_sidecar.mcp.catalogue import SHARED, annotations, input_schema, shared_of
from exo_sidecar.mcp.server import Serving
from exo_sidecar.model import actor as actors
from exo_sidecar.model.errors import ExoError, Usage, ValueInvalid
from exo_sidecar.operations import answer
from exo_sidecar.operations.calling import perform
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.incident import reported
from exo_sidecar.operations.parameters import parameters, read
from exo_sidecar.operations.registry import Operation, OperationUnknown

SEARCH: Final = "exo_operations"
CALL: Final = "exo_call"
_FOUND_MAX: Final = 20


class Caller(NamedTuple):
    """Who is at the other end, and how to tell it what is being done."""

    client: str
    progress: Callable[[str], None]


def general_tools(*, read_only: bool) -> tuple[Tool, Tool]:
    """Return the two tools through which every operation is reached, whatever the toolset."""
    query = {"type": "string", "description": "Words of names and summaries; an exact name shows its schema"}
    name = {"type": "string", "description": "Name of the operation, like ticket-create"}
    params = {"type": "object", "description": "Its parameters, as exo_operations shows them"}
    search = Tool(
        name=SEARCH,
        title="Search the operations",
        description="Search the catalogue of operations; an exact name answers with the schema of its parameters.",
        input_schema={"type": "object", "properties": {"query": query}, "additionalProperties": False},
        annotations=ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
    call = Tool(
        name=CALL,
        title="Call any operation",
        description="Call an operation that has no tool of its own here; exo_operations finds it.",
        input_schema={
            "type": "object",
            "properties": {"operation": name, "params": params, **SHARED},
            "required": ["operation"],
            "additionalProperties": False,
        },
        annotations=ToolAnnotations(
            read_only_hint=read_only, destructive_hint=not read_only, idempotent_hint=False, open_world_hint=False
        ),
    )
    return search, call


def call(
    offered: Mapping[str, Operation], serving: Serving, tool: str, arguments: Mapping[str, Any], caller: Caller
) -> CallToolResult:
    """Answer one tool call; whatever goes wrong is an answer too."""
    try:
        if tool == SEARCH:
            return _content(search(offered, str(arguments.get("query") or "")))
        operation, values, shared = _taken_apart(offered, tool, arguments)
        return run(operation, values, shared, serving, caller)
    except ExoError as error:
        return refused(error)
    except Exception as error:  # noqa: BLE001 - the one way out of this door
        return refused(reported(error, ("mcp", tool), serving.repo))


def run(
    operation: Operation, values: Mapping[str, Any], shared: Mapping[str, Any], serving: Serving, caller: Caller
) -> CallToolResult:
    """Run an operation and return its result as content; raises the ExoError that it ends with."""
    params = read(operation, values)
    with Context.open(
        serving.repo / str(shared.get("repo") or "."),
        actor=_actor(shared, serving, caller),
        session=_text(shared, "session"),
        environ=serving.environ,
        dry_run=_switch(shared, "dry_run"),
        offline=_switch(shared, "offline"),
        yes=_switch(shared, "yes"),
        interactive=False,
        progress=caller.progress,
    ) as ctx:
        result = perform(ctx, operation, params)
        warnings = [f"warning {each.code}: {each.message}" for each in ctx.warnings]
    return _content(msgspec.to_builtins(result), warnings)


def search(offered: Mapping[str, Operation], query: str) -> dict[str, Any]:
    """Return operations whose name or summary holds the words; the schema of the one that is named exactly."""
    words = query.lower().replace("_", "-").removeprefix("exo-").split()
    if len(words) == 1 and words[0] in offered:
        operation = offered[words[0]]
        return {
            "operations": [_entry(operation)],
            "count": 1,
            "input_schema": input_schema(operation),
            "annotations": annotations(operation).model_dump(by_alias=True, exclude_none=True),
        }
    texts = {each.name: f"{each.name} {each.summary} {each.panel}".lower() for each in offered.values()}
    found = [offered[name] for name, text in sorted(texts.items()) if all(word in text for word in words)]
    return {"operations": [_entry(each) for each in found[:_FOUND_MAX]], "count": len(found)}


def refused(error: ExoError) -> CallToolResult:
    """Return an error as an answer that a model can read and a program can branch on."""
    hint = f"\nhint: {plain_line(error.hint)}" if error.hint else ""
    text = f"error {error.code}: {plain_line(error.message)}{hint}"
    return CallToolResult(
        is_error=True, structured_content=answer.fault(error), content=[TextContent(type="text", text=text)]
    )


def _entry(operation: Operation) -> dict[str, Any]:
    return {
        "operation": operation.name,
        "summary": operation.summary,
        "panel": str(operation.panel),
        "params": [f"{each.name}{'' if each.required else '?'}" for each in parameters(operation)],
        "reads_only": operation.reads_only,
    }


def _taken_apart(
    offered: Mapping[str, Operation], tool: str, arguments: Mapping[str, Any]
) -> tuple[Operation, dict[str, Any], dict[str, Any]]:
    """Return the operation, its own parameters, and the shared arguments of the call."""
    if tool != CALL:
        operation = _named(offered, tool)
        shared = shared_of(operation)
        own = {name: value for name, value in arguments.items() if name not in shared}
        return operation, own, {name: value for name, value in arguments.items() if name in shared}
    operation = _named(offered, str(arguments.get("operation") or ""))
    own = arguments.get("params") or {}
    if not isinstance(own, dict):
        message = "params: expected an object"
        raise ValueInvalid(message, parameter="params")
    unknown = set(arguments) - {"operation", "params"} - set(SHARED)
    if unknown:
        message = f"{CALL} does not take {', '.join(sorted(unknown))}"
        raise Usage(message, hint="parameters of the operation go into params")
    shared = {name: value for name, value in arguments.items() if name in SHARED}
    inner = shared_of(operation)
    shared |= {name: value for name, value in own.items() if name in inner}
    return operation, {name: value for name, value in own.items() if name not in inner}, shared


def _named(offered: Mapping[str, Operation], name: str) -> Operation:
    plain = name.removeprefix("exo_").replace("_", "-")
    if plain not in offered:
        message = f"there is no operation {name[:60]!r} here"
        raise OperationUnknown(message, hint=f"{SEARCH} finds operations by words")
    return offered[plain]


def _actor(shared: Mapping[str, Any], serving: Serving, caller: Caller) -> str | None:
    """Return who acts: the call's word, else the environment's (None: the context looks there), else the client."""
    if given := _text(shared, "actor"):
        return given
    return None if serving.environ.get("EXO_ACTOR") else actors.from_name("agent", caller.client)


def _text(shared: Mapping[str, Any], name: str) -> str | None:
    value = shared.get(name)
    if value is not None and not isinstance(value, str):
        message = f"{name}: expected text"
        raise ValueInvalid(message, parameter=name)
    return value or None


def _switch(shared: Mapping[str, Any], name: str) -> bool:
    value = shared.get(name, False)
    if not isinstance(value, bool):
        message = f"{name}: expected true or false"
        raise ValueInvalid(message, parameter=name)
    return value


def _content(data: dict[str, Any], warnings: list[str] | None = None) -> CallToolResult:
    shown = visible_json(msgspec.json.encode(data).decode())
    texts = [shown, *(plain_line(warning) for warning in warnings or [])]
    return CallToolResult(
        content=[TextContent(type="text", text=text) for text in texts],
        structured_content=msgspec.json.decode(shown),
        is_error=False,
    )
