"""Random work on the policy: rules written, compiled and sealed, honestly and not, in several clones at once."""

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.domain import policy_texts
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.model.event_policy import SUBJECT, PolicyAccepted, PolicySealed, PolicyTampered
from exo_sidecar.model.policy import CONSTITUTION, Lock, Seal
from exo_sidecar.model.view import View
from exo_sidecar.operations import policy_making
from tests.support.random_step import Step


def legislate(step: Step, view: View) -> tuple[Draft, ...]:
    """Write a rule into the constitution, under one of few headings."""
    before = view.document(CONSTITUTION)
    heading = f"## Rule {step.which % 3}\n"
    kept = (before.text if before else "").partition(heading)
    rule = f"id: R-{step.which % 3}\ntype: patch_first\npatterns: [docs/{step.value}/**]\n"
    text = f"{kept[0]}{heading}\n```yaml exo-policy\n{rule}```\n\n"
    data = DocumentEdited(base=before.digest if before else NO_DIGEST, text=text)
    return (Draft(subject=CONSTITUTION, data=data),)


def compile_rules(step: Step, view: View) -> tuple[Draft, ...]:
    """Compile the constitution where it compiles; at times killed before it is sealed."""
    record = view.policy()
    texts = policy_texts.texts_of(view)
    lock = policy_making.compiled(record, texts)
    if not isinstance(lock, Lock) or policy_texts.unsettled(view):
        return ()
    seal = policy_making.sealed(record, lock, texts) if step.value % 4 else None
    sealed = policy_making.of_seal(record, seal) if isinstance(seal, Seal) else ()
    return (*policy_making.of_lock(record, lock), *sealed)


def forge(step: Step, view: View) -> tuple[Draft, ...]:
    """Write a seal that is none, or tell of one that was found."""
    digest = sha256_hex(str(step.value).encode())
    if step.value % 2:
        return (Draft(subject=SUBJECT, data=PolicySealed(digest=digest, lock=digest, sources={}, text="forged")),)
    record = view.policy()
    expected = record.seal.digest if record is not None and record.seal is not None else None
    found = PolicyTampered(file="policy.sealed.json", found=digest, expected=expected, reason=f"found {step.value}")
    return (Draft(subject=SUBJECT, data=found),)


def pass_over(_: Step, view: View) -> tuple[Draft, ...]:
    """Accept whatever was told of."""
    record = view.policy()
    found = tuple(each.found for each in record.tampered) if record is not None else ()
    return (Draft(subject=SUBJECT, data=PolicyAccepted(found=found, reason="seen")),) if found else ()
