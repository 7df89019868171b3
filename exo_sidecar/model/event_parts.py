"""Parts of events: the bounded types that data of events is made of (docs/format.md, "Events")."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.ticket import COUNT_MAX, TEXT_MAX, TITLE_MAX

ACTOR_MAX: Final = 80
BRANCH_MAX: Final = 1024

Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Title = Annotated[str, Meta(min_length=1, max_length=TITLE_MAX)]
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Commit = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
Nonce = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Id = Annotated[str, Meta(pattern=r"^[A-Z]+-[0-9A-Z]+(-[0-9A-Z]+)*\Z", max_length=40)]
Ticket = Annotated[TicketId, Meta(pattern=r"^[A-Z]+-[0-9A-Z]+(-[0-9A-Z]+)*\Z", max_length=40)]
Session = Annotated[SessionId, Meta(pattern=r"^SES(-[0-9A-Z]+)+\Z", max_length=40)]
Epoch = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
ActorName = Annotated[str, Meta(max_length=ACTOR_MAX)]
Branch = Annotated[str, Meta(max_length=BRANCH_MAX)]
EventName = Annotated[str, Meta(pattern=r"^[0-9a-z]{16}(-[0-9a-f]{8})*:[1-9][0-9]{0,15}\Z", max_length=200)]
"""`<writer>:<seq>`."""
Members = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=1024)], ...], Meta(max_length=1000)]


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is common to all data: defaults are left out of the line."""
