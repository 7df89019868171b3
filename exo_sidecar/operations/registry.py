"""Registry: one declaration per operation, from which every door derives its own form (docs/decisions/0004).

A module of this room is a noun (`ticket.py`), a function with `@operation` a verb (`create`): together `ticket-create`.
A noun without verbs (`status.py`) has one function, `run`. Nothing is listed centrally: an operation is found by its
name, and all of them by walking the room. What a parameter looks like to a door is in `parameters.py`.
"""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

import exo_sidecar.operations as room
from exo_sidecar.model.errors import Usage


class Panel(StrEnum):
    """What people do with an operation: the groups of the help, in the order of the help."""

    SET_UP = "Set up"
    TICKETS = "Tickets"
    SESSIONS = "Sessions"
    LEASES_AND_SYNC = "Leases and sync"
    GOVERNANCE = "Governance"
    TRACEABILITY = "Traceability"
    MEMORY = "Memory"
    REPORTS = "Reports"
    AGENTS = "Agents"
    MAINTENANCE = "Maintenance"


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of an operation; each field is `Annotated[type, param("what it is")]`.

    A subclass says `frozen=True, kw_only=True` itself: msgspec hands on the rest.
    """


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation answers: the `data` of its JSON. A field `verdict` that says `fail` decides the exit status."""


class OperationUnknown(Usage):
    """There is no operation of this name."""

    advice = "exo --help lists them all"


class ConfirmationMissing(Usage):
    """The operation loses or overwrites something, and nobody said that this is wanted."""

    advice = "add --yes to go on, or --dry-run to see what would happen"


class Invoked(Protocol):
    """What `invoke` needs of a context (`operations.context.Context`)."""

    @property
    def yes(self) -> bool:
        """Whether the caller said yes in advance."""

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be written."""

    def begin(self, operation: str, params: Mapping[str, object]) -> None:
        """Take note of what is done, for the events and the commit message of the transaction."""


class Operation(NamedTuple):
    """A declared operation."""

    name: str
    panel: Panel
    params: type[Params]
    result: type[Result]
    run: Callable[[Any, Any], Result]
    summary: str
    description: str
    reads_only: bool = False
    """Calling it changes nothing but caches; excludes the next two."""
    writes: bool = False
    """Writes the governance branch: takes --dry-run."""
    checkout: bool = False
    """Changes the code checkout, its git configuration or files of this machine: takes --dry-run."""
    network: bool = False
    """May talk to a remote: takes --offline."""
    destructive: bool = False
    """Loses or overwrites something: asks first, or wants --yes."""
    idempotent: bool = False
    mcp: bool = True
    """False for doors and plumbing, which have no tool."""
    gate: bool = False
    """Whether a verdict of `none`, that nothing was looked at, is a failure, too."""
    fail_status: int = 1
    """Exit status when the result's verdict is `fail`."""

    @property
    def dry_runs(self) -> bool:
        """Whether it takes --dry-run."""
        return self.writes or self.checkout

    @property
    def tool(self) -> str:
        """The name of its MCP tool."""
        return "exo_" + self.name.replace("-", "_")


def param(
    description: str,
    *,
    positional: bool = False,
    metavar: str | None = None,
    stdin: bool = False,
    completes: str | None = None,
    flag: str | None = None,
) -> msgspec.Meta:
    """Describe a parameter.

    Args:
        description: What it is, in a few words; shown by every door.
        positional: The command line takes it without a flag.
        metavar: What stands for its value in the help.
        stdin: `-` reads standard input.
        completes: What a shell completes it with: `ticket`, `status`, `session`, `path`.
        flag: The command line's flag where it is not the field's name, like `--blocker` for `blockers`.
    """
    hints = {"positional": positional, "metavar": metavar, "stdin": stdin, "completes": completes, "flag": flag}
    given = {key: value for key, value in hints.items() if value}
    return msgspec.Meta(description=description, extra=given or None)


Function = TypeVar("Function", bound=Callable[..., Result])


def operation(panel: Panel, **flags: bool | int | str) -> Callable[[Function], Function]:
    """Declare a function `(ctx, params) -> result` as an operation; its docstring is the help."""

    def declare(function: Function) -> Function:
        hints = function.__annotations__
        summary, _, description = (function.__doc__ or "").strip().partition("\n")
        noun = function.__module__.rsplit(".", 1)[-1].replace("_", "-")
        verb = function.__name__.strip("_").replace("_", "-")
        name = str(flags.pop("name", noun if verb == "run" else f"{noun}-{verb}"))
        function.__dict__["operation"] = Operation(
            name=name,
            panel=panel,
            params=hints["params"],
            result=hints["return"],
            run=function,
            summary=summary.strip(),
            description=_dedent(description),
            **flags,  # type: ignore[arg-type]  # the flags are Operation's own fields; a wrong one fails at import
        )
        return function

    return declare


def invoke(ctx: Invoked, wanted: Operation, params: Params) -> Result:
    """Run an operation and return its result; raises the ExoError that it ends with, ConfirmationMissing first."""
    if wanted.destructive and not (ctx.yes or ctx.dry_run):
        message = f"{wanted.name} loses or overwrites something and was not confirmed"
        raise ConfirmationMissing(message)
    ctx.begin(wanted.name, msgspec.to_builtins(params))
    return wanted.run(ctx, params)


def declaration(function: Callable[..., Result]) -> Operation:
    """Return the operation that a function was declared as; OperationUnknown when it was not."""
    found = function.__dict__.get("operation")
    if isinstance(found, Operation):
        return found
    message = f"{function.__module__}.{function.__name__} is no operation"
    raise OperationUnknown(message)


def find(name: str) -> Operation:
    """Return the operation of that name, importing only its noun; OperationUnknown when there is none."""
    for module_name in _modules_of(name):
        for found in _declared(importlib.import_module(f"{room.__name__}.{module_name}")):
            if found.name == name:
                return found
    message = f"there is no operation {name[:60]!r}"
    raise OperationUnknown(message, hint=_suggestion(name))


def names() -> tuple[str, ...]:
    """Return the names of all operations, sorted."""
    return tuple(sorted(found.name for found in every()))


def every() -> Iterator[Operation]:
    """Yield every operation, by module and then in the order of declaration."""
    for module in _present():
        yield from _declared(importlib.import_module(f"{room.__name__}.{module}"))


def _present() -> tuple[str, ...]:
    """Return the modules of the room, sorted; those that are no noun declare nothing."""
    entries = (entry for folder in room.__path__ for entry in os.listdir(folder))  # noqa: PTH208 - pathlib is slower
    found = {entry.removesuffix(".py") for entry in entries if entry.endswith(".py")}
    return tuple(sorted(found - {"__init__"}))


def _modules_of(name: str) -> tuple[str, ...]:
    """Return the modules that may declare the name, the longest noun first: `sidecar_init`, then `sidecar`."""
    parts = name.split("-")
    fitting = ("_".join(parts[:length]) for length in range(len(parts), 0, -1))
    present = _present()
    return tuple(noun for noun in fitting if noun in present)


def _declared(module: object) -> Iterator[Operation]:
    for value in vars(module).values():
        declared = getattr(value, "__dict__", {}).get("operation")
        if isinstance(declared, Operation) and value.__module__ == getattr(module, "__name__", None):
            yield declared


def _suggestion(name: str) -> str:
    import difflib  # noqa: PLC0415  (only on the way to an error)

    close = difflib.get_close_matches(name, names(), n=3)
    return f"did you mean {', '.join(close)}?" if close else OperationUnknown.advice


def _dedent(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
