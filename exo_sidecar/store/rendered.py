"""Rendered files: the bytes that people read, computed from records. Pure.

The YAML emitter is ours so that bytes never depend on a library's version: keys in the order of the record, strings as
JSON, nothing else. A field in conflict is followed by a comment for each value that does not stand.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from exo_sidecar.model.ticket import Scalar, TicketRecord, Version

_SHOWN: Final = 120
_ESCAPED: Final = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff]"
)
"""Controls, invisible and bidirectional marks, line separators, halves of surrogate pairs, what is no character."""


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
    """Return a scalar as JSON, of which every form is YAML too; what no reader of YAML takes, or sees, is escaped.

    The characters are listed here: what Python calls printable changes with its version, and the bytes must not.
    """
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _conflict(field: str, conflicts: dict[str, tuple[Version, ...]]) -> Iterator[str]:
    for name, versions in conflicts.items():
        if name == field or (field in {"budgets", "admission"} and _belongs(name, field)):
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
