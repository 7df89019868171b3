"""Whether scopes meet, and whether one lies in another: exact, by automata over the characters of a path.

A glob becomes a machine whose states are places in it; two globs overlap when a walk through both machines at once
ends in both. Only what can be a path counts: no empty segment, none that is `.` or `..`. The work is bounded: where an
answer would cost more, it is the careful one, `overlaps` and `does not cover`.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from exo_sidecar.model.glob_syntax import ANY, SLASH, Part, Ranges, is_subtree, meet, parts

STEPS_MAX: Final = 50_000
"""States visited for one answer: globs that people write need some hundreds; this is a second or two of work."""
_DOT: Final = ord(".")
_MAGIC: Final = re.compile(r"[*?\[{]")
_SLASH: Final[Ranges] = ((SLASH, SLASH),)
_ALL: Final[Ranges] = (*ANY, (SLASH, SLASH))
_EMPTY, _ONE_DOT, _TWO_DOTS, _NAMED = range(4)
"""How a segment stands: nothing yet, `.`, `..`, or a name that a file can have."""


_State = TypeVar("_State", bound=tuple[object, ...])


class TooCostlyError(Exception):
    """An exact answer would take too long."""


class Machine(NamedTuple):
    """A glob as an automaton: from each state, characters and the state after them."""

    steps: tuple[tuple[tuple[Ranges, int], ...], ...]
    starts: frozenset[int]
    ends: frozenset[int]


class _Builder:
    """States while they are made; `free` are steps that take no character."""

    def __init__(self) -> None:
        self.steps: list[list[tuple[Ranges, int]]] = [[]]
        self.free: list[list[int]] = [[]]

    def state(self) -> int:
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def add(self, part: Part, at: int) -> int:
        """Return the state after a part that is no brace."""
        after = self.state()
        match part.kind:
            case "one":
                self.steps[at].append((part.ranges, after))
            case "slash":
                self.steps[at].append((_SLASH, after))
            case "many" | "deep":
                self.free[at].append(after)
                self.steps[after].append((ANY if part.kind == "many" else _ALL, after))
            case _:  # folders: each a name and a slash
                name = self.state()
                self.free[at].append(after)
                self.steps[after].append((ANY, name))
                self.steps[name] += [(ANY, name), (_SLASH, after)]
        return after

    def closed(self, end: int) -> Machine:
        """Return the machine without free steps."""
        reached = [self._reach(state) for state in range(len(self.steps))]
        steps = tuple(tuple(step for each in sorted(group) for step in self.steps[each]) for group in reached)
        return Machine(steps, frozenset({0}), frozenset(state for state, group in enumerate(reached) if end in group))

    def _reach(self, state: int) -> set[int]:
        found = {state}
        waiting = [state]
        while waiting:
            for following in self.free[waiting.pop()]:
                if following not in found:
                    found.add(following)
                    waiting.append(following)
        return found


def machine(glob: str) -> Machine:
    """Return the automaton of a glob."""
    builder = _Builder()
    at, opened = 0, 0
    branches: list[int] = []
    for part in parts(glob):
        if part.kind == "open":
            opened, branches = at, []
            at = _branch(builder, opened)
        elif part.kind == "or":
            branches.append(at)
            at = _branch(builder, opened)
        elif part.kind == "close":
            after = builder.state()
            for each in (*branches, at):
                builder.free[each].append(after)
            at = after
        else:
            at = builder.add(part, at)
    if is_subtree(glob):
        end = builder.state()
        builder.free[at].append(end)
        below = builder.add(Part("slash"), at)
        builder.free[builder.add(Part("deep"), below)].append(end)
        at = end
    return builder.closed(at)


def accepts(found: Machine, path: str) -> bool:
    """Whether the machine matches the path, in time that grows with its length alone."""
    states = found.starts
    for character in path:
        code = ord(character)
        states = frozenset(
            after
            for state in states
            for ranges, after in found.steps[state]
            if any(low <= code <= high for low, high in ranges)
        )
        if not states:
            return False
    return not states.isdisjoint(found.ends)


def overlap(one: str, other: str, without: Sequence[str] = ()) -> bool:
    """Whether some path is matched by both globs and by none of `without`; yes when that would take too long to say."""
    if not _may_meet(one, other):
        return False
    try:
        return meeting(one, other, without) is not None
    except TooCostlyError:
        return True


def meeting(one: str, other: str, without: Sequence[str] = ()) -> str | None:
    """Return a shortest path that both globs match and none of `without` does, None: there is none; TooCostlyError."""
    first, second = machine(one), machine(other)
    machines = [machine(each) for each in without]
    walk = _Walk((0, 0, tuple(each.starts for each in machines), _EMPTY), STEPS_MAX // (5 if without else 1))
    for state in walk:
        a, b, sides, segment = state
        if segment == _NAMED and a in first.ends and b in second.ends and not _ended(machines, sides):
            return walk.path_to(state)
        for ranges, after in first.steps[a]:
            for others, beside in second.steps[b]:
                for piece in _pieces(meet(ranges, others), machines, sides):
                    moved = _all_moved(machines, sides, piece)
                    for following, char in _segments(segment, (piece,)):
                        walk.add((after, beside, moved, following), state, char)
    return None


def overlapping(some: Iterable[str], others: Sequence[str], without: Sequence[str] = ()) -> tuple[str, str] | None:
    """Return the first pair of globs that overlap outside of `without`, None when no two do."""
    return next(((one, other) for one in some for other in others if overlap(one, other, without)), None)


def covers(wide: Sequence[str], glob: str) -> bool:
    """Whether every path that `glob` matches is matched by one of `wide`; no when that would take too long to say."""
    try:
        return glob in wide or outlier(wide, glob) is None
    except TooCostlyError:
        return False


def outlier(wide: Sequence[str], glob: str) -> str | None:
    """Return a shortest path that `glob` matches and none of `wide` does, None when there is none; TooCostlyError."""
    narrow = machine(glob)
    machines = [machine(each) for each in wide]
    walk = _Walk((0, tuple(each.starts for each in machines), _EMPTY), STEPS_MAX // 10)
    for state in walk:
        at, sides, segment = state
        if segment == _NAMED and at in narrow.ends and not _ended(machines, sides):
            return walk.path_to(state)
        for ranges, after in narrow.steps[at]:
            for piece in _pieces(ranges, machines, sides):
                moved = _all_moved(machines, sides, piece)
                for following, char in _segments(segment, (piece,)):
                    walk.add((after, moved, following), state, char)
    return None


class _Walk(Generic[_State]):
    """States still to be looked at, nearest first, and the way to each; TooCostlyError beyond a limit."""

    def __init__(self, start: _State, limit: int) -> None:
        self._from: dict[_State, tuple[_State, str] | None] = {start: None}
        self._waiting = deque([start])
        self._limit = limit

    def __iter__(self) -> Iterator[_State]:
        while self._waiting:
            yield self._waiting.popleft()

    def add(self, state: _State, before: _State, char: str) -> None:
        """Have a state looked at that was not seen yet."""
        if state not in self._from:
            if len(self._from) >= self._limit:
                raise TooCostlyError
            self._from[state] = (before, char)
            self._waiting.append(state)

    def path_to(self, state: _State) -> str:
        """Return the characters on the way to a state."""
        chars = []
        step = self._from[state]
        while step is not None:
            chars.append(step[1])
            step = self._from[step[0]]
        return "".join(reversed(chars))


def _branch(builder: _Builder, opened: int) -> int:
    state = builder.state()
    builder.free[opened].append(state)
    return state


def _segments(segment: int, ranges: Ranges) -> Iterator[tuple[int, str]]:
    """Yield how the segment can stand after one of the characters, and that one; nothing where no path goes on."""
    if segment == _NAMED and any(low <= SLASH <= high for low, high in ranges):
        yield _EMPTY, "/"
    if any(low <= _DOT <= high for low, high in ranges):
        yield (_ONE_DOT, _TWO_DOTS, _NAMED, _NAMED)[segment], "."
    other = next((char for low, high in ranges for char in _shown(low, high)), None)
    if other is not None:
        yield _NAMED, other


def _shown(low: int, high: int) -> Iterator[str]:
    """Yield a character of the range that is neither dot nor slash, a letter if there is one."""
    for code in (ord("a"), ord("A"), ord("0"), low, low + 1, low + 2):
        if low <= code <= high and code not in {_DOT, SLASH}:
            yield chr(code)


def _may_meet(one: str, other: str) -> bool:
    """Whether what the globs begin with, up to the first wildcard, lets one path begin with both: most do not."""
    return all(a == b for a, b in zip(_beginning(one), _beginning(other), strict=False))


def _beginning(glob: str) -> str:
    return _MAGIC.split(glob, maxsplit=1)[0].rstrip("/")


def _pieces(
    ranges: Ranges, machines: Sequence[Machine], sides: tuple[frozenset[int], ...]
) -> Iterator[tuple[int, int]]:
    """Yield the characters in pieces that no step of the machines tells apart; a dot and a slash stand alone."""
    cuts = {_DOT, _DOT + 1, SLASH, SLASH + 1} if machines else set()
    for each, side in zip(machines, sides, strict=True):
        for state in side:
            for others, _ in each.steps[state]:
                cuts.update(cut for low, high in others for cut in (low, high + 1))
    for low, high in ranges:
        edges = [low, *sorted(cut for cut in cuts if low < cut <= high), high + 1]
        yield from ((edges[place], edges[place + 1] - 1) for place in range(len(edges) - 1))


def _ended(machines: Sequence[Machine], sides: tuple[frozenset[int], ...]) -> bool:
    return any(not side.isdisjoint(each.ends) for side, each in zip(sides, machines, strict=True))


def _all_moved(
    machines: Sequence[Machine], sides: tuple[frozenset[int], ...], piece: tuple[int, int]
) -> tuple[frozenset[int], ...]:
    return tuple(_moved(each, side, piece) for each, side in zip(machines, sides, strict=True))


def _moved(found: Machine, states: frozenset[int], piece: tuple[int, int]) -> frozenset[int]:
    return frozenset(
        after
        for state in states
        for ranges, after in found.steps[state]
        if any(low <= piece[0] and piece[1] <= high for low, high in ranges)
    )
