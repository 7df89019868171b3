"""Rendition: by which program's number the computed files of a tree were made (docs/format.md, "Render").

A program with a lower number than the branch's leaves computed files as a newer one made them. It can not compute them,
so where two trees meet it takes them from one of the two, whole: the one choice in which every such program agrees.
"""

from typing import Final, Literal, TypeAlias

from exo_sidecar.git import checkout, commits, tree
from exo_sidecar.git.checkout import TreeRefused
from exo_sidecar.git.objects import Kind, Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.finding import Finding
from exo_sidecar.store import layout, publish
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.render_number import number_of

_COMMITS_MAX: Final = 20
"""Commits without an event that are looked below, one after the other."""
_LEDGER: Final = f"{layout.LEDGER}/"
_CACHE: Final = f"{layout.CACHE}/"

Standing: TypeAlias = Literal["current", "stale", "newer"]
"""How a tip's computed files stand to this program: its own, to be computed anew, or a newer program's."""


def standing(governed: Governed, tip: Oid | None) -> Standing:
    """Return how the files of the recorded tip stand to this program.

    An older program may have written that tip in this very clone: then its files lag behind.
    """
    if tip is None:
        return "current"
    number = number_of(governed.repository.objects, governed.tree_of(tip))
    if number > layout.RENDER_NUMBER:
        return "newer"
    is_ours = publish.recorded_render(governed) == layout.RENDER_NUMBER and number in {0, layout.RENDER_NUMBER}
    return "current" if is_ours else "stale"


def source(governed: Governed, commit: Oid) -> Oid | None:
    """Return the tree whose computed files stand for those of a commit: its own, when exo made it.

    Of commits that exo did not make the files below them count, unless theirs name a higher number: what a web edit or
    a merge by plain git left in the files follows from no event.
    """
    objects = governed.repository.objects
    candidates = [commit]
    for _ in range(_COMMITS_MAX):
        found = commits.read(objects, candidates[0])
        if found.committer == commits.AUTHOR or not found.parents or not all(map(objects.contains, found.parents)):
            break
        candidates = [*reversed(found.parents), *candidates]  # the last parent is what was pulled
        if len(found.parents) > 1:
            break
    roots = [governed.tree_of(each) for each in candidates]
    return max(roots, key=lambda root: number_of(objects, root))  # the first of equals


def chosen(governed: Governed, commits_: tuple[Oid, ...], heir: Oid | None) -> Oid | None:
    """Return the tree that a merge of these commits takes its computed files from.

    It is that of the highest number. Of equals: of the commit that goes on, `heir`, else the one with the highest id,
    which is the same one in every clone.
    """
    objects = governed.repository.objects
    found = {each: source(governed, each) for each in commits_}
    best = max(found, key=lambda each: (number_of(objects, found[each]), each == heir, each))
    return found[best]


def left(objects: Objects, base: Oid | None, files_of: Oid | None) -> Oid | None:
    """Return the ledger of the tree `base` with the computed files of another one, and store its objects.

    What could do harm on a disk (a link, a strange name, dot files that name filters) is left out: a newer program
    writes none of it either.
    """
    changes: dict[str, Oid | None] = {}
    for change in tree.diff(objects, base, files_of):
        if not change.path.startswith(_LEDGER) and change.path not in layout.PRESCRIBED:
            fits = change.new is not None and _fits(objects, (base, files_of), change.path, change.new)
            changes[change.path] = change.new.oid if fits and change.new is not None else None
    made: list[tuple[Kind, bytes]] = []
    for path, data in layout.PRESCRIBED.items():
        entry = tree.entry_at(objects, base, path) if base else None
        if entry is None or entry.oid != object_id("blob", data) or entry.mode != tree.FILE_MODE:
            changes[path] = object_id("blob", data)
            made.append(("blob", data))
    if not changes:
        return base
    spliced = tree.splice(objects, base, changes)
    objects.write([*made, *(("tree", each) for each in spliced.trees)])
    return spliced.root


def raised(before: int) -> Finding:
    """Return the finding that tells why every computed file was written; `before` is the branch's number until then."""
    now = layout.RENDER_NUMBER
    why = f"render {before} is {now} now" if before < now else "an older exo had left them to this one"
    return Finding(
        code="RENDERED_ANEW",
        severity="info",
        subject=layout.FORMAT,
        message=f"the files of the branch were computed anew: {why}",
    )


def _fits(objects: Objects, roots: tuple[Oid | None, Oid | None], path: str, entry: tree.Entry) -> bool:
    """Whether a computed file of a newer program may reach the disk."""
    name = path.rpartition("/")[2]
    if path.startswith(_CACHE) or name in layout.PRESCRIBED or _is_twin(objects, *roots, path):
        return False
    try:
        checkout.check_names({path: entry})
    except TreeRefused:
        return False
    return len(objects.read(entry.oid).data) <= layout.FILE_BYTES_MAX


def _is_twin(objects: Objects, base: Oid | None, root: Oid | None, path: str) -> bool:
    """Whether a name on the path differs in capitals only from one of `base`, or from an earlier one beside it."""
    before, current = base, root
    for name in path.split("/"):
        folders = tree.read(objects, before), tree.read(objects, current)
        if any(each.name != name and each.name.casefold() == name.casefold() for each in folders[0]):
            return True
        if min(each.name for each in folders[1] if each.name.casefold() == name.casefold()) != name:
            return True
        before, current = (_folder(entries, name) for entries in folders)
    return False


def _folder(entries: tuple[tree.Entry, ...], name: str) -> Oid | None:
    return next((each.oid for each in entries if each.name == name and each.is_tree), None)
