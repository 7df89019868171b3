"""Digests of bytes, as the ledger and the policy name them."""

import hashlib
from typing import Final

NO_DIGEST: Final = "0" * 64
"""Stands where there is nothing before: `prev` of a writer's first event."""
DIGEST_SHOWN: Final = 12
"""Characters of a digest that sentences and pages show, and the least by which one is named."""


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
