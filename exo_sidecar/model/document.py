"""Authored documents: files of the governance branch that people own (docs/format.md, "Tree")."""

from typing import Final

import msgspec

DOCUMENTS: Final = ("CONSTITUTION.md", "config.yaml", "features.yaml", "requirements.yaml")
TEXT_MAX_BYTES: Final = 64 * 1024


class UnitVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One of several texts of a unit that were written without knowing each other."""

    event: str
    actor: str
    at: str
    text: str
    """Empty when that version took the unit away."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a unit that does not stand: two clones changed the unit without knowing each other."""

    name: str
    event: str
    actor: str
    at: str
    text: str
    """Empty when that version took the unit away."""
    stands: UnitVersion
    """The version that stands in its place."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the fold knows it."""

    name: str
    text: str
    digest: str
    conflicts: tuple[Section, ...] = ()
