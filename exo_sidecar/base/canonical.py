"""Canonical JSON: one value, one sequence of bytes (docs/format.md, "Events").

Keys sorted by code point, no spaces, integers only, strings in NFC, UTF-8 without escapes but the ones JSON demands.
Invariant: `dumps(loads(line)) == line` exactly for the lines that `loads` accepts.
"""

import json
import unicodedata
from typing import Final, TypeAlias

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None

DEPTH_MAX: Final = 32
"""Deeper nesting than any record needs; refuses parser bombs."""


class NotCanonicalError(ValueError):
    """The bytes are not canonical JSON; the text says where or why."""


def dumps(value: Json) -> bytes:
    """Return `value` as canonical JSON; NotCanonicalError for a float, a lone surrogate or a key that is no text."""
    return _encode(_normal(value, 0))


def loads(line: bytes) -> Json:
    """Return the value of canonical `line`; NotCanonicalError for what `dumps` would have written otherwise."""
    return _plain(line.decode("ascii")) if line.isascii() else _any(line)


def _plain(line: str) -> Json:
    """Return the value of a line of ASCII, as nearly all are: none of its text can be composed otherwise.

    So it need not be gone through text by text, and what names a key twice is found by writing it again.
    """
    try:
        value: Json = _DECODER.decode(line)
        written = _ENCODER.encode(value)
    except (ValueError, RecursionError) as error:
        message = f"not JSON: {error}"
        raise NotCanonicalError(message) from error
    _check_depth(value)
    if written != line:
        message = "valid JSON, but not in canonical form"
        raise NotCanonicalError(message)
    return value


def _check_depth(value: Json) -> None:
    level = [value] if isinstance(value, _BOXES) else []
    for _ in range(DEPTH_MAX):
        if not level:
            return
        boxes = [box.values() if isinstance(box, dict) else box for box in level]
        level = [item for box in boxes for item in box if isinstance(item, _BOXES)]
    if not any(level):
        return
    message = f"nested deeper than {DEPTH_MAX}"
    raise NotCanonicalError(message)


def _any(line: bytes) -> Json:
    try:
        value: Json = json.loads(line, object_pairs_hook=_object, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        message = f"not JSON: {error}"
        raise NotCanonicalError(message) from error
    if dumps(value) != line:
        message = "valid JSON, but not in canonical form"
        raise NotCanonicalError(message)
    return value


def _encode(value: Json) -> bytes:
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        message = f"a string holds a lone surrogate: {error}"
        raise NotCanonicalError(message) from error


def _normal(value: object, depth: int) -> Json:
    """Return `value` with every string in NFC, refusing what canonical JSON has no form for."""
    if depth > DEPTH_MAX:
        message = f"nested deeper than {DEPTH_MAX}"
        raise NotCanonicalError(message)
    match value:
        case None | bool() | int():
            return value
        case str():
            return value if value.isascii() else unicodedata.normalize("NFC", value)
        case list() | tuple():
            return [_normal(item, depth + 1) for item in value]
        case dict():
            return {_key(key): _normal(item, depth + 1) for key, item in value.items()}
        case _:
            message = f"{type(value).__name__} has no canonical form"
            raise NotCanonicalError(message)


def _key(key: object) -> str:
    if not isinstance(key, str):
        message = f"key {key!r} is not text"
        raise NotCanonicalError(message)
    return key if key.isascii() else unicodedata.normalize("NFC", key)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "an object names one key twice"
        raise NotCanonicalError(message)
    return found


def _no_float(text: str) -> Json:
    message = f"{text} is not an integer"
    raise NotCanonicalError(message)


_BOXES: Final = (dict, list)
_DECODER: Final = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
