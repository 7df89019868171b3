"""One digest over what a session leaves behind (docs/kernel.md)."""

import msgspec

from exo_sidecar.base import canonical
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.session import Finish, SessionRecord


def seal_result(session: SessionRecord, finish: Finish) -> str:
    """Return the digest that binds a session's end to who worked, and on what.

    Whoever has the session's record can compute it again: a memento, a proof or a copy of either that says something
    else does not match. The same session and words have the same digest in every clone.
    """
    sealed = {
        "session": str(session.id),
        "ticket": str(session.ticket),
        "actor": session.actor,
        "finish": msgspec.to_builtins(finish),
    }
    return sha256_hex(canonical.dumps(sealed))
