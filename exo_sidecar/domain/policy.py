"""The policy as it stands at the branch's tip, and the digest that a clone trusts.

The one place that says which texts a clone trusts, and by which digest: that of the seal where it covers them as they
stand, else one of the texts themselves.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from exo_sidecar.base.canonical import dumps
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model import policy as policies
from exo_sidecar.model.policy import Seal, UnreadableError
from exo_sidecar.model.view import View

DOCUMENTS: Final = ("CONSTITUTION.md", "config.yaml")
"""The authored documents from which rules and commands follow."""
SETTINGS: Final = "config.yaml"


class Policy(NamedTuple):
    """The documents of a policy, and the seal over them."""

    texts: Mapping[str, str]
    """By name; a document that nobody has written is left out."""
    seal: str | None = None
    """Digest of the seal, None where none covers the texts as they stand."""

    @property
    def digest(self) -> str:
        """What the policy is named by: alike in every clone."""
        return self.seal or digest_of(self.texts)


def standing(view: View) -> Policy:
    """Return the policy at the tip."""
    found = ((name, view.document(name)) for name in DOCUMENTS)
    texts = {name: document.text for name, document in found if document is not None}
    seal = seal_at(view)
    covers = seal is not None and all(
        seal.sources.get(name) == (sha256_hex(texts[name].encode()) if name in texts else None) for name in DOCUMENTS
    )
    return Policy(texts, seal.digest if seal is not None and covers else None)


def seal_at(view: View) -> Seal | None:
    """Return the seal at the tip, None where there is none that can be read."""
    record = view.policy()
    try:
        return policies.read(record.seal.data, Seal) if record is not None and record.seal is not None else None
    except UnreadableError:
        return None


def digest_of(texts: Mapping[str, str]) -> str:
    """Return the digest of a policy's documents."""
    return sha256_hex(dumps({name: sha256_hex(text.encode()) for name, text in texts.items() if name in DOCUMENTS}))
