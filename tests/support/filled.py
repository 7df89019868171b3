"""Filled values: a record in which every field has a value, so that what is rendered of it shows every part."""

from typing import Any, TypeVar

import msgspec
from msgspec import inspect

_Record = TypeVar("_Record", bound=msgspec.Struct)


def filled(record: type[_Record]) -> _Record:
    """Return a record of the type with a value in every field, always the same one; constraints are not looked at."""
    return record(
        **{
            field.name: _value(field.type, field.name)
            for field in inspect.type_info(record).fields  # type: ignore[attr-defined]  # a struct's has them
        }
    )


def _value(kind: inspect.Type, name: str) -> Any:  # noqa: ANN401 - whatever the field holds
    match kind:
        case inspect.StructType():
            return filled(kind.cls)
        case inspect.EnumType():
            return next(iter(kind.cls))
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.VarTupleType() | inspect.ListType():
            return (_value(kind.item_type, name),)
        case inspect.TupleType():
            return tuple(_value(each, name) for each in kind.item_types)
        case inspect.DictType():
            return {_value(kind.key_type, "title"): _value(kind.value_type, name)}
        case inspect.UnionType():
            plain = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
            return _value(plain[0], name)
        case inspect.BoolType() | inspect.IntType() | inspect.FloatType():
            return {inspect.BoolType: True, inspect.IntType: 3}.get(type(kind), 0.5)
        case _:
            return "2026-01-02T03:04:05Z" if name == "at" or name.endswith("_at") else f"{name} value"
