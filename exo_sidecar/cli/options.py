"""Options that every operation has, before or after the command: a plain line of them is parsed without typer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model.errors import Usage, ValueInvalid
from exo_sidecar.operations.registry import Operation


class Option(NamedTuple):
    """A common option."""

    name: str
    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    """None for a switch."""


class Given(NamedTuple):
    """The values of the common options."""

    repo: str | None = None
    actor: str | None = None
    session: str | None = None
    json: bool = False
    format: str | None = None
    quiet: bool = False
    plain: bool = False
    no_color: bool = False
    no_input: bool = False
    yes: bool = False
    offline: bool = False
    dry_run: bool = False

    @property
    def wants_json(self) -> bool:
        """Whether the answer is to be one JSON object."""
        return self.json or self.format == "json"

    def folder(self, cwd: Path) -> Path:
        """Return the folder in which the operation works."""
        return cwd / self.repo if self.repo else cwd


OPTIONS: Final = (
    Option("repo", ("--repo", "--root"), "Repository to work in (default: here)", "DIR"),
    Option("actor", ("--actor",), "Who acts, as human:jane or agent:claude", "ACTOR"),
    Option("session", ("--session",), "Session that the call belongs to", "SESSION"),
    Option("dry_run", ("--dry-run",), "Show what would happen and write nothing"),
    Option("offline", ("--offline",), "Do without the network"),
    Option("yes", ("--yes", "-y"), "Say yes to what would be asked"),
    Option("no_input", ("--no-input",), "Ask nothing"),
    Option("json", ("--json",), "Answer with one JSON object"),
    Option("format", ("--format",), "Form of the answer", "text|json"),
    Option("quiet", ("--quiet", "-q"), "No warnings, hints or progress"),
    Option("plain", ("--plain",), "No boxes, no colour"),
    Option("no_color", ("--no-color",), "No colour (also NO_COLOR)"),
)
_BY_FLAG: Final = {flag: option for option in OPTIONS for flag in option.flags}


class Split(NamedTuple):
    """A command line taken apart: common options before the command, the command, and what follows it."""

    before: tuple[str, ...]
    words: tuple[str, ...]


def options_of(operation: Operation) -> tuple[Option, ...]:
    """Return the common options that the operation takes: --offline and --dry-run only where they mean something."""
    without = {
        "dry_run": not operation.dry_runs,
        "offline": not operation.network,
        "yes": not (operation.dry_runs or operation.destructive),
    }
    own = set(operation.params.__struct_fields__)
    return tuple(option for option in OPTIONS if not without.get(option.name) and option.name not in own)


def split(argv: Sequence[str]) -> Split:
    """Return the common options that stand before the command, apart from the rest; Usage for one without its value."""
    position = 0
    while position < len(argv) and (option := _BY_FLAG.get(argv[position].partition("=")[0])):
        position += 2 if option.metavar and "=" not in argv[position] else 1
    if position > len(argv):
        message = f"{argv[-1]} needs a value"
        raise Usage(message)
    return Split(tuple(argv[:position]), tuple(argv[position:]))


def take(argv: Sequence[str]) -> tuple[Given, tuple[str, ...]]:
    """Return the common options of a command line and what remains; for paths that take no value with two dashes."""
    values: dict[str, str | bool] = {}
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        flag, equals, value = word.partition("=")
        option = _BY_FLAG.get(flag)
        if option is None or (equals and option.metavar is None):
            rest.append(word)
        elif option.metavar is None:
            values[option.name] = True
        else:
            values[option.name] = value if equals else next(words, "")
    return of(values), tuple(rest)


def of(values: Mapping[str, object]) -> Given:
    """Return the common options from parsed values; ValueInvalid for a format that does not exist."""
    common = Given(**{option.name: values[option.name] for option in OPTIONS if values.get(option.name)})  # type: ignore[arg-type]
    if common.format not in {None, "json", "text"}:
        message = f"--format: {common.format!r} is not a format"
        raise ValueInvalid(message, hint="text or json")
    return common


def looks_json(argv: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, judged before it is parsed: its own faults are answered in that form."""
    pairs = zip(argv, (*argv[1:], ""), strict=False)  # an empty line has no pair
    return any(word in {"--json", "--format=json"} or (word == "--format" and value == "json") for word, value in pairs)
