"""Layout: where things are on the governance branch, format 1 (docs/format.md, "Tree")."""

import re
from typing import Final, NamedTuple

from exo_sidecar.model import ids
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lease import Authority

FORMAT_NUMBER: Final = 1
RENDER_NUMBER: int = 3
"""What computed bytes and types of events this program knows (docs/format.md, "Render"). Read from here, always."""
FORMAT: Final = "FORMAT"
GITATTRIBUTES: Final = ".gitattributes"
GITIGNORE: Final = ".gitignore"
LEARNINGS: Final = "LEARNINGS.md"
CACHE: Final = "cache"
REJECTED: Final = "cache/rejected"
LEDGER: Final = "ledger"
SEGMENT_BYTES: Final = 64 * 1024
"""A segment takes no further line once it holds this many bytes."""
WRITER_LENGTH_MAX: Final = 200
"""Characters of an event's name: forks of forks of a chain have long ones."""
FILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Nothing exo writes on the branch is larger; what is, is not read."""

PRESCRIBED: Final = {
    GITATTRIBUTES: b"* -text -filter -ident merge=union\n",
    GITIGNORE: b"/cache/\n",
}
"""Files that the format number prescribes to the byte."""

_NUMBER: Final = re.compile(r"(exo-sidecar|render) ([0-9]{1,6})")
_SEGMENT: Final = re.compile(r"ledger/([0-9a-z]{2})/([0-9a-z]{16}(?:-[0-9a-f]{8})*)/([0-9]{6})\.jsonl")
_TICKET: Final = re.compile(r"tickets/([0-9a-z][0-9a-z-]?)/([A-Z]+-[0-9A-Z]+(?:-[0-9A-Z]+)*)\.yaml")


class Segment(NamedTuple):
    """Place of one segment file."""

    writer: str
    number: int


def writer_folder(writer: str) -> str:
    """Return the folder of a writer's segments."""
    return f"{LEDGER}/{writer[:2]}/{writer}"


def segment_path(writer: str, number: int) -> str:
    """Return the path of a writer's segment, counted from 1."""
    return f"{writer_folder(writer)}/{number:06}.jsonl"


def parse_segment(path: str) -> Segment | None:
    """Return the segment that `path` names, None when it is no segment's path."""
    found = _SEGMENT.fullmatch(path)
    if found is None or found[1] != found[2][:2] or found[3] == "000000":
        return None
    return Segment(found[2], int(found[3]))


def clone_of(writer: str) -> str:
    """Return the clone id in a writer's name: forks of a chain are `<clone>-<8 of a digest>`."""
    return writer.split("-", 1)[0]


def ticket_path(ticket_id: TicketId) -> str:
    """Return the path of a ticket's file."""
    return f"tickets/{ids.shard(ticket_id)}/{ticket_id}.yaml"


def parse_ticket(path: str) -> TicketId | None:
    """Return the ticket whose file `path` is, None when it is no ticket's path."""
    found = _TICKET.fullmatch(path)
    if found is None or not ids.is_id(found[2]) or ids.shard(found[2]) != found[1]:
        return None
    return TicketId(found[2])


def memento_path(session_id: SessionId) -> str:
    """Return the path of a session's memento."""
    return f"sessions/{ids.shard(session_id)}/{session_id}.md"


def is_document(path: str) -> bool:
    """Whether `path` is an authored document."""
    return path in DOCUMENTS


def format_text(authority: Authority | None) -> bytes:
    """Return the content of FORMAT."""
    lines = [f"exo-sidecar {FORMAT_NUMBER}", f"render {RENDER_NUMBER}"]
    if authority is not None:
        lines += [f"authority {authority.id}", f"leases {authority.mode}"]
    return "".join(f"{line}\n" for line in lines).encode()


class Numbers(NamedTuple):
    """What FORMAT says of the program that wrote the branch."""

    format: int
    render: int


def parse_format(data: bytes) -> Numbers | None:
    """Return the highest numbers that lines of FORMAT name, None when it is not one.

    A merge by plain git leaves the lines of both sides.
    """
    found: dict[str, int] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        if named := _NUMBER.fullmatch(line):
            found[named[1]] = max(found.get(named[1], 0), int(named[2]))
    return Numbers(found["exo-sidecar"], found["render"]) if len(found) == len(Numbers._fields) else None
