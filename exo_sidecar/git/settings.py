"""Git's settings in force for the repository: its own, then the user's, then the system's; remotes among them.

Reading follows includes and `insteadOf` (dulwich does). Writing touches the repository's own file only, under git's
lock, and leaves every other line as it stands.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exo_sidecar.git import configtext, lockfile
from exo_sidecar.model.errors import Conflict, Environment

if TYPE_CHECKING:
    from dulwich.config import StackedConfig

_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_SECTION: Final = re.compile(r"[A-Za-z0-9.-]+")
_NEEDS_QUOTES: Final = re.compile(r"^\s|\s$|[#;]")


class SettingsUnreadable(Environment):
    """A configuration file of git's cannot be parsed."""

    code = "GIT_CONFIG_UNREADABLE"
    advice = "git config --list --show-origin names the line that git cannot read"


class SettingsBusy(Conflict):
    """Somebody else is writing the repository's configuration."""

    code = "GIT_CONFIG_BUSY"
    advice = "try again; remove config.lock in the git directory if no git command is running"


class GitSettings:
    """The settings of one clone; the files are read once, and anew after `set`."""

    def __init__(self, common: Path) -> None:
        self._path: Final = common / "config"
        self._stack: StackedConfig | None = None

    def config(self) -> "StackedConfig":
        """The settings as dulwich's clients take them; SettingsUnreadable."""
        if self._stack is None:
            from dulwich.config import ConfigFile, StackedConfig  # noqa: PLC0415  30 ms that most commands save

            try:
                backends = StackedConfig.default_backends()
                own = [ConfigFile.from_path(str(self._path))] if self._path.exists() else []
            except (ValueError, OSError) as error:
                message = f"git's configuration cannot be read: {error}"
                raise SettingsUnreadable(message) from error
            self._stack = StackedConfig([*own, *backends], writable=None)
        return self._stack

    def get(self, section: tuple[str, ...], key: str) -> str | None:
        """Return the value in force of `key` in `section` (name, or name and subsection), None when unset."""
        try:
            value = self.config().get(tuple(part.encode(errors="surrogateescape") for part in section), key.encode())
        except KeyError:
            return None
        return value.decode(errors="surrogateescape")

    def remotes(self) -> tuple[str, ...]:
        """Return the names of the remotes that have an address, sorted."""
        names = {parts[1].decode(errors="surrogateescape") for parts in self._remote_sections()}
        return tuple(sorted(name for name in names if self.get(("remote", name), "url") is not None))

    def remote_url(self, name: str, *, push: bool = False) -> str | None:
        """Return the address of the remote `name` as git would use it (`insteadOf` applied), None when there is none.

        With `push` the address for pushing: `pushurl` where it is set, else `pushInsteadOf` counts.
        """
        separate = self.get(("remote", name), "pushurl") if push else None
        url = separate or self.get(("remote", name), "url")
        if url is None:
            return None
        for_push = self._rewritten(url, b"pushInsteadOf") if push and separate is None else None
        return for_push or self._rewritten(url, b"insteadOf") or url

    def user(self) -> tuple[str, str] | None:
        """Return the user's name and mail, None unless both are set."""
        name, mail = self.get(("user",), "name"), self.get(("user",), "email")
        return (name, mail) if name and mail else None

    @property
    def path(self) -> Path:
        """The repository's own file."""
        return self._path

    def set(self, section: tuple[str, ...], key: str, value: str, *, temporary: Path | None = None) -> None:
        """Set `key` in the repository's own configuration, keeping comments and order; SettingsBusy.

        `temporary` is the path of the lock's proof, in the same folder (git.lockfile); a caller that can be killed
        names one and writes it down first.
        """
        if not (_KEY.fullmatch(key) and _SECTION.fullmatch(section[0]) and not _breaks("".join(section[1:]) + value)):
            message = f"{'.'.join(section)}.{key} = {value!r} cannot be written to a git configuration"
            raise ValueError(message)
        temporary = temporary or self._path.with_name(f"exo-config-{os.urandom(8).hex()}.tmp")
        try:
            with lockfile.held(self._path, temporary, b"", durable=False) as lock:
                before = self._path.read_bytes().decode(errors="surrogateescape") if self._path.exists() else ""
                after = _with(before, section, key, value)
                lock.write(after.encode(errors="surrogateescape"), durable=True)
                lock.install(durable=True)
        except lockfile.LockBusy as error:
            message = f"{lockfile.lock_of(self._path)} exists"
            raise SettingsBusy(message) from error
        self._stack = None

    def _rewritten(self, url: str, key: bytes) -> str | None:
        """Return `url` with the longest fitting beginning replaced, None when no rule fits."""
        encoded, best, found = url.encode(errors="surrogateescape"), -1, None
        for parts in self.config().sections():
            if len(parts) != 2 or parts[0].lower() != b"url":  # noqa: PLR2004  section and subsection
                continue
            try:
                beginnings = list(self.config().get_multivar(parts, key))
            except KeyError:
                continue
            for beginning in beginnings:
                if encoded.startswith(beginning) and len(beginning) > best:
                    best, found = len(beginning), parts[1] + encoded[len(beginning) :]
        return None if found is None else found.decode(errors="surrogateescape")

    def _remote_sections(self) -> list[tuple[bytes, ...]]:
        return [parts for parts in self.config().sections() if len(parts) == 2 and parts[0].lower() == b"remote"]  # noqa: PLR2004


def _breaks(text: str) -> bool:
    return any(character in text for character in "\n\r\0")


def _with(text: str, section: tuple[str, ...], key: str, value: str) -> str:
    """Return the configuration `text` with `key` set: its last line replaced, else added below its section's."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    setting = f"\t{key} = {_quoted(value)}\n"
    span, last = _find(lines, section, key.lower())
    if span is not None:
        lines[span[0] : span[1]] = [setting]
    elif last is not None:
        lines.insert(last + 1, setting)
    else:
        lines += [_header(section), setting]
    return "".join(lines)


def _find(lines: list[str], section: tuple[str, ...], key: str) -> tuple[tuple[int, int] | None, int | None]:
    """Return the lines that the last setting of `key` spans, and the last header line of `section`."""
    wanted = (section[0].lower(), section[1] if len(section) > 1 else None)
    current: tuple[str, str | None] | None = None
    span: tuple[int, int] | None = None
    last: int | None = None
    start = 0
    while start < len(lines):
        end = _end_of_setting(lines, start)
        stripped = "".join(lines[start:end]).strip()
        header = configtext.header_of(stripped)
        if header:
            current = header[:2]
            last = start if current == wanted else last
        elif current == wanted and stripped.partition("=")[0].strip().lower() == key:
            span = (start, end)
        start = end
    return span, last


def _end_of_setting(lines: list[str], start: int) -> int:
    """Return the index behind the setting that starts at `start`: a backslash at a line's end continues it."""
    end = start + 1
    while end < len(lines) and not lines[start].lstrip().startswith(("#", ";")) and _continues(lines[end - 1]):
        end += 1
    return end


def _continues(line: str) -> bool:
    text = line.rstrip("\n")
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def _header(section: tuple[str, ...]) -> str:
    if len(section) == 1:
        return f"[{section[0]}]\n"
    escaped = section[1].replace("\\", "\\\\").replace('"', '\\"')
    return f'[{section[0]} "{escaped}"]\n'


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if _NEEDS_QUOTES.search(value) else escaped
