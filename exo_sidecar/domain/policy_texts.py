"""Policy-texts: the authored documents that a policy is made of, as they stand."""

from collections.abc import Mapping

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.view import View


def texts_of(view: View) -> dict[str, str]:
    """Return the authored documents that there are, by name."""
    found = ((name, view.document(name)) for name in DOCUMENTS)
    return {name: document.text for name, document in found if document is not None}


def digests(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each document."""
    return {name: sha256_hex(text.encode()) for name, text in texts.items()}


def unsettled(view: View) -> tuple[str, ...]:
    """Return the documents that two clones changed in one place and nobody has settled."""
    found = ((name, view.document(name)) for name in DOCUMENTS)
    return tuple(name for name, document in found if document is not None and document.conflicts)
