"""Codec: ledger lines to typed events and back. The only place where an event's JSON is read or written."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from exo_sidecar.base import canonical
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.event import LINE_BYTES_MAX, NAMES, TYPES, Data, Event

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_EVENT: Final = msgspec.json.Decoder(Event)
UNKNOWN_TYPE: Final = "is not known to this program"
"""The end of what is said of an event whose type this program does not know."""
_REDACTED: Final = b'"redacted":'
"""In every redacted line, and in hardly another: what stands inside of a text is escaped."""

_SEEN: Final = b'"seen":'


class _Unread(Event, frozen=True, kw_only=True):
    """An event of which nobody asks what its writer knew: that may be most of its line, and is not taken apart."""

    seen: msgspec.Raw | UnsetType = UNSET  # type: ignore[assignment]  # never handed out


_UNREAD: Final = msgspec.json.Decoder(_Unread)


class MalformedError(ValueError):
    """A line is no event; the text says why."""


class UnknownTypeError(MalformedError):
    """An event of a type that this program does not know."""


class RedactedError(MalformedError):
    """An event whose data was taken out of the ledger; the text is the reason."""


def encode(event: Event) -> bytes:
    """Return the event as its line, without the line feed; MalformedError when it is longer than a line may be."""
    line = canonical.dumps(msgspec.json.decode(_ENCODER.encode(event)))
    if len(line) > LINE_BYTES_MAX:
        message = f"{event.type} of {event.subject} is longer than {LINE_BYTES_MAX} bytes"
        raise MalformedError(message)
    return line


def decode(line: bytes) -> Event:
    """Return the event of a line; MalformedError when it is not canonical JSON of an event's form."""
    if len(line) > LINE_BYTES_MAX:
        message = f"longer than {LINE_BYTES_MAX} bytes"
        raise MalformedError(message)
    try:
        canonical.loads(line)
        event = _EVENT.decode(line)
    except (canonical.NotCanonicalError, msgspec.MsgspecError) as error:
        raise MalformedError(str(error)) from error
    if event.data is UNSET and (event.params is not UNSET or not is_redacted(event)):
        message = "Object missing required field `data`"
        raise MalformedError(message)
    return event


def trusted(line: bytes) -> Event:
    """Return the event of a line that `decode` has accepted before."""
    return _EVENT.decode(line)


def folded(line: bytes) -> Event:
    """Return the event of such a line for a fold of many: without what its writer knew, which may be most of it."""
    if _SEEN not in line:
        return _EVENT.decode(line)
    event = _UNREAD.decode(line)
    # What is raw is a part of the line, and would keep the whole of it.
    params, data = (part if isinstance(part, UnsetType) else part.copy() for part in (event.params, event.data))
    return Event(**{**msgspec.structs.asdict(event), "seen": UNSET, "params": params, "data": data})


def is_redacted(event: Event) -> bool:
    """Whether the event's data was taken out, and its line says so in the form that FORMAT prescribes."""
    return event.data is UNSET and event.redacted is not UNSET and event.digest is not UNSET


def digest_of(line: bytes) -> str:
    """Return an event's digest: of its line, or, where it was redacted, that of its line before."""
    if _REDACTED in line:
        try:
            event = decode(line)
        except MalformedError:
            return sha256_hex(line)
        if is_redacted(event):
            return str(event.digest)
    return sha256_hex(line)


def redacted(line: bytes, reason: str) -> bytes:
    """Return what stands in the place of an event's line once it is redacted; of a redacted one for another reason."""
    fields = canonical.loads(line)
    if not isinstance(fields, dict):
        message = "no event"
        raise MalformedError(message)
    kept = {key: value for key, value in fields.items() if key not in {"data", "params"}}
    return canonical.dumps({**kept, "digest": digest_of(line), "redacted": reason})


def decode_data(event: Event) -> Data:
    """Return the event's data by its type; UnknownTypeError, RedactedError, MalformedError."""
    if isinstance(event.data, msgspec.UnsetType):
        message = f"redacted: {event.redacted}"
        raise RedactedError(message)
    wanted = TYPES.get(event.type)
    if wanted is None:
        message = f"type {event.type[:64]!r} {UNKNOWN_TYPE}"
        raise UnknownTypeError(message)
    try:
        return msgspec.json.decode(event.data, type=wanted)
    except msgspec.MsgspecError as error:
        message = f"{event.type}: {error}"
        raise MalformedError(message) from error


def raw_data(data: Data) -> tuple[str, msgspec.Raw]:
    """Return the type's name and the canonical form of an event's data."""
    return NAMES[type(data)], msgspec.Raw(_ENCODER.encode(data))


def raw_params(params: Mapping[str, object]) -> msgspec.Raw:
    """Return an operation's parameters as they stand in an event: what was left away is left out.

    A fraction stands there as text: two programs write the same number in different ways.
    """
    given = {key: value for key, value in params.items() if value not in (None, [], (), False)}
    shown = {key: str(value) if isinstance(value, float) else value for key, value in given.items()}
    return msgspec.Raw(_ENCODER.encode(shown))


def pack(record: msgspec.Struct) -> bytes:
    """Return a folded record as the index keeps it."""
    return _ENCODER.encode(record)
