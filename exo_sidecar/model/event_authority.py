"""Events of the authority: where it is decided who holds leases (docs/leases.md)."""

from typing import Annotated, Literal

from msgspec import Meta

from exo_sidecar.model.event_parts import EventData
from exo_sidecar.model.ticket import COUNT_MAX


class AuthoritySet(EventData, frozen=True):
    """The place was chosen that decides who holds leases."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    remote: Annotated[str, Meta(max_length=100)] | None = None
    mode: Literal["refs", "branch"] = "refs"


class AuthorityMoved(EventData, frozen=True):
    """The place that decides who holds leases is another one now."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    previous: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    """The id of the authority until then."""
    floor: Annotated[int, Meta(ge=0, le=COUNT_MAX)]
    """The highest epoch known anywhere, plus one; every claim at the new place stands above it. The one more is for a
    claim whose advertisement came before the old place was retired: it may still land there, with just that epoch.
    """
    remote: Annotated[str, Meta(max_length=100)] | None = None
    mode: Literal["refs", "branch"] = "refs"
