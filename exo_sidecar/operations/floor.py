"""The floor: settings that hold here, and that no pulled policy loosens by itself (docs/trust.md).

Kept in `<common>/exo/floor`. Before anything is written or fetched the floor follows what is in force, so that it only
tightens by itself; it loosens where a person edits a document in this clone, and when a person accepts a policy.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from exo_sidecar.domain import loosening, loosening_rules, policy
from exo_sidecar.domain.loosening import Difference
from exo_sidecar.domain.loosening_rules import Governing
from exo_sidecar.host import trusted
from exo_sidecar.host.trusted import Accepted, Values
from exo_sidecar.model import policy as policies
from exo_sidecar.model.config import Config
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.policy import Lock, Seal, UnreadableError
from exo_sidecar.model.policy_record import PolicyRecord
from exo_sidecar.model.setting import Change
from exo_sidecar.store import settings
from exo_sidecar.store.view import IndexView


class Writer(NamedTuple):
    """Who has written documents in this clone just now."""

    actor: str
    at: str
    is_person: bool
    begins: bool
    """Whether the operation is the one that writes the first documents."""


class Written(NamedTuple):
    """What was written."""

    documents: Mapping[str, tuple[str, str]]
    """Texts before and after."""
    policy: bool = False
    """Whether rules were compiled or sealed."""


class Floor:
    """The floor of one clone, read when first asked for."""

    def __init__(self, common: Path, environ: Mapping[str, str]) -> None:
        self._common = common
        self._named = environ.get(trusted.VARIABLE, "").strip().lower()

    @cached_property
    def settings(self) -> Values | None:
        """What holds here; of a floor that cannot be read, what the last accepted policy says."""
        if self.fault is None:
            return self._found.settings
        last = trusted.read_trust(self._common).last
        said = settings.parse(last.texts.get(policy.SETTINGS, "")) if last else None
        return loosening.effective(said) if isinstance(said, Config) else None

    @property
    def fault(self) -> Finding | None:
        """Why the floor cannot be read, None when it can."""
        return self._found.fault

    @cached_property
    def _found(self) -> trusted.Floor:
        return trusted.read_floor(self._common)

    def restrain(self, config: Config, view: Callable[[], IndexView]) -> Config:
        """Return the settings in force: as written, without what loosens them beyond the floor."""
        if self.settings is None or (self._named and self.is_named(view())):
            return config
        return loosening.restrained(config, self.settings)

    def held(self, view: IndexView) -> tuple[Change, ...]:
        """Return what is held back of settings and rules as they are written."""
        return () if self.is_named(view) else (*self.held_settings(view), *self._rules(view).loosened)

    def held_settings(self, view: IndexView) -> tuple[Change, ...]:
        """Return what is held back of the settings alone."""
        if self.settings is None or self.is_named(view):
            return ()
        return loosening.held(view.written_config(), self.settings)

    def rules(self, view: IndexView) -> Difference:
        """Return how the rules at the tip differ from those that hold here."""
        return self._rules(view)

    def seal(self, view: IndexView) -> Seal | None:
        """Return the seal in force: the tip's, or the last that held here while the tip's rules are held back."""
        tip = policy.seal_at(view)
        if self.is_named(view) or not self._rules(view).loosened:
            return tip
        return _read(self._found.seal, Seal) or tip

    @property
    def governing(self) -> Governing | None:
        """Rules and locked files that hold here at least; None while this clone has met none."""
        return _governing(self._found.lock, self._found.seal) if self._found.lock is not None else None

    def is_named(self, view: IndexView) -> bool:
        """Whether the environment names the policy at the tip as the one that is trusted."""
        return bool(self._named) and self._named == policy.standing(view).digest

    def knows(self, digest: str) -> bool:
        """Whether a seal has held here before."""
        return bool(self._found.seal) and f'"{digest}"' in (self._found.seal or "")

    def keep(self, view: IndexView) -> None:
        """Let the floor follow what is in force; only ever tighter."""
        if view.document(policy.SETTINGS) is None or self.is_named(view):
            return
        tight = loosening.tightest(self.settings or {}, loosening.effective(view.config()))
        self._write(tight, follows=None if self._rules(view).loosened else view.policy())

    def follow(self, view: IndexView, written: Written, writer: Writer) -> None:
        """Let the floor follow what somebody has written here, and accept the policy if nothing else stands in it.

        What an agent wrote is held back like what was pulled.
        """
        documents = {name: texts for name, texts in written.documents.items() if name in policy.DOCUMENTS}
        after = policy.standing(view)
        before = {name: documents[name][0] if name in documents else text for name, text in after.texts.items()}
        before = {name: text for name, text in before.items() if text}
        begins = writer.begins and (not before or not documents)
        if not (documents or written.policy) or not (writer.is_person or begins):
            return
        values = self._moved(documents)
        if written.policy or values is not None:
            stays = self.settings if self.settings is not None else loosening.effective(view.config())
            self._write(stays if values is None else values, follows=view.policy() if written.policy else None)
        known = trusted.read_trust(self._common)
        is_own = begins or known.covers(policy.digest_of(before), before) or not _may_run(before)
        if is_own and not self.held(view):
            policy_now = Accepted(digest=after.digest, actor=writer.actor, at=writer.at, texts=dict(after.texts))
            trusted.write_trust(self._common, known.plus(policy_now))

    def accept(self, view: IndexView, *, actor: str, at: str) -> None:
        """Accept the policy at the tip: its settings hold, and what it names may run."""
        after = policy.standing(view)
        wanted = {**(self.settings or {}), **loosening.effective(view.written_config())}
        self._write(wanted, follows=view.policy())
        known = trusted.read_trust(self._common)
        accepted = Accepted(digest=after.digest, actor=actor, at=at, texts=dict(after.texts))
        trusted.write_trust(self._common, known.plus(accepted))

    def revoke(self, digest: str) -> None:
        """Forget that a policy was accepted; the floor goes back to what was accepted before it, never wider."""
        known = trusted.read_trust(self._common)
        left = tuple(each for each in known.accepted if each.digest != digest)
        said = settings.parse(left[-1].texts.get(policy.SETTINGS, "")) if left else None
        if isinstance(said, Config):
            self._write(loosening.tightest(self.settings or {}, loosening.effective(said)))
        trusted.write_trust(self._common, left)

    def _rules(self, view: IndexView) -> Difference:
        """Return how the tip's rules and locked files differ from those of the floor; nothing while it has none."""
        record = view.policy()
        found = self._found
        if record is None or found.lock is None:
            return Difference((), ())
        lock, seal = (each.text if each else None for each in (record.lock, record.seal))
        if (lock, seal) == (found.lock, found.seal):
            return Difference((), ())
        return loosening_rules.difference(_governing(found.lock, found.seal), _governing(lock, seal))

    def _moved(self, documents: Mapping[str, tuple[str, str]]) -> Values | None:
        """Return the floor with what an edit of the settings changed, None when it changed none."""
        old, new = (settings.parse(text) for text in documents.get(policy.SETTINGS, ("", "")))
        if policy.SETTINGS not in documents or not isinstance(old, Config) or not isinstance(new, Config):
            return None
        values, were = loosening.effective(new), loosening.effective(old)
        moved = loosening.changed(were, values)
        return {**(were if self.settings is None else self.settings), **{key: values[key] for key in moved}}

    def _write(self, values: Values, *, follows: PolicyRecord | None = None) -> None:
        """Remember the settings, and the lock and seal of `follows` where it is given."""
        lock, seal = self._found.lock, self._found.seal
        if follows is not None:
            lock = follows.lock.text if follows.lock else lock
            seal = follows.seal.text if follows.seal else seal
        wanted = trusted.Floor(values, None, lock, seal)
        if wanted != self._found:
            trusted.write_floor(self._common, wanted)
            self._found = wanted
            self.settings = values


def _governing(lock: str | None, seal: str | None) -> Governing:
    rules, locked = _read(lock, Lock), _read(seal, Seal)
    return Governing(rules.rules if rules else (), locked.locked_paths if locked else ())


_Kind = TypeVar("_Kind", Lock, Seal)


def _read(text: str | None, kind: type[_Kind]) -> _Kind | None:
    try:
        return policies.read(text.encode(), kind) if text is not None else None
    except UnreadableError:
        return None


def _may_run(texts: Mapping[str, str]) -> bool:
    """Whether a policy names anything to be run; one that cannot be read may."""
    found = settings.read(texts.get(policy.SETTINGS, ""))
    return found.config is None or bool(found.errors) or bool(loosening.commands(found.config))
