"""Render number: the one that a tree's FORMAT names, for whoever only wants to know (docs/format.md, "Render")."""

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout


def number_of(objects: Objects, root: Oid | None) -> int:
    """Return the render number that a tree's FORMAT names, 0 when it names none."""
    entry = tree.entry_at(objects, root, layout.FORMAT) if root else None
    if entry is None or entry.mode != tree.FILE_MODE:
        return 0
    numbers = layout.parse_format(objects.read(entry.oid).data)
    return numbers.render if numbers else 0


def is_newer(objects: Objects, *roots: Oid | None) -> bool:
    """Whether a newer program than this one has computed the files of one of the trees."""
    return any(number_of(objects, root) > layout.RENDER_NUMBER for root in roots)
