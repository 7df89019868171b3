"""Held: whether a fetched ledger still has a verified event, answered without reading the whole chain.

A chain only grows, so two versions of it nearly always differ at their end. Segments that are equal in both trees need
not be read; the event is looked for in the rest, and what stands before it there must be equal, too.
"""

from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import codec, union


def is_held(objects: Objects, ours: Oid | None, theirs: Oid | None, writer: str, head: tuple[int, str]) -> bool:
    """Whether both trees have the chain alike up to the event `head`; False also when that is not seen at a glance.

    `ours` is a canonical tree of this clone, so what it holds is linked. The names of forks follow from other chains.
    """
    seq, digest = head
    if "-" in writer:
        return False
    mine, other = union.segments_of(objects, ours, writer), union.segments_of(objects, theirs, writer)
    start = union.common_start(mine, other)
    lines, known = union.lines_in(objects, other[start:]), union.lines_in(objects, mine[start:])
    try:
        place = seq - codec.decode(lines[0]).seq if lines else -1
    except codec.MalformedError:
        return False
    if not 0 <= place < min(len(lines), len(known)):
        return False
    return lines[: place + 1] == known[: place + 1] and codec.digest_of(lines[place]) == digest
