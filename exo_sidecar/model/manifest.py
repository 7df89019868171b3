"""Manifests: features and requirements of a product, as people write them (docs/kernel.md, "Manifests").

Strict: another key, a second use of an id, a word that is not of the list are faults, all of them named at once.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from exo_sidecar.model.errors import Usage
from exo_sidecar.model.rule import Patterns

ITEMS_MAX: Final = 5000
MANIFEST_ID: Final = r"^[A-Za-z][A-Za-z0-9._-]*\Z"

ManifestId = Annotated[str, Meta(pattern=MANIFEST_ID, max_length=100)]
_Text = Annotated[str, Meta(max_length=4000)]
_Ids = Annotated[tuple[ManifestId, ...], Meta(max_length=500)]


class ManifestInvalid(Usage):
    """A manifest does not follow its schema; every fault is named, with its line."""

    code = "MANIFEST_INVALID"
    advice = "mend the lines that are named"


class Feature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the product, and the files that make it."""

    id: ManifestId
    status: Literal["active", "experimental", "deprecated", "deleted"] = "active"
    description: _Text = ""
    owner: Annotated[str, Meta(max_length=200)] = ""
    files: Patterns = ()
    allow_agent_edit: bool = True
    """False: agents may not change its files."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that the product must do."""

    id: ManifestId
    title: Annotated[str, Meta(min_length=1, max_length=500)]
    status: Literal["active", "deprecated", "deleted"] = "active"
    description: _Text = ""
    priority: Literal["high", "medium", "low"] = "medium"
    tags: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=100)] = ()
    acceptance: _Ids = ()
    """Ids of what shows that it is met; each stands once in the file."""


class Features(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`features.yaml`."""

    version: Literal[1] = 1
    features: Annotated[tuple[Feature, ...], Meta(max_length=ITEMS_MAX)] = ()


class Requirements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`requirements.yaml`."""

    version: Literal[1] = 1
    requirements: Annotated[tuple[Requirement, ...], Meta(max_length=ITEMS_MAX)] = ()


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the requirements that something names."""

    found: _Ids = ()
    missing: _Ids = ()
    """Named and not in the manifest."""
    deleted: _Ids = ()
    """In the manifest, as taken out of the product."""

    @property
    def is_settled(self) -> bool:
        """Whether every one that is named is there."""
        return not self.missing and not self.deleted

    @property
    def told(self) -> tuple[str, ...]:
        """A line for each fate that any of them has."""
        fates = (("found", self.found), ("missing", self.missing), ("deleted", self.deleted))
        return tuple(f"{fate}: {', '.join(ids)}" for fate, ids in fates if ids)
