"""One digest over what a session leaves behind (docs/kernel.md)."""

from typing import Final

import msgspec

from exo_sidecar.base import canonical
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.session import Finish, SessionRecord

_ADDED: Final = ("requirements",)
"""Fields that are younger than the first seals: without content they are no part of one, so that those still match."""


def seal_result(session: SessionRecord, finish: Finish) -> str:
    """Return the digest that binds a session's end to who worked, and on what.

    Whoever has the session's record can compute it again: a memento, a proof or a copy of either that says something
    else does not match. The same session and words have the same digest in every clone.
    """
    said = msgspec.to_builtins(finish)
    for name in _ADDED:
        if said[name] is None:
            del said[name]
    sealed = {
        "session": str(session.id),
        "ticket": str(session.ticket),
        "actor": session.actor,
        "finish": said,
    }
    return sha256_hex(canonical.dumps(sealed))
