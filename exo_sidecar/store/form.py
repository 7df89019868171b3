"""Form: what must hold of an event before its data may count, beyond the types of its fields.

A subject becomes the name of a file, so nothing but an id, or a document's name, is ever taken for one.
"""

from exo_sidecar.git import refnames
from exo_sidecar.model import ids, lifecycle
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.event import Data, Event, EventRedacted, TicketMoved, lease_ticket
from exo_sidecar.model.event_authority import AuthorityMoved, AuthoritySet
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.event_memory import ReflectionRecorded
from exo_sidecar.model.reflection import reflection_id
from exo_sidecar.store import codec


def data_of(event: Event) -> tuple[Data | None, str | None]:
    """Return the event's data, or why it is quarantined for its form."""
    try:
        data = codec.decode_data(event)
    except codec.MalformedError as error:
        return None, str(error)
    fault = _subject_fault(event) or _data_fault(event, data)
    return (None, fault) if fault else (data, None)


def _subject_fault(event: Event) -> str | None:
    noun = event.type.partition(".")[0]
    match noun:
        case "ticket" | "lease" | "push":
            fits = ids.is_id(event.subject)
        case "check":
            fits = ids.is_id(event.subject) or event.subject == noun
        case "handoff":
            fits = ids.is_id(event.subject) and event.subject.startswith("HND-")
        case "reflection":
            fits = ids.is_id(event.subject) and event.subject.startswith("REF-")
        case "spec":
            fits = ids.is_id(event.subject) and event.subject.startswith("SPEC-")
        case "session":
            fits = ids.is_id(event.subject) and event.subject.startswith("SES-")
        case "document":
            fits = event.subject in DOCUMENTS
        case "event":
            fits = True  # it is compared with the data, whose form is declared
        case _:
            fits = event.subject == noun  # `authority`: there is one
    return None if fits else f"{event.subject[:60]!r} is no subject of {event.type}"


def _is_remote(name: str) -> bool:
    """Whether git takes it for the name of a remote: it becomes part of a ref's name and of a file's."""
    return refnames.is_valid(f"refs/remotes/{name}/branch") and not name.startswith("-")


def _data_fault(event: Event, data: Data) -> str | None:
    if isinstance(data, TicketMoved) and lifecycle.row(data.start, data.end) is None:
        return f"{data.start} to {data.end} is no row of the lifecycle table"
    if isinstance(data, AuthoritySet | AuthorityMoved) and data.remote is not None and not _is_remote(data.remote):
        return f"{data.remote[:60]!r} is no name of a remote"
    if event.type.startswith(("lease.", "push.")) and lease_ticket(event.subject, data) != event.subject:
        return "its subject is another ticket than its data's"
    if isinstance(data, ChecksRan) and (data.ticket or "check") != event.subject:
        return "its subject is another ticket than its data's"
    if isinstance(data, ReflectionRecorded) and reflection_id(data.scope, data.pattern) != event.subject:
        return "its subject is not the id that follows from its scope and pattern"
    if isinstance(data, EventRedacted) and data.event != event.subject:
        return "its subject is another event than its data's"
    return None
