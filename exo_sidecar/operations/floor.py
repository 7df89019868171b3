"""The floor: settings that hold here, and that no pulled policy loosens by itself (docs/trust.md).

Kept in `<common>/exo/floor`. Before anything is written or fetched the floor follows what is in force, so that it only
tightens by itself; it loosens where a person edits a document in this clone, and when a person accepts a policy.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from exo_sidecar.domain import loosening, policy
from exo_sidecar.host import trusted
from exo_sidecar.host.trusted import Accepted, Values
from exo_sidecar.model.config import Config
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.setting import Change
from exo_sidecar.store import settings, yamltext
from exo_sidecar.store.view import IndexView


class Writer(NamedTuple):
    """Who has written documents in this clone just now."""

    actor: str
    at: str
    is_person: bool
    begins: bool
    """Whether the operation is the one that writes the first documents."""


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
        """Return what is held back of the settings as written."""
        if self.settings is None or self.is_named(view):
            return ()
        return loosening.held(view.written_config(), self.settings)

    def is_named(self, view: IndexView) -> bool:
        """Whether the environment names the policy at the tip as the one that is trusted."""
        return bool(self._named) and self._named == policy.standing(view).digest

    def keep(self, view: IndexView) -> None:
        """Let the floor follow what is in force; only ever tighter."""
        if view.document(policy.SETTINGS) is None or self.is_named(view):
            return
        self._write(loosening.tightest(self.settings or {}, loosening.effective(view.config())))

    def follow(self, view: IndexView, documents: Mapping[str, tuple[str, str]], writer: Writer) -> None:
        """Let the floor follow what somebody has written here, and accept the policy if nothing else stands in it.

        `documents` are the texts before and after. What an agent wrote is held back like what was pulled.
        """
        written = {name: texts for name, texts in documents.items() if name in policy.DOCUMENTS}
        after = policy.standing(view)
        before = {name: written[name][0] if name in written else text for name, text in after.texts.items()}
        before = {name: text for name, text in before.items() if text}
        begins = writer.begins and not before
        if not written or not (writer.is_person or begins):
            return
        old, new = (settings.parse(text) for text in written.get(policy.SETTINGS, ("", "")))
        if isinstance(old, Config) and isinstance(new, Config):
            values, were = loosening.effective(new), loosening.effective(old)
            moved = loosening.changed(were, values)
            self._write({**(were if self.settings is None else self.settings), **{key: values[key] for key in moved}})
        known = trusted.read_trust(self._common)
        is_own = begins or known.find(policy.digest_of(before)) is not None or not _may_run(before)
        if is_own and not self.held(view):
            policy_now = Accepted(digest=after.digest, actor=writer.actor, at=writer.at, texts=dict(after.texts))
            trusted.write_trust(self._common, known.plus(policy_now))

    def accept(self, view: IndexView, *, actor: str, at: str) -> None:
        """Accept the policy at the tip: its settings hold, and what it names may run."""
        after = policy.standing(view)
        self._write({**(self.settings or {}), **loosening.effective(view.written_config())})
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

    def _write(self, values: Values) -> None:
        if values != self._found.settings:
            trusted.write_floor(self._common, values)
            self._found = trusted.Floor(values)
            self.settings = values


def _may_run(texts: Mapping[str, str]) -> bool:
    """Whether a policy names anything to be run; one that cannot be read may."""
    try:
        found = yamltext.load(texts.get(policy.SETTINGS, ""))
    except yamltext.YamlError:
        return True
    return isinstance(found, dict) and bool(loosening.commands(found))
