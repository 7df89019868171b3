"""Rendered files: the bytes that people read, computed from records. Pure.

The YAML emitter is ours so that bytes never depend on a library's version: keys in the order of the record, strings as
JSON, nothing else. A field in conflict is followed by a comment for each value that does not stand.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from exo_sidecar.model.ticket import (
    ADMISSION_FIELDS,
    BUDGET_FIELDS,
    FENCE_SETS,
    Scalar,
    TicketRecord,
    Version,
    value_of,
)

_SHOWN: Final = 120
_SHORT_MAX: Final = 0xFFFF
_ESCAPED: Final = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff\U000e0000-\U000e0fff]"
)
"""Controls, invisible and bidirectional marks, line separators, half surrogate pairs, tags, what is no character."""
_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "scope": FENCE_SETS,
    "budgets": BUDGET_FIELDS,
    "admission": ADMISSION_FIELDS,
}
"""Fields of the record that hold several of those that can be in conflict."""


def ticket_file(record: TicketRecord) -> bytes:
    """Return the content of `tickets/<xx>/<ID>.yaml`."""
    lines: list[str] = []
    for field in record.ticket.__struct_fields__:
        lines += _field(field, getattr(record.ticket, field), "")
        lines += _conflict(field, record)
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
    return _ESCAPED.sub(_escape, json.dumps(value, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= _SHORT_MAX else f"\\U{code:08x}"


def _conflict(field: str, record: TicketRecord) -> Iterator[str]:
    for name, versions in record.conflicts.items():
        if name == field or name in _GROUPS.get(field, ()):
            standing = value_of(record.ticket, name)
            yield from (_comment(name, version) for version in versions if version.value != standing)


def _comment(field: str, version: Version) -> str:
    return f"# conflict: {field} is also {_scalar(_short(version.value))} ({version.actor}, {version.event})"


def _short(value: Scalar) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
