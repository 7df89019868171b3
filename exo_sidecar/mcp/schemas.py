"""JSON schemas of parameters and of results; those of results are short, because every agent reads all of them at once.

A result's schema has no `$ref`: what is used is written where it is used, which hosts that know no definitions read
too. Left out is what says nothing to a reader of results: titles, defaults (a result has all of its fields), bounds of
what the program itself writes. What is deeper than fits is said to be an object; the data are whole all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

Schema = dict[str, Any]

RESULT_MAX: Final = 5000
"""Characters of one result's schema, about a thousand tokens."""
_KEPT: Final = frozenset({"type", "enum", "const", "required", "prefixItems", "items", "anyOf"})
"""Words that a result's schema is made of, beside `properties` and the schema of a mapping's values."""
_BELOW: Final = frozenset({"prefixItems", "items", "anyOf"})
_NESTED_MAX: Final = 8


def schema_of(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a Struct as an object at the root, with the definitions that it uses."""
    whole = msgspec.json.schema(kind)
    definitions: dict[str, Schema] = whole.get("$defs", {})
    root = definitions.pop(_named(whole))
    if definitions:
        root["$defs"] = definitions
    root.pop("title", None)
    return root


def result_schema(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a result, as deep as fits into RESULT_MAX characters, one level at the least."""
    root = schema_of(kind)
    definitions: dict[str, Schema] = root.pop("$defs", {})
    for levels in range(_NESTED_MAX, 0, -1):
        found = _short(root, definitions, levels)
        if len(msgspec.json.encode(found)) <= RESULT_MAX:
            break
    return {"description": root["description"], **found} if "description" in root else found


def _short(schema: Schema, definitions: Mapping[str, Schema], levels: int) -> Schema:
    """Return a schema that says the same of every result in fewer words; objects below `levels` are only named so."""
    if "$ref" in schema:
        return _short(definitions[_named(schema)], definitions, levels)
    if "properties" in schema and levels == 0:
        return {"type": "object"}
    found = {word: said for word, said in schema.items() if word in _KEPT and said}
    for word in _BELOW & found.keys():
        said = found[word]
        if isinstance(said, list):
            found[word] = [_short(each, definitions, levels) for each in said]
        elif isinstance(said, dict):
            found[word] = _short(said, definitions, levels)
    if "properties" in schema:
        inner = schema["properties"].items()
        found["properties"] = {name: _short(each, definitions, levels - 1) for name, each in inner}
    elif isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = _short(schema["additionalProperties"], definitions, levels)
    return _joined(found, found.pop("anyOf")) if "anyOf" in found else found


def _joined(schema: Schema, ways: Sequence[Schema]) -> Schema:
    """Return alternatives as one schema with several types, where at most one of them says more than its type."""
    types = [each.get("type") for each in ways]
    plain = all(isinstance(each, str) for each in types) and not any("enum" in each for each in ways)
    more = [each for each in ways if len(each) > 1]
    if not plain or len(more) > 1 or (more and types.count(more[0]["type"]) > 1):
        return {**schema, "anyOf": list(ways)}
    return {**schema, **(more[0] if more else {}), "type": list(dict.fromkeys(types))}


def _named(reference: Schema) -> str:
    return str(reference["$ref"]).rsplit("/", 1)[-1]
