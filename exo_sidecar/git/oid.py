"""Object ids: forty lower-case hexadecimal digits, the SHA-1 of an object."""

from typing import Final, NewType

Oid = NewType("Oid", str)

ZERO: Final = Oid("0" * 40)
"""Git's way to say "there is nothing" on the wire; never the id of an object."""

EMPTY_TREE: Final = Oid("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

_DIGITS: Final = frozenset("0123456789abcdef")
_LENGTH: Final = 40


def is_oid(text: str) -> bool:
    """Whether `text` has the form of an object id."""
    return len(text) == _LENGTH and _DIGITS.issuperset(text)
