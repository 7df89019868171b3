"""Folders of one tree, each read once: for questions about many paths of it."""

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.tree import Entry


class Folders:
    """The entries of a tree by path; lives as long as one question."""

    def __init__(self, objects: Objects, root: Oid | None) -> None:
        self._objects = objects
        self._known: dict[str, dict[str, Entry]] = {"": {entry.name: entry for entry in tree.read(objects, root)}}

    def entry(self, path: str) -> Entry | None:
        """Return the entry at `path`, None when there is none."""
        folder, _, name = path.rpartition("/")
        return self._entries(folder).get(name)

    def _entries(self, folder: str) -> dict[str, Entry]:
        if folder not in self._known:
            entry = self.entry(folder)
            oid = entry.oid if entry is not None and entry.is_tree else None
            self._known[folder] = {each.name: each for each in tree.read(self._objects, oid)}
        return self._known[folder]
