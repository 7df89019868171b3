"""The branches of one clone's chain, whatever files they came in (docs/format.md, "The fold", clone ids).

A chain has branches when two copies of a clone went on writing (a restored backup, a copied folder). At every fork the
branch with the lower digest keeps the name, each other one gets `<clone>-<8 of its first digest>`. An event that is
here both as it was written and redacted is taken as it was written: whether it is redacted is not decided here. Pure:
the same lines give the same branches, whatever sides and names they came by.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.model.event import Event
from exo_sidecar.store import codec, redaction
from exo_sidecar.store.redaction import Redactions

Lines = list[bytes]


class _Forest:
    """Lines by digest, linked by the digest that each names as the one before it."""

    def __init__(self, clone: str) -> None:
        self._clone = clone
        self._lines: dict[str, bytes] = {}
        self._following: dict[str, set[str]] = defaultdict(set)
        self._tails: dict[str, Lines] = {}
        """What stands behind a line without following it, or alone under a writer's name: damage."""

    def plant(self, writer: str, lines: Lines) -> None:
        """Take one version of a writer's chain in."""
        self._grow(lines, None, NO_DIGEST if writer == self._clone else writer)

    def _grow(self, lines: Lines, before: Event | None, parent: str) -> None:
        """Take in the lines that follow `before`, up to the first that does not; the rest is its tail."""
        present: set[str] = set()
        for place, line in enumerate(lines):
            digest = codec.digest_of(line)
            if digest in present:  # plain git kept both forms of an event that was redacted on one side
                continue
            event = self._decoded(line)
            if event is None or not self._follows(event, before, parent, is_fork=parent != NO_DIGEST):
                rest = lines[place:]
                self._tails[parent] = max(self._tails.get(parent, []), rest, key=lambda tail: (len(tail), tail))
                return
            present.add(digest)
            self._lines[digest] = line
            self._following[event.prev].add(digest)
            before, parent = event, digest

    def branches(self) -> dict[str, Lines]:
        """Return every branch by its name."""
        self._drop_changed()
        found = {name: tail for name, tail in self._tails.items() if "-" in name}
        first = min(self._following[NO_DIGEST], default=None)
        forks = [digest for parent, each in self._following.items() for digest in each if self._is_fork(parent, digest)]
        for digest in sorted(forks):
            found[self._name(digest, found)] = self._branch(digest)
        trunk = self._branch(first) if first else self._tails.get(NO_DIGEST, [])
        return {self._clone: trunk, **found} if trunk else found

    def _drop_changed(self) -> None:
        """Drop lines that were changed after they had been written, where the original is here.

        The line behind such a one tells: it names another line of the same number as the one before it. What stands
        behind goes on from the original, and no line is lost but the forged one. Each round shortens the tails.
        """
        while (found := next(filter(None, map(self._changed, sorted(self._tails))), None)) is not None:
            digest, original = found
            tail = self._tails.pop(digest)
            self._following[codec.trusted(self._lines.pop(digest)).prev].discard(digest)
            self._grow(tail, codec.trusted(self._lines[original]), original)

    def _changed(self, digest: str) -> tuple[str, str] | None:
        """Return the line and its original when the line that this tail stands behind is not what was written first."""
        behind = self._decoded(self._tails[digest][0])
        if behind is None or digest not in self._lines or self._following.get(digest):
            return None
        original = self._lines.get(behind.prev)
        if original is None or codec.trusted(original).seq != codec.trusted(self._lines[digest]).seq:
            return None
        return digest, behind.prev

    def _decoded(self, line: bytes) -> Event | None:
        try:
            event = codec.decode(line)
        except codec.MalformedError:
            return None
        return event if event.clone == self._clone else None

    def _follows(self, event: Event, before: Event | None, parent: str, *, is_fork: bool) -> bool:
        if before is not None:
            return event.prev == parent and event.seq == before.seq + 1
        return is_fork or (event.prev == NO_DIGEST and event.seq == 1)

    def _is_fork(self, parent: str, digest: str) -> bool:
        """Whether a branch of its own begins here: another one keeps the name, or what it follows is not here."""
        return digest != min(self._following[parent]) or (parent != NO_DIGEST and parent not in self._lines)

    def _name(self, digest: str, taken: dict[str, Lines]) -> str:
        name = f"{self._clone}-{digest[:8]}"
        return name if name not in taken else f"{name}-{digest[8:16]}"

    def _branch(self, digest: str) -> Lines:
        lines = [self._lines[digest]]
        while following := self._following.get(digest):
            digest = min(following)
            lines.append(self._lines[digest])
        return lines + self._tails.get(digest, [])


def branches(
    clone: str, versions: Iterable[tuple[str, Lines]], redactions: Callable[[], Redactions] = dict
) -> dict[str, Lines]:
    """Return the branches that versions of the chains of `clone` (writer's name, its lines) make together.

    `redactions` are asked for when redacted events are among them.
    """
    every = [*versions]
    chosen = _chosen((line for _, lines in every for line in lines), redactions)
    forest = _Forest(clone)
    for writer, lines in every:
        forest.plant(writer, [chosen.get(codec.digest_of(line), line) for line in lines] if chosen else lines)
    return forest.branches()


def _chosen(lines: Iterable[bytes], redactions: Callable[[], Redactions]) -> dict[str, bytes]:
    """Return by its digest the one line of each event that is here redacted: as it was written, if that is here, too.

    Else one that an event says should stand. So each digest stands for one line, also where somebody made up what a
    redacted one says.
    """
    originals: dict[str, bytes] = {}
    redacted: dict[str, set[bytes]] = defaultdict(set)
    for line in lines:
        digest, own = codec.digest_of(line), sha256_hex(line)
        if digest == own:
            originals[digest] = line
        else:
            redacted[digest].add(line)

    def order(line: bytes) -> tuple[bool, bytes]:
        return not redaction.is_allowed(codec.trusted(line), line, redactions()), line

    return {digest: originals.get(digest) or min(forms, key=order) for digest, forms in redacted.items()}
