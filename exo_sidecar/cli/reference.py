"""The reference pages, generated from declarations: `python -m exo_sidecar.cli.reference --check|--write`."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

import exo_sidecar
from exo_sidecar.cli import options
from exo_sidecar.model.errors import EXIT_STATUS, INTERRUPTED, ExoError, Kind
from exo_sidecar.model.lifecycle import GUARD_MEANINGS, TABLE, Status
from exo_sidecar.operations.parameters import Parameter, parameters
from exo_sidecar.operations.registry import Operation, Panel, every

FOLDER: Final = Path("docs/reference")
_NOTICE: Final = "<!-- Generated from the code by scripts/docs --write. Changes made here are lost. -->"
_MEANINGS: Final = {
    Kind.REFUSED: ("a check or gate ran and said no", "no"),
    Kind.USAGE: ("the call was malformed", "no"),
    Kind.INTERNAL: ("our fault; a report is written and its path shown", "no"),
    Kind.NOT_FOUND: ("not there, or a prefix fits several", "no"),
    Kind.CONFLICT: ("the world moved and bounded retries ran out", "yes"),
    Kind.HELD: ("another session holds the lease; details say who, token, how long", "later"),
    Kind.INTEGRITY: ("ledger chain, policy lock, seal or format does not verify", "no"),
    Kind.ENVIRONMENT: ("no repository, no sidecar, remote unreachable, no permission, timed out", "maybe"),
}


def pages() -> dict[str, str]:
    """Return every generated page by its file name."""
    return {
        "errors.md": _page("Errors", errors()),
        "exit-codes.md": _page("Exit codes", exit_codes()),
        "lifecycle.md": _page("The life of a ticket", lifecycle()),
        "operations.md": _page("Operations", operations()),
    }


def main(argv: Sequence[str]) -> int:
    """Compare the pages with the code, or write them; 1 when they differ."""
    if list(argv) not in (["--check"], ["--write"]):
        sys.stderr.write("usage: python -m exo_sidecar.cli.reference --check|--write\n")
        return 2
    different = [name for name, text in pages().items() if _stored(FOLDER / name) != text]
    if argv[0] == "--check":
        for name in different:
            sys.stderr.write(f"{FOLDER / name} differs from the code: scripts/docs --write\n")
        return 1 if different else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    return 0


def operations() -> Iterator[str]:
    """Yield the page of the operations, by panel and name."""
    yield "Each operation is a command (`exo ticket-create`), a tool (`exo_ticket_create`) and a function.\n"
    yield "Every command also takes:\n"
    yield from _table(("option", "what it does"), ((_flags(each), each.help) for each in options.OPTIONS))
    yield "`--dry-run` is there for operations that write, `--offline` for those that may use the network.\n"
    found = sorted(every())
    for panel in Panel:
        members = [each for each in found if each.panel is panel]
        if members:
            yield f"## {panel}\n"
        for each in members:
            yield from _operation(each)


def errors() -> Iterator[str]:
    """Yield the page of the errors, by code."""
    yield "Each error has a stable code; its kind decides the exit status ([exit codes](exit-codes.md)).\n"
    rows = (
        (f"`{each.code}`", str(each.kind), str(EXIT_STATUS[each.kind]), _first_line(each), each.advice)
        for each in declared_errors()
    )
    yield from _table(("code", "kind", "exit", "meaning", "hint"), rows)


def exit_codes() -> Iterator[str]:
    """Yield the page of the exit statuses."""
    yield "The exit status of every command follows from what it ended with.\n"
    rows = [("0", "-", "done; also a report whose verdict is not `fail`", "")]
    rows += [(str(EXIT_STATUS[kind]), str(kind), meaning, retry) for kind, (meaning, retry) in _MEANINGS.items()]
    rows.append((str(INTERRUPTED), "-", "interrupted", ""))
    yield from _table(("exit", "kind", "meaning", "retry"), rows)
    special = [each for each in sorted(every()) if each.fail_status != 1]
    others = "".join(f", `{each.name}` {each.fail_status}" for each in special)
    gates = ", ".join(f"`{each.name}`" for each in sorted(every()) if each.gate)
    yield f"A report whose verdict is `fail` exits 1{others}. So does one of {gates} whose verdict is `none`.\n"


def lifecycle() -> Iterator[str]:
    """Yield the page of the lifecycle."""
    yield f"Statuses: {', '.join(f'`{status}`' for status in Status)}. A move that is not listed is refused.\n"
    rows = (
        (
            f"`{move.start}`",
            f"`{move.end}`",
            move.meaning,
            ", ".join(move.by),
            ", ".join(move.guards) or "-",
            str(move.who),
        )
        for move in TABLE
    )
    yield from _table(("from", "to", "meaning", "by", "guards", "who"), rows)
    yield "\nGuards:\n"
    yield from (f"- {guard}: {meaning}\n" for guard, meaning in GUARD_MEANINGS.items())


def declared_errors() -> tuple[type[ExoError], ...]:
    """Return every error class that declares a code of its own, by code; imports the whole package but its extras."""
    for found in pkgutil.walk_packages(exo_sidecar.__path__, f"{exo_sidecar.__name__}."):
        if not found.name.endswith("__main__") and _importable(found.name):
            importlib.import_module(found.name)
    declared = (each for each in _below(ExoError) if "code" in vars(each))
    own = [each for each in declared if each.__module__.startswith(exo_sidecar.__name__)]
    by_code: dict[str, type[ExoError]] = {}
    for each in sorted(own, key=lambda error: (error.code, error.__module__, error.__qualname__)):
        by_code.setdefault(each.code, each)  # whatever was imported first, the page is the same
    return tuple(by_code.values())


def _importable(name: str) -> bool:
    """Whether the module belongs to the core: of an extra only the front is looked at."""
    return not name.startswith("exo_sidecar.mcp.") or name == "exo_sidecar.mcp.server"


def _below(found: type[ExoError]) -> Iterator[type[ExoError]]:
    yield found
    for each in found.__subclasses__():
        yield from _below(each)


def _operation(found: Operation) -> Iterator[str]:
    yield f"### `{found.name}`\n"
    yield f"{found.summary}\n"
    if found.description:
        yield f"{found.description}\n"
    yield f"{_nature(found)}\n"
    rows = [_parameter(each) for each in parameters(found)]
    if rows:
        yield from _table(("command line", "tool", "value", "what it is"), rows)
    fields = msgspec.json.schema(found.result)
    root: dict[str, Any] = fields["$defs"][str(fields["$ref"]).rsplit("/", 1)[-1]]
    shown = ", ".join(f"`{name}` {_type(schema)}" for name, schema in root["properties"].items())
    yield f"Answers: {shown or 'nothing'}.\n"


def _nature(found: Operation) -> str:
    words = {
        "reads only": found.reads_only,
        "writes the governance branch": found.writes,
        "changes the checkout or files of this machine": found.checkout,
        "may use the network": found.network,
        "destructive: asks, or needs `--yes`": found.destructive,
        "safe to repeat": found.idempotent and not found.reads_only,
        f"exits {found.fail_status} when its verdict is `fail`": "verdict" in found.result.__struct_fields__,
    }
    tool = f"Tool `{found.tool}`; " if found.mcp else "No tool; "
    return tool + ", ".join(word for word, holds in words.items() if holds) + "."


def _parameter(each: Parameter) -> tuple[str, str, str, str]:
    spelled = each.metavar if each.positional else each.flag
    value = "switch" if each.sort == "flag" else ", ".join(f"`{choice}`" for choice in each.choices) or each.sort
    notes = [value]
    notes += ["needed"] if each.required else []
    notes += ["repeatable"] if each.many else []
    if each.default is not None and each.default != () and not isinstance(each.default, bool):
        notes.append(f"default `{each.default}`")
    text = each.description + (" (`-` reads standard input)" if each.stdin else "")
    return f"`{spelled}`", f"`{each.name}`", "; ".join(notes), text


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return "/".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items') or {})}"
    return str(schema.get("type", "any"))


def _flags(option: options.Option) -> str:
    return ", ".join(f"`{flag}`" for flag in option.flags) + (f" {option.metavar}" if option.metavar else "")


def _table(columns: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[str]:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |" for row in rows]
    yield "\n".join(lines) + "\n"


def _first_line(found: type[ExoError]) -> str:
    return (found.__doc__ or "").strip().partition("\n")[0]


def _page(title: str, parts: Iterator[str]) -> str:
    return "\n".join([_NOTICE, "", f"# {title}", "", *parts])


def _stored(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
