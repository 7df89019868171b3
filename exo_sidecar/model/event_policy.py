"""Data of `policy.*` events: what the rules were compiled and sealed to, and what was found to be something else."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from exo_sidecar.model.event_parts import Digest, EventData, Text
from exo_sidecar.model.policy import BYTES_MAX, LOCK_FILE, PREVIOUS_MAX, SEAL_FILE

SUBJECT: Final = "policy"
FILES: Final = (LOCK_FILE, SEAL_FILE)
_SOURCES_MAX: Final = 8

CompiledFile: TypeAlias = Literal["governance.lock.json", "policy.sealed.json"]
_Previous = Annotated[tuple[Digest, ...], Meta(max_length=PREVIOUS_MAX)]
_CompiledText = Annotated[str, Meta(max_length=BYTES_MAX)]


class PolicyCompiled(EventData, frozen=True):
    """A constitution became a lock."""

    digest: Digest
    """The lock's own."""
    source: Digest
    """That of the constitution's text."""
    text: _CompiledText
    """`governance.lock.json`, whole."""
    previous: _Previous = ()


class PolicySealed(EventData, frozen=True):
    """Everything that governs was sealed together."""

    digest: Digest
    """The seal's own."""
    lock: Digest
    sources: Annotated[dict[str, Digest], Meta(max_length=_SOURCES_MAX)]
    text: _CompiledText
    """`policy.sealed.json`, whole."""
    previous: _Previous = ()


class PolicyTampered(EventData, frozen=True):
    """A lock or seal was found that is not what the ledger says was written."""

    file: CompiledFile
    found: Digest
    """Of the bytes that were found; of an event's text where that is what is wrong."""
    expected: Digest | None = None
    """Of the bytes that should be there."""
    reason: Text = ""


class PolicyAccepted(EventData, frozen=True):
    """A person looked at what was tampered with, and had the policy composed anew."""

    found: Annotated[tuple[Digest, ...], Meta(max_length=100)]
    """What was found and is dealt with now."""
    before: Digest | None = None
    """The seal that stood."""
    after: Digest | None = None
    """The seal that stands in its place."""
    reason: Text = ""
