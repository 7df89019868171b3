"""The environment that every test and every child process sees: nothing of the person who runs the tests.

It is built from an allow-list, because a block-list forgets: agents, editors and continuous integration each set
variables of their own, and exo looks at some of them to learn who is acting.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The repository's root: children import the package from here, whether or not it is installed."""

KEPT: Final = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV")
KEPT_PREFIXES: Final = ("PYTEST_",)

GIT_CONFIG: Final = """\
[user]
    name = Ann Tester
    email = ann@example.invalid
[init]
    defaultBranch = main
[core]
    fsync = none
[gc]
    auto = 0
[maintenance]
    auto = false
[commit]
    gpgSign = false
[protocol "file"]
    allow = always
[advice]
    detachedHead = false
"""
"""Written to `~/.gitconfig` of the test's home; no automatic gc, so that only tests that ask for one get one."""


def pinned(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of tests: what of `environ` is harmless, `home`, and everything git could ask for."""
    kept = {name: value for name, value in environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "LC_ALL": "C",
        "TZ": "UTC",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:git:http:ssh",
        "EXO_NO_HEARTBEAT": "1",
        "GIT_AUTHOR_NAME": "Ann Tester",
        "GIT_AUTHOR_EMAIL": "ann@example.invalid",
        "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
        "GIT_COMMITTER_NAME": "Ann Tester",
        "GIT_COMMITTER_EMAIL": "ann@example.invalid",
        "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    }


def furnish(home: Path) -> Path:
    """Write the git configuration into `home` and return it."""
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text(GIT_CONFIG)
    return home
