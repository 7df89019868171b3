"""What the ledger says of the policy: the lock and seal that stand, and what each rests on (docs/format.md)."""

import msgspec


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A lock or seal as an event holds it."""

    event: str
    actor: str
    at: str
    digest: str
    text: str
    previous: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """The bytes of its file."""
        return self.text.encode()


class Tampering(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was found in the place of a lock or seal, and that no person has dealt with."""

    event: str
    actor: str
    at: str
    file: str
    found: str
    reason: str


class PolicyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The policy as the fold knows it."""

    locks: tuple[Written, ...] = ()
    """Locks that no other follows: the one that stands first; several where clones compiled at once."""
    seals: tuple[Written, ...] = ()
    known: tuple[str, ...] = ()
    """Of the digests that the standing lock and seal name, those that events of the ledger know."""
    uncovered: tuple[str, ...] = ()
    """Edits of the constitution that nobody has compiled: events."""
    tampered: tuple[Tampering, ...] = ()

    @property
    def lock(self) -> Written | None:
        """The lock that stands."""
        return self.locks[0] if self.locks else None

    @property
    def seal(self) -> Written | None:
        """The seal that stands."""
        return self.seals[0] if self.seals else None

    def file(self, name: str) -> Written | None:
        """Return what stands in a file."""
        return self.lock if name == "governance.lock.json" else self.seal
