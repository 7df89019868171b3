"""Git's hooks for messages of commits, answered without the command line's libraries: somebody waits for the commit.

What this cannot answer is left to the command line, which says why. No commit is stopped by either.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from exo_sidecar.model.errors import ExoError
from exo_sidecar.operations import commit_signing
from exo_sidecar.operations.context import Context

_WORDS: Final = ("--agent", "git", "--event")
_FEWEST: Final = 7
_EVENTS: Final = frozenset({"prepare-commit-msg", "commit-msg"})


def attempt(argv: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Answer `exo hook --agent git --event EVENT --message PATH [--source WORD]`; None: it is something else."""
    if len(argv) < _FEWEST or tuple(argv[1:4]) != _WORDS or argv[4] not in _EVENTS or argv[5] != "--message":
        return None
    path, rest = argv[6], argv[7:]
    source = rest[1] if rest[:1] == ["--source"] else None
    try:
        with Context.open(Path.cwd(), environ=environ) as ctx:
            commit_signing.sign(ctx, path, source)
    except ExoError as error:
        return _failed(error)
    except Exception as error:  # noqa: BLE001 - the one way out of this door
        from exo_sidecar.operations.incident import reported  # noqa: PLC0415 - traceback and tempfile are not small

        return _failed(reported(error, argv, Path.cwd()))
    return 0


def _failed(error: ExoError) -> int:
    sys.stderr.write(f"exo: the commit does not name its session: {error.message}\n")
    return error.exit_status
