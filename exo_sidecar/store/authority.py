"""The lease authority that the ledger names: the fold of `authority.*` events."""

from exo_sidecar.model.event_authority import AuthorityMoved, AuthoritySet
from exo_sidecar.model.lease import Authority
from exo_sidecar.store.causality import Causality
from exo_sidecar.store.index import Index
from exo_sidecar.store.refold import entries_of
from exo_sidecar.store.scalars import Write, standing

SUBJECT = "authority"


def authority_of(index: Index) -> Authority | None:
    """Return the authority that stands, None before the first was set."""
    writes = [
        Write(entry, _named(entry.data))
        for entry in entries_of(index, "authority", SUBJECT)
        if isinstance(entry.data, AuthoritySet | AuthorityMoved)
    ]
    return standing(writes, Causality(index.db))[0].value if writes else None


def _named(data: AuthoritySet | AuthorityMoved) -> Authority:
    floor = data.floor if isinstance(data, AuthorityMoved) else 0
    return Authority(id=data.id, remote=data.remote, mode=data.mode, floor=floor)
