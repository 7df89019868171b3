"""The policy of a clone edited by hand, and read: what stories about rules start from."""

import json
from pathlib import Path
from typing import Any, Final

from exo_sidecar.model import policy as policies
from exo_sidecar.model.policy import LOCK_FILE, SEAL_FILE, Lock, Seal
from tests.support.process import Ran
from tests.support.working import Shop

ANN: Final = ("--actor", "human:ann")
AGENT: Final = ("--actor", "agent:claude")
RULE: Final = """
### Ours

```yaml exo-policy
id: OUR-001
type: filesystem_deny
patterns: ["vendor/**"]
actions: [write]
```
"""


def mount(shop: Shop, number: int = 0) -> Path:
    """Return the governance branch's mount in a clone."""
    return shop.clones[number] / ".exo"


def edit(shop: Shop, number: int, name: str, *pairs: tuple[str, str], more: str = "") -> None:
    """Edit a document of the mount by hand."""
    file = mount(shop, number) / name
    text = file.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text + more)


def begin(shop: Shop, number: int = 0, ticket: str = "T1", actor: tuple[str, str] = AGENT) -> Ran:
    """Start a session."""
    return shop.exo(number, "session-start", "--ticket-id", ticket, *actor)


def policy_of(ran: Ran) -> Any:  # noqa: ANN401 - JSON
    """Return what a start that went well says of the policy."""
    assert ran.exit == 0, ran.out
    return ran.data["policy"]


def error_of(ran: Ran) -> Any:  # noqa: ANN401 - JSON
    """Return the error of a call that was refused."""
    assert ran.exit != 0, ran.out
    return json.loads(ran.out)["error"] | {"exit": ran.exit}


def compiled(shop: Shop, number: int = 0) -> tuple[Lock, Seal]:
    """Return lock and seal as they lie in the mount."""
    lock = policies.read((mount(shop, number) / LOCK_FILE).read_bytes(), Lock)
    return lock, policies.read((mount(shop, number) / SEAL_FILE).read_bytes(), Seal)


def events(shop: Shop, number: int = 0) -> list[str]:
    """Return the types of the policy's events, in the order of one clone's ledger."""
    lines = sorted(mount(shop, number).glob("ledger/*/*/*.jsonl"))
    found = [json.loads(line)["type"] for file in lines for line in file.read_text().splitlines()]
    return [each for each in found if each.startswith("policy.")]
