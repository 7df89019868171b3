"""The policy as it stands at the branch's tip, and the digest that a clone trusts.

The one place that says which documents make the policy. A compiled and sealed policy will take their place here.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from exo_sidecar.base.canonical import dumps
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.view import View

DOCUMENTS: Final = ("CONSTITUTION.md", "config.yaml")
"""The authored documents from which a policy follows."""
SETTINGS: Final = "config.yaml"


class Policy(NamedTuple):
    """The documents of a policy."""

    texts: Mapping[str, str]
    """By name; a document that nobody has written is left out."""

    @property
    def digest(self) -> str:
        """What the policy is named by: the same documents have the same digest in every clone."""
        return digest_of(self.texts)


def standing(view: View) -> Policy:
    """Return the policy at the tip."""
    found = ((name, view.document(name)) for name in DOCUMENTS)
    return Policy({name: document.text for name, document in found if document is not None})


def digest_of(texts: Mapping[str, str]) -> str:
    """Return the digest of a policy's documents."""
    return sha256_hex(dumps({name: sha256_hex(text.encode()) for name, text in texts.items() if name in DOCUMENTS}))
