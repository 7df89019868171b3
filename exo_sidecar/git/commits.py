"""Commit objects: written the plain way (UTC, UTF-8), read in whatever way others wrote them."""

from typing import Final, NamedTuple

from exo_sidecar.git.objects import ObjectDamaged, Objects
from exo_sidecar.git.oid import Oid, is_oid

AUTHOR: Final = "exo <exo@localhost>"
"""Who stands in the commits that exo makes by itself."""
_FORBIDDEN: Final = str.maketrans("", "", "\n\0")


class Commit(NamedTuple):
    """A commit; people are `Name <mail>`, times are seconds since 1970."""

    tree: Oid
    parents: tuple[Oid, ...]
    author: str
    author_time: int
    committer: str
    commit_time: int
    message: str


class _Person(NamedTuple):
    name: str
    time: int


def serialise(commit: Commit) -> bytes:
    """Return the commit object; line breaks in names are dropped, so a name cannot forge a header."""
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    for role, person, time in (
        ("author", commit.author, commit.author_time),
        ("committer", commit.committer, commit.commit_time),
    ):
        lines.append(f"{role} {person.translate(_FORBIDDEN)} {time} +0000")
    message = commit.message.replace("\0", "")
    text = "\n".join(lines) + "\n\n" + message
    return text.encode(errors="surrogateescape")


def parse(data: bytes) -> Commit:
    """Return the commit that `data` holds; signatures and unknown headers are passed over.

    Raises:
        ObjectDamaged: it is no commit.
    """
    head, _, body = data.partition(b"\n\n")
    fields: dict[str, str] = {}
    parents = []
    encoding = "utf-8"
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        match key:
            case b"parent":
                parents.append(_oid(value))
            case b"encoding":
                encoding = value.decode("ascii", errors="replace")
            case b"tree" | b"author" | b"committer":
                fields.setdefault(key.decode(), _text(value, "utf-8"))
            case _:
                pass
    if not {"tree", "author", "committer"} <= fields.keys():
        message = "a commit object lacks its tree, author or committer"
        raise ObjectDamaged(message)
    author, committer = _person(fields["author"]), _person(fields["committer"])
    return Commit(
        tree=_oid(fields["tree"].encode(errors="surrogateescape")),
        parents=tuple(parents),
        author=author.name,
        author_time=author.time,
        committer=committer.name,
        commit_time=committer.time,
        message=_text(body, encoding),
    )


def read(objects: Objects, oid: Oid) -> Commit:
    """Return the commit `oid`; ObjectMissing, ObjectDamaged (also when the object is something else)."""
    found = objects.read(oid)
    if found.kind != "commit":
        message = f"object {oid} is a {found.kind}, where a commit is expected"
        raise ObjectDamaged(message, oid=oid)
    return parse(found.data)


def _oid(value: bytes) -> Oid:
    text = value.decode("ascii", errors="replace").strip()
    if not is_oid(text):
        message = f"a commit object names {text[:60]!r}, which is no object id"
        raise ObjectDamaged(message)
    return Oid(text)


def _person(text: str) -> _Person:
    """Split `Name <mail> seconds zone`; a time that is none (old and odd tools) reads as zero."""
    name, bracket, rest = text.rpartition(">")
    first = rest.split()[:1]
    digits = first[0] if first else ""
    time = int(digits) if digits.lstrip("-").isdecimal() and len(digits) < 20 else 0  # noqa: PLR2004  64 bits
    return _Person(name + bracket if bracket else text, time)


def _text(data: bytes, encoding: str) -> str:
    """Return `data` as text; an encoding that nobody knows, or that does not fit, reads as UTF-8 with surrogates."""
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return data.decode(errors="surrogateescape")


def tree_of(objects: Objects, commit: Oid | None) -> Oid | None:
    """Return the tree of a commit; None for none."""
    return read(objects, commit).tree if commit else None
