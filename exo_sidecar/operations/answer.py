"""Answers as programs read them: one shape for every operation and every error (docs/reference/errors.md)."""

from collections.abc import Iterable
from typing import Protocol, TypeAlias

import msgspec

from exo_sidecar.base.quoting import visible_json
from exo_sidecar.model.errors import ExoError
from exo_sidecar.operations.registry import Result

Answer: TypeAlias = dict[str, object]


class Warned(Protocol):
    """A warning as a context collects it."""

    @property
    def code(self) -> str:
        """Its stable code."""

    @property
    def message(self) -> str:
        """What it says."""


def success(result: Result, warnings: Iterable[Warned]) -> Answer:
    """Return the answer of a call that went well."""
    return {
        "ok": True,
        "data": msgspec.to_builtins(result),
        "warnings": [{"code": each.code, "message": each.message} for each in warnings],
    }


def failure(error: ExoError) -> Answer:
    """Return the answer of a call that failed or was refused."""
    return {"ok": False, "error": fault(error)}


def fault(error: ExoError) -> Answer:
    """Return an error as programs read it."""
    return {
        "code": error.code,
        "kind": str(error.kind),
        "message": error.message,
        "hint": error.hint,
        "details": msgspec.to_builtins(error.details),
    }


def encode(answer: Answer, *, indent: bool) -> str:
    """Return the answer as text that ends with a newline, what cannot be seen in it escaped.

    Half characters, which JSON cannot hold, become `?`.
    """
    try:
        raw = msgspec.json.encode(answer)
    except UnicodeEncodeError:
        raw = msgspec.json.encode(_whole(answer))
    return visible_json((msgspec.json.format(raw, indent=2) if indent else raw).decode()) + "\n"


def _whole(value: object) -> object:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {str(_whole(key)): _whole(each) for key, each in value.items()}
        case list() | tuple():
            return [_whole(each) for each in value]
        case _:
            return value
