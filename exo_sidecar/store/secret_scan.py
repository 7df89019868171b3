"""Secret scan: no line enters the ledger that holds what looks like a key, because what is pushed is out for good.

Whatever a command was asked and whatever follows from it is scanned, in the one place that all events pass.
"""

import json
from typing import NamedTuple

from exo_sidecar.base import secret_shapes
from exo_sidecar.base.canonical import Json
from exo_sidecar.model.errors import Refused
from exo_sidecar.model.event import Event


class SecretFound(Refused):
    """A text holds what looks like a key or token; nothing was written."""

    code = "SECRET_FOUND"
    advice = "name where the secret is kept instead of what it is, and revoke it if others may have seen it"


def check(event: Event, line: bytes) -> None:
    """Refuse an event whose line holds what looks like a secret; SecretFound names the field, never the text."""
    if not secret_shapes.may_hold(line):
        return
    value: Json = json.loads(line)
    found = _found(value, "")
    if found is not None:
        message = f"{found.field} of {event.subject} holds what looks like {found.shape}; nothing was written"
        raise SecretFound(message, field=found.field, shape=found.shape)


class _Found(NamedTuple):
    field: str
    shape: str


def _found(value: Json, field: str) -> _Found | None:
    """Return the innermost field whose text holds a secret; the event's data come before what was asked."""
    match value:
        case str():
            found = secret_shapes.find(value.encode())
            return None if found is None else _Found(field, found.shape)
        case list():
            return next((inner for item in value if (inner := _found(item, field)) is not None), None)
        case dict():
            inners = (_found(item, key) for key, item in sorted(value.items()))
            return next((inner for inner in inners if inner is not None), None)
        case _:
            return None
