"""YAML that people wrote, read with limits: safe types only, no aliases, bounded depth and size."""

from collections.abc import Iterable
from typing import Final, TypeAlias

Yaml: TypeAlias = bool | int | float | str | list["Yaml"] | dict[str, "Yaml"] | None

BYTES_MAX: Final = 256 * 1024
DEPTH_MAX: Final = 20
_COLLECTIONS: Final = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class YamlError(ValueError):
    """The text is not YAML as we take it; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def load(text: str) -> Yaml:
    """Return the value of a YAML text, its scalars as JSON would have them (dates stay text); YamlError."""
    import yaml  # noqa: PLC0415  (22 ms that only a changed YAML file costs)

    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        message = f"longer than {BYTES_MAX} bytes"
        raise YamlError(message, 1)
    try:
        loader = yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader
        _check_nesting(yaml.parse(text, Loader=loader))
        node = yaml.compose(text, Loader=loader)
        return None if node is None else _value(node, set())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = error.problem or "not YAML"
        raise YamlError(message, mark.line + 1 if mark else 1) from error
    except yaml.YAMLError as error:
        place = getattr(error, "position", 0)
        message = f"not YAML: {str(error).partition(chr(10))[0]}"
        raise YamlError(message, text.count("\n", 0, place) + 1) from error


def _check_nesting(events: Iterable[object]) -> None:
    """Refuse what is nested too deeply before it is composed: there the C parser recurses until the process dies."""
    import yaml  # noqa: PLC0415  (as below)

    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX and isinstance(event, yaml.CollectionStartEvent):
            message = "nested too deeply"
            raise YamlError(message, event.start_mark.line + 1 if event.start_mark else 1)


def _value(node: object, open_nodes: set[int]) -> Yaml:
    """Return a node's value; a node met twice is an alias, which a bomb is made of and no record needs."""
    import yaml  # noqa: PLC0415  (as above)

    if not isinstance(node, yaml.Node):
        message = "not YAML"
        raise YamlError(message, 1)
    line = node.start_mark.line + 1
    if id(node) in open_nodes:
        message = "aliases and anchors are not taken"
        raise YamlError(message, line)
    open_nodes.add(id(node))
    if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
        raise YamlError(_tag_refused(node.tag), line)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Yaml] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in found:
                message = (
                    f"the key {key.value!r} stands here twice"
                    if isinstance(key, yaml.ScalarNode)
                    else "a key is no text"
                )
                raise YamlError(message, key.start_mark.line + 1)
            found[key.value] = _value(value, open_nodes)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, open_nodes) for item in node.value]
    return _scalar(node.tag, node.value, line)


def _scalar(tag: str, text: str, line: int) -> Yaml:
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() in {"true", "yes", "on"}
        case "int":
            try:
                return int(text.replace("_", ""), 0)
            except ValueError:
                return text
        case "float":
            try:
                return float(text)
            except ValueError:
                return text
        case "str" | "timestamp":
            return text
        case _:
            pass
    raise YamlError(_tag_refused(tag), line)


def _tag_refused(tag: str) -> str:
    return f"the tag {tag[:40]!r} is not taken"
