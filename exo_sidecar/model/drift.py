"""Drift: how far a session went from its fence, as its end records it (docs/guides/drift.md)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from exo_sidecar.model.ticket import COUNT_MAX

WHOLE: Final = 1000
"""A score of 1, in the thousandths that records hold: equal records are equal bytes only without fractions."""
SHOWN_MAX: Final = 50
"""Paths that are named; the counts are of all of them."""
PATH_MAX: Final = 300
ERROR_MAX: Final = 1000

_Thousandths = Annotated[int, Meta(ge=0, le=WHOLE)]
_Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
_Paths = Annotated[tuple[Annotated[str, Meta(max_length=PATH_MAX)], ...], Meta(max_length=SHOWN_MAX)]


class Drift(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the changes of a session went from its fence."""

    score: _Thousandths | None = None
    """0: within the fence and small; 1000: all of it outside. None: it could not be told, `error` says why."""
    scope_compliance: _Thousandths | None = None
    """How many of the changed files lie in the scope; all of them when none changed."""
    files: _Count = 0
    files_max: _Count = 0
    lines: _Count = 0
    lines_max: _Count = 0
    out_of_scope: _Paths = ()
    out_of_scope_count: _Count = 0
    boundary_hits: _Paths = ()
    boundary_hit_count: _Count = 0
    committed: _Count = 0
    """Files that the session's commits changed."""
    uncommitted: _Count = 0
    """Files that it leaves changed and not committed; one that is both counts in both."""
    base: Annotated[str, Meta(max_length=64)] | None = None
    """The commit that the session began at."""
    intent_root: Annotated[str, Meta(max_length=40)] | None = None
    """The root above its ticket."""
    error: Annotated[str, Meta(max_length=ERROR_MAX)] | None = None
