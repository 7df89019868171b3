"""Clone identity: `<common>/exo/clone`. Random, made at the first write, and made anew in a copied folder."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from exo_sidecar.base import files
from exo_sidecar.model import ids
from exo_sidecar.model.ids import CloneId, Entropy


class Identity(NamedTuple):
    """This clone's id; `is_copy` when one was found that belongs to the folder this one was copied from."""

    id: CloneId
    is_copy: bool


def read(folder: Path) -> CloneId | None:
    """Return this clone's id, None before the first write or in a folder that is a copy."""
    path = folder / "clone"
    try:
        known = json.loads(path.read_bytes())
        inode = path.stat().st_ino
    except (OSError, ValueError):
        return None
    if not isinstance(known, dict) or known.get("inode") != inode or not ids.is_clone_id(str(known.get("id"))):
        return None
    return CloneId(known["id"])


def ensure(folder: Path, entropy: Entropy) -> Identity:
    """Return this clone's id, minting one where there is none yet; the clone's lock must be held."""
    known = read(folder)
    if known is not None:
        return Identity(known, is_copy=False)
    is_copy = (folder / "clone").exists()
    return Identity(mint(folder, entropy), is_copy)


def mint(folder: Path, entropy: Entropy) -> CloneId:
    """Give this clone a new id: its first, or because its chain was found elsewhere too."""
    fresh = ids.mint_clone(entropy)
    temporary = folder / f".clone.{os.urandom(6).hex()}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.write(handle, json.dumps({"id": fresh, "inode": os.fstat(handle).st_ino}).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(folder / "clone")
    files.sync_folder(folder)
    return fresh
