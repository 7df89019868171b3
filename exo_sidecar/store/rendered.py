"""Rendered files: the bytes that people read, computed from records. Pure.

The YAML emitter is ours so that bytes never depend on a library's version: keys in the order of the record, strings as
JSON, nothing else. A field in conflict is followed by a comment for each value that does not stand.
"""

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from exo_sidecar.model.ticket import Scalar, TicketRecord, Version

_SHOWN: Final = 120


def ticket_file(record: TicketRecord) -> bytes:
    """Return the content of `tickets/<xx>/<ID>.yaml`."""
    lines: list[str] = []
    for field in record.ticket.__struct_fields__:
        lines += _field(field, getattr(record.ticket, field), "")
        lines += _conflict(field, record.conflicts)
    return "".join(f"{line}\n" for line in lines).encode()


def _field(name: str, value: object, indent: str) -> Iterator[str]:
    match value:
        case msgspec.Struct():
            yield f"{indent}{name}:"
            for inner in value.__struct_fields__:
                yield from _field(inner, getattr(value, inner), indent + "  ")
        case tuple() if not value:
            yield f"{indent}{name}: []"
        case tuple():
            yield f"{indent}{name}:"
            yield from (f"{indent}  - {_scalar(item)}" for item in value)
        case _:
            yield f"{indent}{name}: {_scalar(value)}"


def _scalar(value: object) -> str:
    """Return a scalar as JSON, of which every form is YAML too; line separators that YAML breaks at are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else "".join(f"\\u{unit:04x}" for unit in _units(c)) for c in text)


def _units(character: str) -> tuple[int, ...]:
    data = character.encode("utf-16-be")
    return tuple(int.from_bytes(data[place : place + 2]) for place in range(0, len(data), 2))


def _conflict(field: str, conflicts: dict[str, tuple[Version, ...]]) -> Iterator[str]:
    for name, versions in conflicts.items():
        if name == field:
            yield from (_comment(name, version) for version in versions[1:])
        elif field in {"budgets", "admission"} and _belongs(name, field):
            yield from (_comment(name, version) for version in versions[1:])


def _belongs(name: str, group: str) -> bool:
    from_budgets = name.startswith("max_")
    return (
        from_budgets if group == "budgets" else name in {"consumer", "pain_point", "expected_value", "validation_path"}
    )


def _comment(field: str, version: Version) -> str:
    return f"# conflict: {field} is also {_scalar(_short(version.value))} ({version.actor}, {version.event})"


def _short(value: Scalar) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
