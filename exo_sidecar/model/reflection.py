"""Learnings: what somebody found out that the next one should know, kept once however often it is found out again.

The id follows from scope and pattern, so clones that learn the same without knowing of each other write one record.
"""

import unicodedata
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from exo_sidecar.model import ids

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
Kind: TypeAlias = Literal["learning", "lesson", "blocked_path", "failure_mode"]
StatusWanted: TypeAlias = Literal["active", "dismissed", "all"]
"""Which learnings a listing wants."""

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low")
"""The gravest first."""
GLOBAL: Final = "global"
"""The scope of what holds for all work."""
PATTERN_MAX: Final = 200
INSIGHT_MAX: Final = 2000
TAG_MAX: Final = 64
TAGS_MAX: Final = 20

Pattern = Annotated[str, Meta(min_length=1, max_length=PATTERN_MAX)]
Insight = Annotated[str, Meta(min_length=1, max_length=INSIGHT_MAX)]
Scope = Annotated[str, Meta(pattern=r"^(global|[A-Z]+-[0-9A-Z]+(-[0-9A-Z]+)*)\Z", max_length=ids.LENGTH_MAX)]
"""`global`, or the id of a ticket."""
Tags = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=TAG_MAX)], ...], Meta(max_length=TAGS_MAX)]


class ReflectionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A learning as the fold knows it."""

    id: str
    pattern: str
    """What it is about: when one meets this ..."""
    insight: str
    """... this is what to know."""
    severity: Severity
    scope: str
    kind: Kind
    tags: tuple[str, ...] = ()
    actor: str
    """Who recorded it first."""
    session: str | None = None
    """In which session, None outside of one."""
    at: str
    """When, by their clock."""
    count: int = 1
    """How often it was recorded."""
    dismissed_by: str | None = None
    dismissed_at: str | None = None
    dismissed_reason: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether nobody has dismissed it since it was recorded last."""
        return self.dismissed_by is None

    def order(self) -> tuple[int, int, str]:
        """Return its place among others: the gravest first, then what was recorded most often."""
        return SEVERITIES.index(self.severity), -self.count, self.id


class ReflectionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which learnings a listing wants; empty means all."""

    status: StatusWanted = "active"
    scope: str | None = None
    severities: tuple[Severity, ...] = ()
    kinds: tuple[Kind, ...] = ()
    tags: tuple[str, ...] = ()
    """With all of them."""


def reflection_id(scope: str, pattern: str) -> str:
    """Return the id of what is learnt of `pattern` in `scope`: the same for patterns that read the same."""
    return ids.derived("REF", f"{scope}\n{_normalised(pattern)}")


def _normalised(pattern: str) -> str:
    """Return the pattern without what makes no difference: composition, blanks, capitals.

    By the tables of Unicode 3.2, which every Python has: newer ones know more characters each year, and one id must
    not be two.
    """
    tables = unicodedata.ucd_3_2_0
    known = "".join(char.casefold() if tables.category(char) != "Cn" else char for char in pattern)
    return " ".join(tables.normalize("NFC", known).split())
