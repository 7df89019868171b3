"""One operation as a typer command: flags, help and panels follow from its declaration."""

import contextlib
import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from typer.exceptions import TyperException
from typer.main import get_command

from exo_sidecar.cli import direct, options
from exo_sidecar.cli.direct import Parsed
from exo_sidecar.cli.terminal import Streams
from exo_sidecar.model.errors import Usage
from exo_sidecar.operations.parameters import Parameter, parameters
from exo_sidecar.operations.registry import Operation

_COMMON: Final = "common__"
"""Prefix that keeps common options apart from the operation's own parameters."""


def parse(operation: Operation, words: Sequence[str], streams: Streams, *, boxes: bool) -> Parsed | int:
    """Return what `words` say, or an exit status when they asked for the help, which is then written; Usage."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich" if boxes else None)
    settings = {"help_option_names": ["-h", "--help"]}
    declare = app.command(name=operation.name, help=_help(operation, rich=boxes), context_settings=settings)
    declare(_function(operation, rich=boxes))
    try:
        with contextlib.redirect_stdout(streams.stdout), contextlib.redirect_stderr(streams.stderr):
            values = get_command(app).main(list(words), prog_name=f"exo {operation.name}", standalone_mode=False)
    except TyperException as error:
        message = error.format_message().rstrip(".")
        raise Usage(message, hint=f"exo {operation.name} --help shows its parameters") from error
    if not isinstance(values, dict):
        return int(values or 0)
    shared = {name.removeprefix(_COMMON): value for name, value in values.items()}
    return Parsed(_own(operation, values), options.of(shared))


def _own(operation: Operation, values: dict[str, Any]) -> dict[str, object]:
    """Return the values that were given, numbers as numbers."""
    found: dict[str, object] = {}
    for number, parameter in enumerate(parameters(operation)):
        value = values.get(f"own{number}")
        if value is None or value in ([], ()):
            continue
        each = direct.value
        found[parameter.name] = [each(parameter, one) for one in value] if parameter.many else each(parameter, value)
    return found


def _function(operation: Operation, *, rich: bool) -> Any:  # noqa: ANN401 - typer wants a function; its signature is made here
    def answer(**values: object) -> dict[str, object]:
        return values

    own = [_own_parameter(each, f"own{number}", rich=rich) for number, each in enumerate(parameters(operation))]
    shared = [_common_parameter(each) for each in options.options_of(operation)]
    answer.__dict__["__signature__"] = inspect.Signature([*own, *shared])
    answer.__annotations__.clear()
    return answer


def _own_parameter(parameter: Parameter, name: str, *, rich: bool) -> inspect.Parameter:
    text = _shown(parameter, rich=rich)
    kind: Any = bool if parameter.sort == "flag" else str
    if parameter.many:
        kind = list[kind]
    if parameter.positional:
        described: Any = typer.Argument(metavar=parameter.metavar, help=text, show_default=False)
    elif parameter.sort == "flag":
        described = typer.Option(_switch(parameter), help=text, show_default=False)
    else:
        described = typer.Option(parameter.flag, metavar=parameter.metavar, help=text, show_default=False)
    default: Any = inspect.Parameter.empty if parameter.required else None
    return _declared(name, kind if parameter.required else kind | None, described, default)


def _switch(parameter: Parameter) -> str:
    """Return the flag of a switch, with its opposite where it is not off by default."""
    return parameter.flag if parameter.default is False else f"{parameter.flag}/--no-{parameter.flag[2:]}"


def _common_parameter(option: options.Option) -> inspect.Parameter:
    panel = "Common options"
    if option.metavar is None:
        return _declared(
            f"{_COMMON}{option.name}",
            bool,
            typer.Option(*option.flags, help=option.help, show_default=False, rich_help_panel=panel),
            default=False,
        )
    described = typer.Option(
        *option.flags, metavar=option.metavar, help=option.help, show_default=False, rich_help_panel=panel
    )
    return _declared(f"{_COMMON}{option.name}", str | None, described, default=None)


def _declared(name: str, kind: Any, described: Any, default: Any) -> inspect.Parameter:  # noqa: ANN401 - types as values
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, described], default=default
    )


def _shown(parameter: Parameter, *, rich: bool) -> str:
    text = parameter.description
    if parameter.stdin:
        text += " (- reads standard input)"
    if parameter.many:
        text += " (may be repeated)"
    if parameter.default not in {None, False, ()} and not isinstance(parameter.default, bool):
        text += f" [default: {parameter.default}]"
    return escape(text) if rich else text


def _help(operation: Operation, *, rich: bool) -> str:
    text = f"{operation.summary}\n\n{operation.description}".strip()
    return escape(text) if rich else text
