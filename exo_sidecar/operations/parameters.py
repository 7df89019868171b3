"""Parameters as doors see them: their kind, their flag, their bounds, read from an operation's own types.

Doors hand in plain values; they are validated here once, and every fault names its parameter.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import inspect

from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.operations.registry import Operation, Params

Sort = Literal["text", "integer", "number", "flag", "choice"]

_AT: Final = re.compile(r"^(?P<what>.*) - at `\$\.(?P<name>[A-Za-z_0-9]+)(?P<rest>[^`]*)`$", re.DOTALL)
_FIELD: Final = re.compile(r"^Object (?P<what>missing required|contains unknown) field `(?P<name>[^`]*)`$")


class Parameter(NamedTuple):
    """One parameter of an operation."""

    name: str
    """As in JSON and in tools."""
    flag: str
    """As on the command line: `--scope-allow`."""
    description: str
    sort: Sort
    choices: tuple[str, ...]
    many: bool
    required: bool
    default: object
    positional: bool
    metavar: str
    stdin: bool
    completes: str | None


def parameters(operation: Operation) -> tuple[Parameter, ...]:
    """Return the parameters of an operation in the order of their declaration."""
    described = inspect.type_info(operation.params)
    if not isinstance(described, inspect.StructType):
        message = f"{operation.params!r} is no Struct"
        raise TypeError(message)
    return tuple(_parameter(field) for field in described.fields)


def read(operation: Operation, values: Mapping[str, object], *, spelled: Literal["flag", "name"] = "name") -> Params:
    """Return `values` as the operation's parameters; ValueInvalid names the parameter as the door spells it."""
    try:
        return msgspec.convert(dict(values), operation.params)
    except msgspec.ValidationError as error:
        raise _fault(operation, str(error), spelled) from error


def _fault(operation: Operation, text: str, spelled: Literal["flag", "name"]) -> ValueInvalid:
    known = {each.name: each for each in parameters(operation)}
    if found := _FIELD.match(text):
        name = found["name"]
        message = (
            f"{_spelling(known.get(name), name, spelled)} is {'needed' if 'missing' in text else 'not a parameter'}"
        )
        in_order = sorted(known.values(), key=lambda each: not each.required)
        hint = f"{operation.name} takes: {', '.join(_spelling(each, each.name, spelled) for each in in_order)}"
        return ValueInvalid(message, hint=hint, parameter=name)
    found = _AT.match(text)
    help_hint = f"exo {operation.name} --help shows what it takes"
    if found is None:
        return ValueInvalid(text.replace("`", ""), hint=help_hint)
    parameter = known.get(found["name"])
    message = f"{_spelling(parameter, found['name'], spelled)}: {_plain(found['what'])}"
    hint = f"one of: {', '.join(parameter.choices)}" if parameter and parameter.choices else help_hint
    return ValueInvalid(message, hint=hint, parameter=found["name"])


def _spelling(parameter: Parameter | None, name: str, spelled: Literal["flag", "name"]) -> str:
    if parameter is None or spelled == "name":
        return name
    return parameter.metavar if parameter.positional else parameter.flag


def _plain(text: str) -> str:
    """Return msgspec's words without code marks, beginning small: they follow a parameter's name."""
    words = text.replace("`", "")
    return words[:1].lower() + words[1:]


def _parameter(field: inspect.Field) -> Parameter:
    kind: Any = field.type
    extra: Mapping[str, Any] = {}
    description = ""
    if isinstance(kind, inspect.Metadata):
        extra = kind.extra or {}
        description = str((kind.extra_json_schema or {}).get("description", ""))
        kind = kind.type
    kind = _without_none(kind)
    many = isinstance(kind, inspect.VarTupleType | inspect.ListType)
    sort, choices = _sort(_without_none(kind.item_type) if many else kind)
    name = field.encode_name
    return Parameter(
        name=name,
        flag="--" + str(extra.get("flag") or name).lstrip("-").replace("_", "-"),
        description=description,
        sort=sort,
        choices=choices,
        many=many,
        required=field.required,
        default=None if field.default is msgspec.NODEFAULT else field.default,
        positional=bool(extra.get("positional")),
        metavar=str(extra.get("metavar") or _metavar(name, sort, choices, positional=bool(extra.get("positional")))),
        stdin=bool(extra.get("stdin")),
        completes=extra.get("completes"),
    )


def _without_none(kind: Any) -> Any:  # noqa: ANN401 - msgspec's description of a type, whatever it is
    if isinstance(kind, inspect.UnionType):
        left = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        kind = left[0] if len(left) == 1 else inspect.StrType()
    return _without_none(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _sort(kind: object) -> tuple[Sort, tuple[str, ...]]:
    match kind:
        case inspect.BoolType():
            return "flag", ()
        case inspect.IntType():
            return "integer", ()
        case inspect.FloatType():
            return "number", ()
        case inspect.LiteralType():
            return "choice", tuple(str(value) for value in kind.values)
        case inspect.EnumType():
            return "choice", tuple(str(member.value) for member in kind.cls)
        case _:
            return "text", ()


def _metavar(name: str, sort: Sort, choices: tuple[str, ...], *, positional: bool) -> str:
    if positional:
        return name.upper().replace("_", "-")
    return "|".join(choices) or {"integer": "N", "number": "X"}.get(sort, "TEXT")
