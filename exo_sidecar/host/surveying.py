"""Surveying: the facts of a checkout from which its first constitution follows. Reads only, runs nothing of it.

Asked through C git, which knows what is ignored; without it folders are walked and nothing counts as ignored.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.base import files
from exo_sidecar.git import cgit
from exo_sidecar.host import process
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.survey import AgentFile, Survey

FILES_MAX: Final = 100_000
_READ_MAX: Final = 256 * 1024
_RUST_FILES_MAX: Final = 300
_PROBE_SECONDS: Final = 10
_AGENT_FILES: Final = ("AGENTS.md", "CLAUDE.md", "GEMINI.md", ".cursorrules", ".github/copilot-instructions.md")
_BLOCK: Final = "<!-- exo:begin"
_MEMORIES: Final = (".claude/projects", ".codeium/windsurf/memories", ".cursor/rules", ".gemini")
_SAYS_NOTHING: Final = "no test specified"
"""In the script that npm writes where nobody has written tests."""


def survey(root: Path, *, mount: str, environ: Mapping[str, str], programs: Iterable[str]) -> Survey:
    """Return the facts below `root`; the governance branch's mount is no part of it."""
    listed = _listed(root)
    present = [path for path in listed if path != mount and not path.startswith(f"{mount}/")]
    kept = tuple(sorted(present)[:FILES_MAX])
    return Survey(
        files=kept,
        ignored=tuple(path for path in _ignored(root) if not path.startswith(f"{mount}/")),
        folders=tuple(sorted(_folders(root) - {mount, ".git"})),
        programs=frozenset(name for name in programs if shutil.which(name, path=environ.get("PATH", os.defpath))),
        scripts=frozenset(_scripts(root)),
        has_rust_tests=_has_rust_tests(root, kept),
        agent_files=tuple(_agent_files(root)),
        memories=tuple(_memories(environ)),
        complete=len(present) <= FILES_MAX,
    )


def has_pytest(python: str, root: Path) -> bool:
    """Whether an interpreter has pytest; asked of it in isolation, so that nothing of the checkout is imported."""
    argv = (python, "-I", "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('pytest') is None)")
    try:
        return process.run(argv, cwd=root, environ=cgit.environment(), timeout_seconds=_PROBE_SECONDS).status == 0
    except ExoError:
        return False


def _listed(root: Path) -> set[str]:
    said = _git(root, "--cached", "--others", "--exclude-standard")
    return said if said is not None else set(_walked(root))


def _ignored(root: Path) -> list[str]:
    """Return ignored files; an ignored folder is told as one, and is not looked into."""
    said = _git(root, "--others", "--ignored", "--exclude-standard", "--directory")
    return sorted(path for path in said or () if not path.endswith("/"))[:FILES_MAX]


def _git(root: Path, *words: str) -> set[str] | None:
    argv = ("git", "-c", "core.fsmonitor=false", "ls-files", "-z", *words)
    try:
        ran = process.run(argv, cwd=root, environ=cgit.environment({"GIT_OPTIONAL_LOCKS": "0"}))
    except ExoError:
        return None
    return None if ran.status else {path for path in os.fsdecode(ran.stdout).split("\0") if path}


def _walked(root: Path) -> Iterator[str]:
    number = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            yield (Path(folder) / name).relative_to(root).as_posix()
            number += 1
            if number > FILES_MAX:
                return


def _folders(root: Path) -> set[str]:
    return {item.name for item in root.iterdir() if item.is_dir() and not item.is_symlink()}


def _text(root: Path, relative: str) -> str | None:
    try:
        data = files.read_beneath(root, relative, limit_bytes=_READ_MAX)
    except OSError:
        return None
    return data.decode(errors="replace") if data is not None else None


def _scripts(root: Path) -> Iterator[str]:
    """Yield the scripts of package.json that do something."""
    text = _text(root, "package.json")
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return
    scripts = found.get("scripts") if isinstance(found, dict) else None
    for name, command in scripts.items() if isinstance(scripts, dict) else ():
        if isinstance(command, str) and command.strip() and _SAYS_NOTHING not in command:
            yield str(name)


def _has_rust_tests(root: Path, paths: tuple[str, ...]) -> bool:
    rust = [path for path in paths if path.endswith(".rs")][:_RUST_FILES_MAX]
    return any("#[test]" in (_text(root, path) or "") for path in rust)


def _agent_files(root: Path) -> Iterator[AgentFile]:
    for path in _AGENT_FILES:
        text = _text(root, path)
        if text is not None:
            yield AgentFile(path, len(text.splitlines()), _BLOCK in text)


def _memories(environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("HOME", "")
    for name in _MEMORIES if home else ():
        if (Path(home) / name).is_dir():
            yield f"~/{name}"
