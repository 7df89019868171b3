"""Ids: their form, and how new ones are minted (docs/format.md, "Tree"). Nothing is allocated by counting."""

import hashlib
import math
import re
from collections.abc import Callable
from typing import Final, NewType, TypeAlias

from exo_sidecar.model.errors import IdInvalid

TicketId = NewType("TicketId", str)
SessionId = NewType("SessionId", str)
CloneId = NewType("CloneId", str)
Nonce = NewType("Nonce", str)
Entropy: TypeAlias = Callable[[int], bytes]
"""Returns that many random bytes: `os.urandom` in life, a seeded source in tests."""

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH_MAX: Final = 40
CLASH_ODDS: Final = 10_000
"""A new id meets an existing one at most once in this many times."""
_SHORTEST: Final = 4
_SESSION_LENGTH: Final = 10
_DERIVED_LENGTH: Final = 10
_CLONE_LENGTH: Final = 16
_NONCE_BYTES: Final = 16
_FORM: Final = re.compile(r"[A-Z]+-[0-9A-Z]+(-[0-9A-Z]+)*")
_CLONE_FORM: Final = re.compile(r"[0-9a-z]{16}")


def parse(text: str) -> str:
    """Return `text` as an id, upper-cased; IdInvalid when it has another form."""
    candidate = text.strip().upper()
    if len(candidate) > LENGTH_MAX or not _FORM.fullmatch(candidate):
        message = f"{text[:60]!r} is not an id"
        raise IdInvalid(message)
    return candidate


def is_id(text: str) -> bool:
    """Whether `text` is an id exactly as stored."""
    return len(text) <= LENGTH_MAX and _FORM.fullmatch(text) is not None


def is_clone_id(text: str) -> bool:
    """Whether `text` is a clone's id as minted (forks have computed names, see store.ledger)."""
    return _CLONE_FORM.fullmatch(text) is not None


def shard(identifier: str) -> str:
    """Return the folder of a record: the first two characters of the id's own part, lower case."""
    return identifier.split("-", 1)[-1][:2].lower()


def mint(prefix: str, existing: int, entropy: Entropy) -> str:
    """Return a new id `<prefix>-XXXX`, longer as `existing` records of that prefix grow."""
    needed = math.log(max(existing, 1) * CLASH_ODDS, len(CROCKFORD))
    return f"{prefix}-{_letters(max(_SHORTEST, math.ceil(needed)), entropy)}"


def mint_session(entropy: Entropy) -> SessionId:
    """Return a new session id; long, because a session is named before the ledger of others is known."""
    return SessionId(f"SES-{_letters(_SESSION_LENGTH, entropy)}")


def mint_handoff(entropy: Entropy) -> str:
    """Return a new handoff id; long, for the same reason."""
    return f"HND-{_letters(_SESSION_LENGTH, entropy)}"


def mint_clone(entropy: Entropy) -> CloneId:
    """Return a new clone id: 16 of `[0-9a-z]`."""
    return CloneId(_letters(_CLONE_LENGTH, entropy).lower())


def mint_nonce(entropy: Entropy) -> Nonce:
    """Return a nonce of 128 bits, as 32 hexadecimal digits."""
    return Nonce(entropy(_NONCE_BYTES).hex())


def derived(prefix: str, content: str) -> str:
    """Return the id that follows from `content`: the same in every clone that comes to the same content."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"{prefix}-{_letters(_DERIVED_LENGTH, lambda length: digest[:length])}"


def _letters(length: int, entropy: Entropy) -> str:
    return "".join(CROCKFORD[byte % len(CROCKFORD)] for byte in entropy(length))
