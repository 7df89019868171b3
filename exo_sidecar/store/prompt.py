"""Prompts: files for agents in `.exo/cache/`, which git ignores. Not records: nothing is ever read back from them."""

from pathlib import Path
from typing import Final

from exo_sidecar.base import files
from exo_sidecar.model.ids import SessionId
from exo_sidecar.store.governed import Governed

_FOLDER: Final = "cache"
_NAME: Final = "bootstrap.md"


def write_bootstrap(governed: Governed, session_id: SessionId, text: str) -> Path:
    """Write the bootstrap of a session and return where it is."""
    relative = f"{_FOLDER}/{session_id}/{_NAME}"
    files.write_beneath(governed.mount, relative, text.encode(), durable=False)
    return governed.mount / relative
