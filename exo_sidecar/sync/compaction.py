"""Compaction: a new history of the branch, with the same files and one commit (docs/sync.md, "Compaction").

Here it is a move of the branch like any other. The remote follows with the next sync, which finds that our history goes
on in the place of the remote's (lineage.py): also when the process that began was killed in between.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base import files
from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.oid import Oid
from exo_sidecar.model import instant
from exo_sidecar.store import healing, publish
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.store import RefMoved, Store
from exo_sidecar.sync import lineage

_NAME: Final = "compacting"


class Under(msgspec.Struct, frozen=True, kw_only=True):
    """A compaction that some remote may not have heard of."""

    previous: Oid
    target: Oid


class Begun(NamedTuple):
    """What became of the branch here."""

    previous: Oid
    tip: Oid
    """The same as `previous` when there is one commit already."""


def begin(store: Store, stamp: Stamp, reason: str) -> Begun | None:
    """Move the branch to one commit with the files it has; None while it is unborn.

    Raises:
        RefMoved: somebody committed by hand; nothing was changed.
        publish.Moved: somebody moved the branch; try again.
    """
    governed = store.governed
    objects = governed.repository.objects
    with store.locked():
        healing.heal(governed)
        store.check_format()
        tip = governed.tip()
        if tip is None:
            return None
        if tip != publish.recorded_tip(governed):
            message = f"somebody committed to {governed.branch} by hand meanwhile"
            raise RefMoved(message, hint="exo sync takes it in")
        present = commits.read(objects, tip)
        if not present.parents:
            return Begun(tip, tip)
        seconds = instant.epoch_seconds(stamp.at)
        commit = Commit(
            tree=present.tree,
            parents=(),
            author=f"{stamp.actor} <{stamp.actor.replace(':', '.')}@exo.invalid>",
            author_time=seconds,
            committer=commits.AUTHOR,
            commit_time=seconds,
            message=lineage.marked(f"exo: sidecar-compact\n\n{reason}", lineage.generation(objects, tip) + 1, tip),
        )
        target = objects.write([("commit", commits.serialise(commit))])[0]
        note = Under(previous=tip, target=target)
        files.write_atomic(_path(governed), msgspec.json.encode(note))
        publish.move(governed, tip, target, {}, render=publish.recorded_render(governed))
        return Begun(tip, target)


def under_way(governed: Governed) -> Under | None:
    """Return the compaction that was begun here and not ended."""
    try:
        return msgspec.json.decode(_path(governed).read_bytes(), type=Under)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def end(governed: Governed) -> None:
    """Take note that every remote has heard of it."""
    _path(governed).unlink(missing_ok=True)


def give_up(store: Store) -> bool:
    """Move the branch back to the history it had, because the remote refuses the new one; whether that was so."""
    governed = store.governed
    note = under_way(governed)
    if note is None:
        return False
    with store.locked():
        healing.heal(governed)
        is_back = governed.tip() == note.target and governed.repository.objects.contains(note.previous)
        if is_back:
            publish.move(governed, note.target, note.previous, {}, render=publish.recorded_render(governed))
        end(governed)
    return is_back


def _path(governed: Governed) -> Path:
    return governed.folder / _NAME
