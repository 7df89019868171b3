"""Drift: the score of what a session changed against its fence (docs/guides/drift.md). Pure.

    drift = 0.50 x (1 - in_scope / changed) + 0.35 x min(changed / max_files_changed, 1) + 0.15 x boundary_hit

Reckoned in whole numbers and rounded half up to thousandths, so that every machine has the same.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from exo_sidecar.model import glob
from exo_sidecar.model.drift import ERROR_MAX, PATH_MAX, SHOWN_MAX, WHOLE, Drift
from exo_sidecar.model.errors import Refused, ScopeInvalid
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import Budgets, Scope

_SCOPE: Final = Fraction(50, 100)
_FILES: Final = Fraction(35, 100)
_BOUNDARY: Final = Fraction(15, 100)
_BEFORE: Final = "\"'`(<"
_BEHIND: Final = "\"'`)>.,;:!?"
"""What stands around a pattern in a sentence and is no part of it."""
_BLOCKED_ENDS: Final = frozenset({Status.REVIEW, Status.DONE})


class DriftBlocked(Refused):
    """The session went further from its fence than `drift.block_above` allows."""

    code = "DRIFT_BLOCKED"
    advice = "exo session-finish --set-status todo ends the session and gives the ticket back"


class Fence(NamedTuple):
    """What a session's changes are measured by."""

    scope: Scope
    """Effective: with what the ticket inherits."""
    budgets: Budgets
    boundary: str
    intent_root: str | None = None
    ignored: tuple[str, ...] = ()
    """Globs of files that count nowhere."""


class Changed(NamedTuple):
    """What a session changed: raw paths, renames as both."""

    committed: tuple[str, ...]
    uncommitted: tuple[str, ...]
    lines: int
    base: str | None = None


def measure(changed: Changed, fence: Fence) -> Drift:
    """Return how far the changes went from the fence."""
    is_ignored = glob.matching(fence.ignored)
    committed = [path for path in changed.committed if not is_ignored(path)]
    uncommitted = [path for path in changed.uncommitted if not is_ignored(path)]
    files = sorted({*committed, *uncommitted})
    outside = fence.scope.outside(files)
    hits = _hits(files, fence.boundary)
    in_scope = len(files) - len(outside)
    return Drift(
        score=score(in_scope, len(files), fence.budgets.max_files_changed, hit=bool(hits)),
        scope_compliance=_thousandths(Fraction(in_scope, len(files))) if files else WHOLE,
        files=len(files),
        files_max=fence.budgets.max_files_changed,
        lines=changed.lines,
        lines_max=fence.budgets.max_loc_changed,
        out_of_scope=_shown(outside),
        out_of_scope_count=len(outside),
        boundary_hits=_shown(hits),
        boundary_hit_count=len(hits),
        committed=len(committed),
        uncommitted=len(uncommitted),
        base=changed.base,
        intent_root=fence.intent_root,
    )


def unknown(error: str, fence: Fence, base: str | None) -> Drift:
    """Return what is said of a session whose changes cannot be told."""
    return Drift(
        files_max=fence.budgets.max_files_changed,
        lines_max=fence.budgets.max_loc_changed,
        base=base,
        intent_root=fence.intent_root,
        error=error[:ERROR_MAX],
    )


def score(in_scope: int, changed: int, max_files: int, *, hit: bool) -> int:
    """Return the drift of `changed` files in thousandths, from 0 to 1000; no file is no drift."""
    if changed == 0:
        return 0
    used = min(Fraction(changed, max_files), Fraction(1)) if max_files else Fraction(1)
    total = _SCOPE * (1 - Fraction(in_scope, changed)) + _FILES * used + _BOUNDARY * hit
    return _thousandths(min(max(total, Fraction(0)), Fraction(1)))


def patterns(boundary: str) -> tuple[str, ...]:
    """Return the words of a boundary that name files: those with `/` or `*` that can be read as globs."""
    found = (word.lstrip(_BEFORE).rstrip(_BEHIND).removeprefix("./") for word in boundary.split())
    return tuple(dict.fromkeys(word for word in found if re.search(r"[/*]", word) and _is_glob(word)))


def blocked(found: Drift, status: str, block_above: float | None) -> DriftBlocked | None:
    """Return the refusal to end in review or done when the drift is above what is allowed, or cannot be told."""
    if block_above is None or status not in _BLOCKED_ENDS:
        return None
    if found.score is None:
        return DriftBlocked(f"the drift of the session cannot be told: {found.error}", error=found.error)
    if not is_above(found, block_above):
        return None
    message = f"the session drifted by {shown(found.score)}, and above {block_above:g} it does not end in {status}"
    return DriftBlocked(message, score=found.score, out_of_scope=found.out_of_scope[:10])


def is_above(found: Drift, threshold: float) -> bool:
    """Whether the drift is known and above the threshold, a number from 0 to 1."""
    return found.score is not None and found.score > round(threshold * WHOLE)


def shown(thousandths: int) -> str:
    """Return a number of thousandths as people read it."""
    return f"{thousandths / WHOLE:.3f}"


def _hits(files: Sequence[str], boundary: str) -> list[str]:
    found = patterns(boundary)
    is_hit = glob.matching(found)
    return [path for path in files if is_hit(path)] if found else []


def _is_glob(word: str) -> bool:
    try:
        glob.parse(word)
    except ScopeInvalid:
        return False
    return True


def _shown(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path[:PATH_MAX] for path in paths[:SHOWN_MAX])


def _thousandths(number: Fraction) -> int:
    return int(number * WHOLE + Fraction(1, 2))
