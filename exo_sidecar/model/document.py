"""Authored documents: files of the governance branch that people own (docs/format.md, "Tree")."""

from typing import Final

import msgspec

DOCUMENTS: Final = ("CONSTITUTION.md", "config.yaml", "features.yaml", "requirements.yaml")
TEXT_MAX_BYTES: Final = 64 * 1024


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A unit of a document that two clones changed without knowing each other."""

    name: str
    event: str
    actor: str
    text: str
    """The version that does not stand."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the fold knows it."""

    name: str
    text: str
    digest: str
    conflicts: tuple[Section, ...] = ()
