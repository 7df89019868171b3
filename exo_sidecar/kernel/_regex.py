r"""Regular expressions of command rules, searched in time that grows with the text alone.

A usual matcher can take for ever on a pattern like `(a+)+`; here a pattern becomes an automaton whose states are
followed all at once, so that a rule can neither hang a gate nor be made to. Taken are characters, `.`, sets, `\d`,
`\w`, `\s` and their opposites, `\b`, `^`, `$`, groups, `|`, `* + ? {m,n}`, and `(?i)` at the beginning; `.` takes the
end of a line, too. What is not regular (references back, looking around) is refused when the rule is compiled.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple, NoReturn, TypeAlias

LENGTH_MAX: Final = 200
STATES_MAX: Final = 2000
REPEAT_MAX: Final = 100
NESTED_MAX: Final = 20
_LAST: Final = 0x10FFFF
_Ranges: TypeAlias = tuple[tuple[int, int], ...]
_EVERY: Final[_Ranges] = ((0, _LAST),)
_SETS: Final[dict[str, _Ranges]] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122), (128, _LAST)),
    "s": ((9, 13), (32, 32), (133, 133), (160, 160)),
}
_ESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_REPEATS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_Kind = Literal["set", "every", "either", "repeat", "start", "end", "edge", "inside"]


class _Node(NamedTuple):
    """A piece of a pattern: `every` of its inner ones in a row, `either` of them, one repeated, or a place."""

    kind: _Kind
    ranges: _Ranges = ()
    inner: tuple["_Node", ...] = ()
    low: int = 0
    high: int | None = None


class Pattern(NamedTuple):
    """A pattern as an automaton: per state its steps, `set` steps take a character, others what they ask for."""

    steps: tuple[tuple[tuple[_Kind, _Ranges, int], ...], ...]
    end: int
    ignores_case: bool


class _UnfitError(ValueError):
    """The pattern is not taken; the text goes on after the pattern's name."""


def fault(text: str) -> str:
    """Return why a pattern is not taken, empty when it is."""
    try:
        compiled(text)
    except _UnfitError as error:
        return str(error)
    return ""


def compiled(text: str) -> Pattern:
    """Return a pattern that `fault` finds nothing in."""
    if len(text) > LENGTH_MAX:
        _refuse(f"is longer than {LENGTH_MAX} characters")
    ignores_case = text.startswith("(?i)")
    reader = _Reader(text.removeprefix("(?i)"))
    node = reader.either(0)
    if reader.more():
        _refuse("closes a group that is not open")
    return _assembled(node, ignores_case=ignores_case)


def search(pattern: Pattern, text: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    states: set[int] = set()
    for place in range(len(text) + 1):
        before, after = text[place - 1 : place] if place else "", text[place : place + 1]
        states = _closure(pattern, {*states, 0}, before, after)
        if pattern.end in states:
            return True
        states = {
            target
            for state in states
            for kind, ranges, target in pattern.steps[state]
            if kind == "set" and after and _takes(pattern, ranges, after)
        }
    return False


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def more(self) -> bool:
        return self._place < len(self._text)

    def either(self, depth: int) -> _Node:
        """Read alternatives up to a closing parenthesis or the end."""
        if depth > NESTED_MAX:
            _refuse(f"nests more than {NESTED_MAX} groups")
        branches = [self._row(depth)]
        while self._take("|"):
            branches.append(self._row(depth))
        return branches[0] if len(branches) == 1 else _Node("either", inner=tuple(branches))

    def _row(self, depth: int) -> _Node:
        found = []
        while self.more() and self._peek() not in "|)":
            found.append(self._repeated(self._atom(depth)))
        return _Node("every", inner=tuple(found))

    def _atom(self, depth: int) -> _Node:
        char = self._next()
        match char:
            case ".":
                return _Node("set", _EVERY)
            case "^":
                return _Node("start")
            case "$":
                return _Node("end")
            case "[":
                return _Node("set", self._set())
            case "(":
                return self._group(depth)
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                _refuse(f"repeats nothing with {char}")
            case _:
                pass
        return _Node("set", _one(char))

    def _group(self, depth: int) -> _Node:
        if self._take("?") and not self._take(":"):
            _refuse("uses a group that is more than (?: ), like looking around")
        node = self.either(depth + 1)
        if not self._take(")"):
            _refuse("opens a group without closing it")
        return node

    def _escape(self) -> _Node:
        char = self._next()
        if char in "bB":
            return _Node("edge" if char == "b" else "inside")
        return _Node("set", self._escaped(char))

    def _escaped(self, char: str) -> _Ranges:
        if char.lower() in _SETS:
            ranges = _SETS[char.lower()]
            return ranges if char.islower() else _without(ranges)
        if char in _ESCAPED:
            return _one(_ESCAPED[char])
        if char.isalnum():
            _refuse(f"uses \\{char}, which is not taken")
        return _one(char)

    def _set(self) -> _Ranges:
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        while not found or self._peek() != "]":
            ranges = self._member(self._next())
            if len(ranges) == 1 and ranges[0][0] == ranges[0][1] and self._ahead() == "-" and self._ahead(1) != "]":
                self._next()
                last = self._member(self._next())
                if len(last) != 1 or last[0][0] != last[0][1] or last[0][0] < ranges[0][0]:
                    _refuse("has a range that ends before it begins")
                ranges = ((ranges[0][0], last[0][0]),)
            found += ranges
        self._next()
        return _without(tuple(found)) if negated else tuple(found)

    def _member(self, char: str) -> _Ranges:
        return self._escaped(self._next()) if char == "\\" else _one(char)

    def _repeated(self, node: _Node) -> _Node:
        bounds = self._bounds()
        if bounds is None:
            return node
        if node.kind in {"start", "end", "edge", "inside"}:
            _refuse("repeats a place instead of a character")
        self._take("?")  # as few as possible: whether it is found at all does not depend on it
        if self._bounds() is not None:
            _refuse("repeats a repetition")
        return _Node("repeat", inner=(node,), low=bounds[0], high=bounds[1])

    def _bounds(self) -> tuple[int, int | None] | None:
        if self._ahead() in _REPEATS:
            return _REPEATS[self._next()]
        close = self._text.find("}", self._place)
        body = self._text[self._place + 1 : close]
        low, comma, high = body.partition(",")
        numbers = low.isascii() and low.isdigit() and (high == "" or (high.isascii() and high.isdigit()))
        if self._ahead() == "{" and close >= 0 and low == "" and high.isdigit():
            _refuse(f"repeats {{{body[:20]}}} times; write the smaller number, too")
        if self._ahead() != "{" or close < 0 or not numbers:
            return None
        self._place = close + 1
        least, most = int(low[:9]), int(high[:9]) if high else None if comma else int(low[:9])
        if max(least, most or 0) > REPEAT_MAX or (most is not None and most < least):
            _refuse(f"repeats {{{body[:20]}}} times; at most {REPEAT_MAX}, the smaller number first")
        return least, most

    def _next(self) -> str:
        char = self._peek()
        self._place += 1
        return char

    def _peek(self) -> str:
        if not self.more():
            _refuse("ends in the middle")
        return self._text[self._place]

    def _ahead(self, distance: int = 0) -> str:
        return self._text[self._place + distance : self._place + distance + 1]

    def _take(self, char: str) -> bool:
        taken = self._ahead() == char
        self._place += taken
        return taken


def _assembled(node: _Node, *, ignores_case: bool) -> Pattern:
    steps: list[list[tuple[_Kind, _Ranges, int]]] = [[]]
    end = _emit(node, 0, steps)
    return Pattern(tuple(tuple(each) for each in steps), end, ignores_case)


def _emit(node: _Node, at: int, steps: list[list[tuple[_Kind, _Ranges, int]]]) -> int:
    """Add a node's steps from the state `at`; return the state after it. `every` as a step asks for nothing."""
    if node.kind == "every":
        for each in node.inner:
            at = _emit(each, at, steps)
        return at
    if node.kind == "repeat":
        return _emit_repeat(node, at, steps)
    after = _state(steps)
    if node.kind == "either":
        for each in node.inner:
            branch = _state(steps)
            steps[at].append(("every", (), branch))
            steps[_emit(each, branch, steps)].append(("every", (), after))
    else:
        steps[at].append((node.kind, node.ranges, after))
    return after


def _emit_repeat(node: _Node, at: int, steps: list[list[tuple[_Kind, _Ranges, int]]]) -> int:
    for _ in range(node.low):
        at = _emit(node.inner[0], at, steps)
    after = _state(steps)
    steps[at].append(("every", (), after))
    if node.high is None:
        loop = _state(steps)
        steps[at].append(("every", (), loop))
        back = _emit(node.inner[0], loop, steps)
        steps[back] += [("every", (), loop), ("every", (), after)]
        return after
    for _ in range(node.high - node.low):
        at = _emit(node.inner[0], at, steps)
        steps[at].append(("every", (), after))
    return after


def _state(steps: list[list[tuple[_Kind, _Ranges, int]]]) -> int:
    if len(steps) >= STATES_MAX:
        _refuse("repeats too much: write it shorter")
    steps.append([])
    return len(steps) - 1


def _closure(pattern: Pattern, states: Iterable[int], before: str, after: str) -> set[int]:
    """Return the states that are reached without taking a character at a place between two characters."""
    found = set(states)
    waiting = [*found]
    while waiting:
        for kind, _, target in pattern.steps[waiting.pop()]:
            if target not in found and _holds(kind, before, after):
                found.add(target)
                waiting.append(target)
    return found


def _holds(kind: _Kind, before: str, after: str) -> bool:
    match kind:
        case "every":
            return True
        case "start":
            return not before
        case "end":
            return not after
        case "edge" | "inside":
            return (_is_word(before) != _is_word(after)) is (kind == "edge")
        case _:
            return False


def _is_word(char: str) -> bool:
    return bool(char) and _within(_SETS["w"], char)


def _takes(pattern: Pattern, ranges: _Ranges, char: str) -> bool:
    if _within(ranges, char):
        return True
    return pattern.ignores_case and any(len(each) == 1 and _within(ranges, each) for each in _cases(char))


def _cases(char: str) -> Iterator[str]:
    yield char.lower()
    yield char.upper()


def _within(ranges: _Ranges, char: str) -> bool:
    code = ord(char)
    return any(first <= code <= last for first, last in ranges)


def _one(char: str) -> _Ranges:
    return ((ord(char), ord(char)),)


def _without(ranges: _Ranges) -> _Ranges:
    found = []
    following = 0
    for first, last in sorted(ranges):
        if first > following:
            found.append((following, first - 1))
        following = max(following, last + 1)
    return (*found, (following, _LAST)) if following <= _LAST else tuple(found)


def _refuse(why: str) -> NoReturn:
    raise _UnfitError(why)
