"""Hubs with rules of their own, as hosting services have them."""

from pathlib import Path
from typing import Final

from tests.support.repositories import git

_PLAIN_REFS_ONLY: Final = """\
#!/bin/sh
case "$1" in
    refs/heads/* | refs/tags/*) exit 0 ;;
esac
echo "only branches and tags may be pushed here" >&2
exit 1
"""
_DIARY: Final = '#!/bin/sh\necho "$1" >>{diary}\n'
_DIES_AFTER_UPDATE: Final = '#!/bin/sh\n[ "$1" = committed ] || exit 0\nrm -f "$0"\nkill -9 $PPID\n'
_DIES_BEFORE_UPDATE: Final = '#!/bin/sh\nrm -f "$0"\nkill -9 $PPID\n'


def refuse_deletes(hub: Path) -> None:
    """Let no ref be removed."""
    git(hub, "config", "receive.denyDeletes", "true")


def refuse_custom_refs(hub: Path) -> None:
    """Let nothing but branches and tags be changed."""
    _hook(hub, "update", _PLAIN_REFS_ONLY)


def withhold_atomic(hub: Path) -> None:
    """Offer no atomic pushes."""
    git(hub, "config", "receive.advertiseAtomic", "false")


def keep_diary(hub: Path) -> Path:
    """Write down the name of every ref that is about to change; return where."""
    diary = hub / "diary.txt"
    diary.touch()
    _hook(hub, "update", _DIARY.format(diary=diary))
    return diary


def die_once_after_update(hub: Path) -> None:
    """Kill the server right after the next change: it has happened, and nobody is told."""
    _hook(hub, "reference-transaction", _DIES_AFTER_UPDATE)


def die_once_before_update(hub: Path) -> None:
    """Kill the server right before the next change."""
    _hook(hub, "pre-receive", _DIES_BEFORE_UPDATE)


def crowd(hub: Path, count: int) -> None:
    """Give the hub so many refs more, packed, as years of tags and pull requests leave them."""
    tip = git(hub, "rev-parse", "HEAD")
    git(hub, "update-ref", "--stdin", stdin="".join(f"update refs/pull/{n}/head {tip}\n" for n in range(count)))
    git(hub, "pack-refs", "--all")


def _hook(hub: Path, name: str, text: str) -> None:
    hook = hub / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(text)
    hook.chmod(0o755)
