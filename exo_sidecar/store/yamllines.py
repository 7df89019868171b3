"""In which line of a YAML text each value stands, asked for only where something is wrong with it."""

from collections.abc import Iterator

from exo_sidecar.store import yamltext


def places(text: str) -> dict[tuple[str, ...], int]:
    """Return the line of every value by its path, that of the key for what stands in a mapping; empty for no YAML."""
    import yaml  # noqa: PLC0415  (22 ms that only a faulty YAML file costs)

    try:
        yamltext.load(text)  # the limits hold here, too
    except yamltext.YamlError:
        return {}
    loader = yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader
    return dict(_places(yaml.compose(text, Loader=loader), ()))


def _places(node: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    import yaml  # noqa: PLC0415  (as above)

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _places(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            here = (*path, str(number))
            yield here, item.start_mark.line + 1
            yield from _places(item, here)
