"""The page of a result that has no renderer of its own: labels and values, tables for lists of records."""

from typing import Any, Final

import msgspec

from exo_sidecar.cli.page import Block, Facts, Listing, Page, Prose, Table
from exo_sidecar.operations.registry import Result

_DEPTH_MAX: Final = 4
_LINE_MAX: Final = 60
"""Longer lists get a line per item."""


def page(result: Result) -> Page:
    """Return any result as a page."""
    data = msgspec.json.decode(msgspec.json.encode(result))
    return Page(tuple(_blocks(data, "", 0)))


def _blocks(data: dict[str, Any], title: str, depth: int) -> list[Block]:
    plain = tuple((_label(key), show(value)) for key, value in data.items() if _is_simple(value))
    found: list[Block] = [Facts(plain, title)] if plain else []
    for key, value in data.items():
        if _is_simple(value):
            continue
        label = _label(f"{title} / {key}" if title else key)
        if isinstance(value, str):
            found.append(Prose(label, value))
        elif isinstance(value, dict) and depth < _DEPTH_MAX:
            found.extend(_blocks(value, label, depth + 1))
        elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
            found.append(_table(label, value))
        else:
            found.append(Listing(label, tuple(show(each) for each in value)))
    return found


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    columns = tuple(dict.fromkeys(key for row in rows for key in row))
    shown = tuple(tuple(show(row.get(key)) for key in columns) for row in rows)
    return Table(tuple(map(_label, columns)), shown, title)


def _is_simple(value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        return "\n" not in value.strip()
    return not isinstance(value, dict | list) or not value or (isinstance(value, list) and not _is_long(value))


def _is_long(value: list[Any]) -> bool:
    return any(isinstance(each, dict | list) for each in value) or sum(len(str(each)) for each in value) > _LINE_MAX


def show(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """Return a value as a person would write it."""
    match value:
        case None | [] | {}:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(show(each) for each in value)
        case dict():
            return ", ".join(f"{_label(key)} {show(each)}" for key, each in value.items())
        case _:
            return str(value)


def _label(key: str) -> str:
    return key.replace("_", " ")
