"""What a command runs: the commands that stand inside of others, so that a rule meets them where they hide.

`env A=1 git push` runs `git push`, and so does `sh -c "cd x && git push"`. What is unwrapped here is what people and
agents write; a program that starts others by itself is beyond any reading of its arguments.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

DEPTH_MAX: Final = 8
TEXT_MAX: Final = 64 * 1024
"""Characters of all arguments together."""
COMMANDS_MAX: Final = 2000
"""Words of one line for a shell."""
WORDS_MAX: Final = 200_000
"""Words of all commands that are found, each counted where it stands."""
_CODE_POINT_MAX: Final = 0x10FFFF
_SHELLS: Final = frozenset({"ash", "bash", "dash", "fish", "ksh", "mksh", "rbash", "script", "sh", "su", "zsh"})
"""Programs that run the text behind their `-c`."""
_WRAPPERS: Final = frozenset(
    {"builtin", "busybox", "chrt", "command", "coproc", "doas", "env", "exec", "flock", "ionice", "nice", "nohup"}
    | {"parallel", "setsid", "stdbuf", "sudo", "taskset", "time", "timeout", "toybox", "unshare", "watch", "xargs"}
)
_FIRST_IS_OWN: Final = frozenset({"chrt", "flock", "taskset"})
"""Wrappers whose first argument is their own, before the command."""
_TAKE_TEXT: Final = frozenset({"flock", "parallel", "watch"})
"""Wrappers that hand their arguments to a shell as one line."""
_GIT_TAKES_VALUE: Final = frozenset(
    {"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--super-prefix", "--config-env", "--attr-source"}
)
_FIND_STARTS: Final = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_TAKES_VALUE: Final = {
    "doas": frozenset({"-u", "-C", "-a"}),
    "env": frozenset({"-u", "-C", "--unset", "--chdir"}),
    "exec": frozenset({"-a"}),
    "watch": frozenset({"-n", "--interval"}),
    "parallel": frozenset({"-j", "-I", "-n", "-N", "-a", "-S"}),
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-T", "--user", "--group"}),
    "nice": frozenset({"-n", "--adjustment"}),
    "timeout": frozenset({"-k", "-s", "--kill-after", "--signal"}),
    "xargs": frozenset({"-I", "-n", "-P", "-L", "-d", "-a", "-s", "-E"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "ionice": frozenset({"-c", "-n", "-p"}),
}
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_DURATION: Final = re.compile(r"[0-9.]+[smhd]?")
_SEPARATORS: Final = re.compile(r"[;&|(){}<>`\n]+|!")
_PUNCTUATION: Final = ";&|()<>`\n"
_REDIRECTION: Final = re.compile(r"([;&|()`\n]*?)(&?>>?|<>|<<?<?)[|&]?")
"""What is in front of it ends a command; what follows it is a file's name and no part of one."""
_CONTINUED: Final = re.compile(r"\\\n")
_BLANK_BY_NAME: Final = re.compile(r"\$IFS\b|\$\{IFS\}")
_ESCAPE: Final = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|[uU][0-9A-Fa-f]{1,8}|.)", re.DOTALL)
_LETTERS: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_ANSI_TEXT: Final = re.compile(r"\$'((?:[^'\\]|\\.)*)'")
_INNER: Final = re.compile(r"`|\$\(")
_DOCUMENT: Final = re.compile(r"<<-?[ \t]*(['\"]?)(\w+)\1")
_QUOTES: Final = str.maketrans(dict.fromkeys("'\"\\", " "))
_KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "}"})


class UnreadableError(ValueError):
    """What a command would run cannot be told from its arguments."""


def inside(argv: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield a command and every command that it runs by what its arguments say; UnreadableError."""
    words = 0
    for command in _inside(argv, 0):
        words += len(command)
        yield command
        if words > WORDS_MAX:
            message = f"the commands in it have more than {WORDS_MAX} words together"
            raise UnreadableError(message)


def _inside(argv: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    if depth > DEPTH_MAX or sum(map(len, argv)) > TEXT_MAX:
        message = "it is nested too deeply" if depth > DEPTH_MAX else f"it is longer than {TEXT_MAX} characters"
        raise UnreadableError(message)
    yield argv
    if any(_SEPARATORS.fullmatch(word) for word in argv):
        # Harmless where the words are arguments; a command line for a shell where somebody handed it on in pieces.
        yield from _of_words(argv, depth + 1)
    words = _without_assignments(argv)
    if not words:
        return
    if words != argv:
        yield words
    yield from _started(words, depth)


def _of_text(text: str, depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the commands of a line for a shell, each with those inside of it; UnreadableError."""
    if depth > DEPTH_MAX or len(text) > TEXT_MAX:
        message = "it is nested too deeply" if depth > DEPTH_MAX else f"it is longer than {TEXT_MAX} characters"
        raise UnreadableError(message)
    # Both readings are judged: what looks like such a quote may stand within another one.
    for line in dict.fromkeys((text, _plain(text))):
        try:
            tokens = _tokens(line)
        except ValueError:
            tokens = _tokens_of_documents(line)
        if len(tokens) > COMMANDS_MAX:
            message = f"it has more than {COMMANDS_MAX} words"
            raise UnreadableError(message)
        yield from _of_words(tokens, depth)


def name_of(word: str) -> str:
    """Return the name of a program without its folder."""
    return word.rpartition("/")[2]


def _started(words: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the commands that a wrapper or a shell is asked to run."""
    program = name_of(words[0])
    if program in _KEYWORDS:
        yield from _inside(words[1:], depth + 1)
    elif program in _SHELLS:
        yield from _of_text(_shell_text(words), depth + 1)
    elif program in {"eval", "trap"}:
        yield from _of_text(" ".join(words[2:] if words[1:2] == ("--",) else words[1:]), depth + 1)
    elif program == "git":
        yield from _of_git(words, depth)
    elif program == "find":
        for place, word in enumerate(words):
            if word in _FIND_STARTS and words[place + 1 :]:
                yield from _inside(words[place + 1 :], depth + 1)
    elif program in _WRAPPERS:
        yield from _wrapped(program, words, depth)


def _wrapped(program: str, words: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    """Yield what stands behind a wrapper's own arguments, by each reading of them."""
    if program == "env":
        yield from _of_text(_split_text(words), depth + 1)
    rest = _after_options(program, words[1:])
    if rest:
        yield from _inside(rest, depth + 1)
    if rest[1:] and program in _FIRST_IS_OWN:
        yield from _inside(rest[1:], depth + 1)
    if program in _TAKE_TEXT:
        yield from _of_text(" ".join(rest), depth + 1)


def _of_git(words: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    """Yield git's command without what stands between `git` and its name, and commands that an alias there is."""
    place = 1
    while place < len(words) and words[place].startswith("-"):
        if words[place] == "-c" and "=!" in "".join(words[place + 1 : place + 2]):
            yield from _of_text(words[place + 1].partition("=!")[2], depth + 1)
        place += 2 if words[place] in _GIT_TAKES_VALUE else 1
    if place > 1:
        yield (words[0], *words[place:])


def _of_words(tokens: Sequence[str], depth: int) -> Iterator[tuple[str, ...]]:
    command: list[str] = []
    numbered: list[str] = []
    is_file = False
    for token in [*tokens, ";"]:
        redirection = _REDIRECTION.fullmatch(token)
        if redirection is None and not _SEPARATORS.fullmatch(token):
            yield from _substituted(token, depth)
            if not is_file:
                command.append(token)
                numbered.append(token)
            is_file = False
            continue
        is_file = redirection is not None
        if redirection is not None and not redirection[1]:
            # Of `2>file` the number is no argument; of `2 >file` it is one, and the words do not tell them apart.
            numbered = numbered[:-1] if numbered and numbered[-1].isdecimal() else numbered
            continue
        for found in dict.fromkeys((tuple(command), tuple(numbered))):
            if found:
                yield from _inside(found, depth + 1)
        command, numbered = [], []


def _plain(text: str) -> str:
    """Return a line without what a shell takes away first: continued lines, blanks by name, quotes that are signs."""
    joined = _BLANK_BY_NAME.sub(" ", _CONTINUED.sub("", text))
    return _ANSI_TEXT.sub(lambda found: shlex.quote(_unescaped(found[1])), joined)


def _unescaped(text: str) -> str:
    r"""Return what `$'..'` stands for: `\x72` and its like by their characters; any other by what follows the sign."""
    return _ESCAPE.sub(lambda found: _character(found[1]), text)


def _character(escape: str) -> str:
    if escape in _LETTERS:
        return _LETTERS[escape]
    digits, base = (escape, 8) if escape[0] in "01234567" else (escape[1:], 16)
    number = int(digits, base) if digits else 0
    return chr(number) if 0 < number <= _CODE_POINT_MAX else escape[-1:]


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    return [*lexer]


def _tokens_of_documents(text: str) -> list[str]:
    """Return the words of a line with documents in it, in which a quote is a character like any other."""
    lines: list[str] = []
    ends: list[str] = []
    for line in text.split("\n"):
        if ends and line.strip() == ends[0]:
            ends.pop(0)
            lines.append(";")
        elif ends:
            lines.append(line.translate(_QUOTES))
        else:
            lines.append(line)
            ends = [found[2] for found in _DOCUMENT.finditer(line)]
    try:
        return _tokens("\n".join(lines))
    except ValueError as error:
        message = f"its quotes do not close: {str(error).lower()}"
        raise UnreadableError(message) from error


def _substituted(token: str, depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the commands whose output a quoted word takes in."""
    if _INNER.search(token):
        yield from _of_text(_INNER.sub(" ; ", token).replace('"', " ").replace("'", " "), depth + 1)


def _without_assignments(argv: tuple[str, ...]) -> tuple[str, ...]:
    place = 0
    while place < len(argv) and _ASSIGNMENT.match(argv[place]):
        place += 1
    return argv[place:]


def _shell_text(words: tuple[str, ...]) -> str:
    """Return what follows `-c`, empty when nothing does; options before it may have values, so every word is asked."""
    for place, word in enumerate(words[1:], 1):
        if re.fullmatch(r"-[A-Za-z]*c[A-Za-z]*", word):
            rest = [each for each in words[place + 1 :] if not each.startswith("-")]
            return rest[0] if rest else ""
    return ""


def _split_text(words: tuple[str, ...]) -> str:
    """Return what `env` splits into a command, with what follows it; empty when it is asked for nothing like that."""
    for place, word in enumerate(words[1:], 1):
        if word in {"-S", "--split-string"}:
            return " ".join(words[place + 1 :])
        for flag in ("--split-string=", "-S"):
            if word.startswith(flag):
                return " ".join((word.removeprefix(flag), *words[place + 1 :]))
        if not word.startswith("-") and not _ASSIGNMENT.match(word):
            return ""
    return ""


def _after_options(program: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a wrapper runs: its arguments behind its own options."""
    takes = _TAKES_VALUE.get(program, frozenset())
    place = 0
    while place < len(words):
        word = words[place]
        if word == "--":
            return words[place + 1 :]
        if word.startswith("-") and (len(word) > 1 or program == "env"):
            place += 2 if word in takes else 1
        elif _ASSIGNMENT.match(word) or (program == "timeout" and _DURATION.fullmatch(word)):
            place += 1
        else:
            break
    return words[place:]
