"""The next link of a writer's chain (docs/kernel.md): what makes a change of the record show."""

from msgspec.structs import replace

from exo_sidecar.model.event import Event, Head


def append_audit(event: Event, before: Head) -> Event:
    """Return the event as the one that follows `before`: the next number, and the digest of the line before it.

    A line that is changed, dropped, moved or put in between breaks a link behind it, and whoever recomputes the chain
    finds the place. Of an event nothing else is changed.
    """
    return replace(event, seq=before.seq + 1, prev=before.digest)
