"""What git shows of a demonstration's repositories; it is git's own word, not exo's."""

from collections.abc import Mapping
from typing import Final

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.host.stage import BRANCH, Clone, Stage
from exo_sidecar.store.governed import DEFAULT_BRANCH

HISTORY_LINES_MAX: Final = 16


def plain_files(stage: Stage, clone: Clone) -> tuple[str, ...]:
    """Return the paths of plain files that HEAD holds."""
    listed = stage.said(clone.folder, "ls-tree", "-r", "-z", "HEAD")
    entries = (entry.partition("\t") for entry in listed.split("\0"))
    return tuple(path for about, _, path in entries if about.startswith("100"))


def checkouts(stage: Stage) -> dict[str, str]:
    """Return a digest per clone of what git says of its checkout (HEAD, branch, index, files), and main of the hub."""
    found = {clone.name: _checkout(stage, clone) for clone in stage.clones}
    return found | {"hub": stage.said(stage.hub, "rev-parse", f"refs/heads/{BRANCH}")}


def trees(stage: Stage) -> dict[str, str]:
    """Return the tree of the governance branch, by repository."""
    said = stage.everywhere("rev-parse", f"refs/heads/{DEFAULT_BRANCH}^{{tree}}")
    return {name: ran.stdout.decode().strip() for name, ran in said}


def on_hub(stage: Stage, branch: str) -> str:
    """Return the commit that the hub has of a branch, empty when it has none."""
    return stage.said(stage.hub, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")


def problems(stage: Stage) -> dict[str, str]:
    """Return what `git fsck --strict` objects to, by repository; what the copied history brought along is no news."""
    said = stage.everywhere("fsck", "--strict", "--no-dangling", "--no-progress")
    found = {name: "" if ran.status == 0 else ran.stderr.decode(errors="replace") for name, ran in said}
    if not any(found.values()):
        return found
    old = stage.folder / "copied.git"
    stage.said(stage.folder, "init", "-q", "--bare", str(old))
    stage.said(old, "fetch", "-q", "--no-tags", "--update-shallow", str(stage.hub), BRANCH)
    known = set(stage.git(old, "fsck", "--strict", "--no-dangling", "--no-progress").stderr.decode().splitlines())
    return {name: "; ".join(line for line in text.splitlines() if line not in known) for name, text in found.items()}


def shared_ancestor(stage: Stage) -> str:
    """Return a commit that code and governance share, empty when there is none."""
    ran = stage.git(stage.hub, "merge-base", f"refs/heads/{BRANCH}", f"refs/heads/{DEFAULT_BRANCH}")
    return ran.stdout.decode().strip()


def strays(stage: Stage, branches: Mapping[str, str]) -> tuple[str, ...]:
    """Return the paths that branches change and should not; `branches` says which file each is about."""
    found: list[str] = []
    for branch, wanted in branches.items():
        said = stage.said(stage.hub, "diff", "--name-only", f"refs/heads/{BRANCH}...refs/heads/{branch}")
        found += [path for path in said.splitlines() if path != wanted]
    return tuple(found)


def governance_history(stage: Stage) -> tuple[str, ...]:
    """Return the governance branch as `git log --graph` draws it, its youngest part."""
    return _log(stage, f"refs/heads/{DEFAULT_BRANCH}")


def code_history(stage: Stage) -> tuple[str, ...]:
    """Return the code branches of the hub as `git log --graph` draws them."""
    return _log(stage, "--decorate=short", f"refs/heads/{BRANCH}", "--branches=exo/*")


def _log(stage: Stage, *words: str) -> tuple[str, ...]:
    said = stage.said(stage.hub, "log", "--graph", "--oneline", f"--max-count={HISTORY_LINES_MAX}", *words)
    return tuple(line.rstrip() for line in said.splitlines()[:HISTORY_LINES_MAX])


def _checkout(stage: Stage, clone: Clone) -> str:
    words = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=all")
    status = stage.said(clone.folder, *words)
    staged = stage.said(clone.folder, "ls-files", "--stage")
    return sha256_hex(f"{status}\0{staged}".encode())
