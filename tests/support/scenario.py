"""Stories in plain text: commands and exactly what they say, told again by real processes in real clones of a bare hub.

A story is prose with blocks that are indented by four spaces. In them a line `$ [clone-a claude] exo next` is a command
of that actor in that clone, `> ` at the beginning of a line continues it, and what follows, up to the next command or
the next prose, is what it must say; `[exit 6]` stands below when it did not go well. What differs from one run to the
next (ids, commits, digests, times) has names in the order in which it appears; a name stands in a later command for
what it was given to.

Each command of exo takes a minute by the clocks that it sees, and `wait 5h` lets time go by; ids are random.

Beside `exo` there are `git`, `echo TEXT > FILE` (or `>>`), `cat FILE`, and `killed MOMENT exo ...`, which is `exo` that
dies with SIGKILL just before it touches what MOMENT names (`Forks`, `die_before`).
"""

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model import duration
from tests.support.forked import Forks, Work

INDENT: Final = "    "
_COMMAND: Final = re.compile(r"\$ \[(?P<clone>[a-z-]+) (?P<actor>[a-z]+)\] (?P<text>.+)")
PEOPLE: Final = frozenset({"ann", "ben"})
"""Who is a person; everybody else is an agent."""
_DIGEST_LENGTH: Final = 64
_BEGIN: Final = 1767603600.0
"""When the first command is given: a Monday at nine."""
_STEP_SECONDS: Final = 60.0
"""After each command of exo."""
_FOLDER: Final = "<folder>"
_CELL: Final = re.compile(r"\S+(?: \S+)* {2,}")
_WRITER: Final = re.compile(r"^[0-9a-z]{16}  +[0-9]+ .*$", re.MULTILINE)
_NAME: Final = re.compile(r"<[A-Za-z]+-[0-9]+>")
_WAYS: Final[Mapping[str, tuple[str, int]]] = {
    "before-it-is-written": ("refs/heads/exo-governance", 1),
    "before-it-is-pushed": ("receive-pack", 1),
}
"""Moments of `killed`: what is about to be touched, and how often it has been named by then."""


class Step(NamedTuple):
    """One command and what it says."""

    line: int
    clone: str
    actor: str
    text: str
    said: tuple[str, ...]


class Prose(NamedTuple):
    """Text between commands, kept as it is."""

    lines: tuple[str, ...]


def parse(text: str) -> tuple[Prose | Step, ...]:
    """Return the parts of a story in order."""
    return tuple(_parts(text.splitlines()))


def _parts(lines: list[str]) -> Iterator[Prose | Step]:
    number = 0
    while number < len(lines):
        begin = number
        found = _COMMAND.fullmatch(lines[number].removeprefix(INDENT)) if lines[number].startswith(INDENT) else None
        number += 1
        if found is None:
            while number < len(lines) and not lines[number].startswith(f"{INDENT}$ "):
                number += 1
            yield Prose(tuple(lines[begin:number]))
            continue
        words = [found["text"]]
        while number < len(lines) and lines[number].startswith(f"{INDENT}> "):
            words.append(lines[number].removeprefix(f"{INDENT}> "))
            number += 1
        first = number
        while number < len(lines) and _is_said(lines, number):
            number += 1
        said = tuple(line.removeprefix(INDENT) for line in lines[first:number])
        yield Step(begin + 1, found["clone"], found["actor"], "\n".join(words), said)


def _is_said(lines: list[str], number: int) -> bool:
    """Say whether a line is output: indented and no command, or blank between such lines."""
    line = lines[number]
    if line.strip():
        return line.startswith(INDENT) and not line.startswith(f"{INDENT}$ [")
    following = next((each for each in lines[number:] if each.strip()), "")
    return following.startswith(INDENT) and not following.startswith(f"{INDENT}$ [")


class Names:
    """What differs between runs, and what it is called in the order in which it appears."""

    _IDS: Final = re.compile(
        r"(?P<kind>SES|HND|TICKET|INTENT)-(?:[0-9A-Z]{10}|[0-9A-Z]{4})\b"
        r"|(?P<clone>\b(?=[a-z]*[0-9])[0-9a-z]{16}\b|^[0-9a-z]{16}(?=  ))"
        r"|\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{12}|[0-9a-f]{10}|(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7})\b",
        re.MULTILINE,
    )
    _DIGEST: Final = re.compile(r"(policy|sealed:|seal|lock|DIGEST|digest|[.]md|[.]yaml)\s+\Z")
    _OTHERS: Final = (
        (re.compile(r"(?<=sessions/)[0-9a-z]{2}(?=/)"), "xx"),
        (re.compile(r"(?<=seen )[0-9smhd ]+(?= ago\))"), "a while"),
        (re.compile(r"^(git +. \w+ +)[0-9.]+$", re.MULTILINE), r"\1<version>"),
        (re.compile(r"\b[0-9.]+ (?=GiB free)"), "<n> "),
        (re.compile(r"(?<=  )[0-9]+\.[0-9](?=  )"), "0.0"),
    )
    """What is measured: replaced by the same words in every run."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._by_value: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def real(self, text: str) -> str:
        """Return a command with names replaced by what they stand for."""
        by_name = {name: value for value, name in reversed(self._by_value.items())}
        return _NAME.sub(lambda found: by_name[found[0]], text)

    def steady(self, text: str) -> str:
        """Return what was said, with names in place of what differs; columns stay where they are."""
        text = _narrowed(text, self._folder)
        for pattern, word in self._OTHERS:
            text = pattern.sub(word, text)
        text = self._IDS.sub(self._named, _by_events(text))
        return "\n".join(line.rstrip() for line in text.splitlines())

    def _named(self, found: re.Match[str]) -> str:
        value = found[0]
        kind = found["kind"] or ("clone" if found["clone"] else "commit")
        if kind == "commit" and (len(value) == _DIGEST_LENGTH or self._DIGEST.search(found.string[: found.start()])):
            kind = "digest"
        name = self._known(value) or self._new(value, kind)
        in_column = found.string[found.end() : found.end() + 2] == "  "
        return name.ljust(len(value)) if in_column else name

    def _known(self, value: str) -> str | None:
        return next((name for known, name in self._by_value.items() if known.startswith(value)), None)

    def _new(self, value: str, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._by_value[value] = f"<{kind}-{self._counts[kind]}>"
        return self._by_value[value]


def _narrowed(text: str, folder: str) -> str:
    """Return text with `<folder>` for the folder; a column that holds it gets the width that this word leaves to it."""
    extra = len(folder) - len(_FOLDER)
    lines = text.splitlines()
    for number, line in enumerate(lines):
        at = line.find(folder)
        if at < 0 or "  " not in line[at:]:
            continue
        for other in (each for each in _around(lines, number) if folder not in lines[each]):
            cell = _CELL.match(lines[other], at)
            if cell is not None:
                lines[other] = lines[other][: cell.end() - extra] + lines[other][cell.end() :]
    return "\n".join(lines).replace(folder, _FOLDER)


def _around(lines: list[str], number: int) -> range:
    """Return the lines of the table that a line is in."""
    first = last = number
    while first > 0 and lines[first - 1]:
        first -= 1
    while last < len(lines) and lines[last]:
        last += 1
    return range(first, last)


def _by_events(text: str) -> str:
    """Return a table of writers in the order of how much they wrote: their names, by which it is sorted, are random."""
    rows = _WRITER.findall(text)
    ordered = iter(sorted(rows, key=lambda row: int(row.split()[1])))
    return _WRITER.sub(lambda _: next(ordered), text)


class Player:
    """Runs the commands of a story, chapter by chapter, below `folder`, where the clones are."""

    def __init__(self, folder: Path, server: Forks) -> None:
        self._folder = folder
        self._server = server
        self._names = Names(folder)
        self._now = _BEGIN

    def told(self, text: str) -> str:
        """Tell one chapter, and return it as it is now; names begin anew with each."""
        self._names = Names(self._folder)
        return "\n".join(line for part in parse(text) for line in self._lines(part)) + "\n"

    def _lines(self, part: Prose | Step) -> Iterator[str]:
        if isinstance(part, Prose):
            yield from part.lines
            return
        first, *more = part.text.splitlines()
        yield f"{INDENT}$ [{part.clone} {part.actor}] {first}"
        yield from (f"{INDENT}> {line}" for line in more)
        said = self._names.steady(self._said(part)).splitlines()
        yield from (f"{INDENT}{line}".rstrip() for line in said)

    def _said(self, step: Step) -> str:
        words = shlex.split(self._names.real(step.text.replace("\n", " ")))
        cwd = self._folder / step.clone
        if words[0] == "echo":
            (cwd / words[3]).parent.mkdir(parents=True, exist_ok=True)
            with (cwd / words[3]).open("w" if words[2] == ">" else "a") as file:
                file.write(f"{words[1]}\n")
            return ""
        if words[0] == "wait":
            self._now += duration.parse(words[1])
            return ""
        if words[0] in {"git", "cat"}:
            done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
            return _whole(done.stdout, done.stderr, done.returncode)
        return self._exo(words, cwd, step.actor)

    def _exo(self, words: list[str], cwd: Path, actor: str) -> str:
        die_before, die_at = "", 0
        if words[0] == "killed":
            die_before, die_at = _WAYS[words[1]]
            words = words[2:]
        assert words[0] == "exo", words
        kind = "human" if actor in PEOPLE else "agent"
        env = {"EXO_ACTOR": f"{kind}:{actor}"}
        self._now += _STEP_SECONDS
        work = Work(cwd, tuple(words[1:]), env, die_at=die_at, die_before=die_before, at=self._now)
        ran = self._server.start(work).wait()
        return _whole(ran.out, ran.err, ran.exit)


def _whole(out: str, err: str, status: int) -> str:
    """Return what a command said: first its answer, then its warnings or its error, then how it ended."""
    end = "" if status == 0 else "[killed]" if status == -9 else f"[exit {status}]"
    return "\n".join(part.rstrip("\n") for part in (out, err, end) if part)
