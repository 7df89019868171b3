"""Policy-restoring: a lock or seal of the mount that somebody edited is kept aside, and the branch's put back."""

from exo_sidecar.base import files
from exo_sidecar.git import tree
from exo_sidecar.model.event_policy import FILES
from exo_sidecar.operations.context import Context
from exo_sidecar.store import edited_files


def restore(ctx: Context) -> tuple[str, ...]:
    """Put the branch's lock and seal back where the mount has others, keep those aside; return where they are kept."""
    governed = ctx.governed
    with ctx.store.locked():
        root = governed.tree_of(governed.tip())
        kept = []
        for edit in edited_files.differing(governed, root, FILES):
            kept.append(edited_files.keep_aside(governed, edit))
            entry = tree.entry_at(governed.repository.objects, root, edit.path) if root is not None else None
            if entry is None:
                files.remove_beneath(governed.mount, edit.path)
            else:
                files.write_beneath(governed.mount, edit.path, governed.repository.objects.read(entry.oid).data)
        return tuple(kept)
