"""Policy-making: documents compiled and sealed, as events; what `init`, `build-governance` and `compose` do.

Pure but for the reading of YAML: a view and texts in, a lock, a seal or a refusal out.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.domain import policy_texts, sealing
from exo_sidecar.kernel.load_governance import load_governance
from exo_sidecar.model import check
from exo_sidecar.model import policy as policies
from exo_sidecar.model.config import Config
from exo_sidecar.model.errors import ExoError, NotFound, Refused, Usage
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_policy import SUBJECT, PolicyCompiled, PolicySealed
from exo_sidecar.model.manifest import Features
from exo_sidecar.model.policy import CONSTITUTION, Constitution, Lock, RuleInvalid, Seal
from exo_sidecar.model.policy_record import PolicyRecord, Written
from exo_sidecar.model.view import View
from exo_sidecar.store import manifest_text, policy_blocks, settings

_SETTINGS = "config.yaml"
_FEATURES = "features.yaml"
_REQUIREMENTS = "requirements.yaml"
_Kind = TypeVar("_Kind", Lock, Seal)


class Made(NamedTuple):
    """What documents were made to."""

    lock: Lock
    seal: Seal


class ConstitutionMissing(NotFound):
    """Nobody has written a constitution: there is nothing to compile."""

    code = "CONSTITUTION_MISSING"
    advice = "exo init writes the documents that are missing"


class PolicyUnsettled(Refused):
    """Two clones changed a document in one place: what it says is for a person to decide."""

    code = "POLICY_UNSETTLED"
    advice = "exo resolve shows what is open, and settles it"


class SourceInvalid(Usage):
    """A document that the policy is made of cannot be read, or says what it may not."""

    code = "SOURCE_INVALID"
    advice = "exo config-validate names every fault of config.yaml with its line"


def refuse_unsettled(view: View) -> PolicyUnsettled | None:
    """Return why nothing is compiled while a document is in conflict: the last that was compiled stays in force."""
    names = policy_texts.unsettled(view)
    if not names:
        return None
    message = f"{', '.join(names)} was changed in two clones at once, and nobody has settled it"
    return PolicyUnsettled(message, hint=f"exo resolve --document {names[0]} shows both versions, and settles them")


def compiled(record: PolicyRecord | None, texts: Mapping[str, str]) -> Lock | ExoError:
    """Return the lock of the constitution: the standing one where it says the same."""
    text = texts.get(CONSTITUTION)
    if text is None:
        message = f"nobody has written {CONSTITUTION}"
        return ConstitutionMissing(message)
    read = policy_blocks.read(text)
    if read.faults:
        return RuleInvalid(read.faults)
    source = sha256_hex(text.encode())
    config = settings.read(texts.get(_SETTINGS, "")).config or Config()
    checks = frozenset(check.parse(each).id for each in config.checks_allowlist)
    constitution = Constitution(source=source, rules=read.sources, checks=checks)
    return load_governance(constitution, _read(record.locks if record else (), Lock))


def sealed(record: PolicyRecord | None, lock: Lock, texts: Mapping[str, str]) -> Seal | ExoError:
    """Return the seal over all documents: the standing one where nothing has changed."""
    read = settings.read(texts.get(_SETTINGS, ""))
    if read.config is None or read.errors:
        message = f"{_SETTINGS}: {settings.told(read.errors)}"
        return SourceInvalid(message, document=_SETTINGS)
    features = manifest_text.features(texts.get(_FEATURES, ""))
    requirements = manifest_text.requirements(texts.get(_REQUIREMENTS, ""))
    for found in (features, requirements):
        if isinstance(found, ExoError):
            hint = "mend the lines that are named, in the file in .exo"
            return SourceInvalid(found.message, hint=hint, document=str(found.details["document"]))
    before = _read(record.seals if record else (), Seal)
    said = features if isinstance(features, Features) else Features()
    return sealing.seal(lock, policy_texts.digests(texts), read.config, said, before)


def made(record: PolicyRecord | None, texts: Mapping[str, str]) -> Made | ExoError:
    """Return the lock and the seal of these documents: those that stand where they say the same."""
    lock = compiled(record, texts)
    if not isinstance(lock, Lock):
        return lock
    seal = sealed(record, lock, texts)
    return Made(lock, seal) if isinstance(seal, Seal) else seal


def drafts(record: PolicyRecord | None, found: Made) -> tuple[Draft, ...]:
    """Return the events that make the lock and the seal stand; none where they do."""
    return (*of_lock(record, found.lock), *of_seal(record, found.seal))


def of_lock(record: PolicyRecord | None, lock: Lock) -> tuple[Draft, ...]:
    """Return the event that makes the lock stand; none when it does, for every edit of the constitution."""
    text = policies.text_of(lock).decode()
    if record is not None and record.lock is not None and record.lock.text == text and not record.uncovered:
        return ()
    data = PolicyCompiled(digest=lock.digest, source=lock.source, text=text, previous=lock.previous)
    return (Draft(subject=SUBJECT, data=data),)


def of_seal(record: PolicyRecord | None, seal: Seal) -> tuple[Draft, ...]:
    """Return the event that makes the seal stand; none when it does."""
    text = policies.text_of(seal).decode()
    if record is not None and record.seal is not None and record.seal.text == text:
        return ()
    data = PolicySealed(digest=seal.digest, lock=seal.lock, sources=seal.sources, text=text, previous=seal.previous)
    return (Draft(subject=SUBJECT, data=data),)


def standing_lock(record: PolicyRecord | None) -> Lock | None:
    """Return the lock that stands, None where there is none that can be read."""
    return next(iter(_read(record.locks[:1], Lock)), None) if record else None


def standing_seal(record: PolicyRecord | None) -> Seal | None:
    """Return the seal that stands, None where there is none that can be read."""
    return next(iter(_read(record.seals[:1], Seal)), None) if record else None


def _read(written: Iterable[Written], kind: type[_Kind]) -> list[_Kind]:
    """Return the locks or seals of events, those that are genuine; what is not has no heirs."""
    found = []
    for each in written:
        try:
            value = policies.read(each.data, kind)
        except policies.UnreadableError:
            continue
        if policies.digest_of(value) == value.digest:
            found.append(value)
    return found
