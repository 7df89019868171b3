"""Sessions that gave no sign of life for a while: what a machine knows of one, changed as time would change it."""

from typing import Any

import msgspec

from exo_sidecar.git.locate import locate
from exo_sidecar.host import live_sessions
from exo_sidecar.host.clock import boot_clock
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.ids import SessionId
from tests.support.working import Shop

HOUR_SECONDS = 3600.0


def known(shop: Shop, session: str, number: int = 0) -> LiveSession:
    """Return what the machine of a clone knows of a session."""
    live = live_sessions.read(locate(shop.clones[number]).common, SessionId(session))
    assert live is not None
    return live


def change(shop: Shop, session: str, number: int = 0, **facts: Any) -> None:  # noqa: ANN401 - of any field
    """Change what the machine knows of a session; the signs of life that its calls noted are forgotten."""
    common, live = locate(shop.clones[number]).common, known(shop, session, number)
    live_sessions.remove(common, live.session)
    live_sessions.write(common, msgspec.structs.replace(live, **facts))


def silence(shop: Shop, session: str, hours: float, number: int = 0) -> None:
    """Let a session have given no sign of life for so long, and its process be unknown."""
    change(shop, session, number, heartbeat=boot_clock().seconds - hours * HOUR_SECONDS, process=None)
