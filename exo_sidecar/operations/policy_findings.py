"""What is wrong with lock and seal, settings and manifests, for `doctor` and `audit` to tell."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.policy import CONSTITUTION, SEAL_FILE, PolicyTampered, Verification
from exo_sidecar.operations.context import Context
from exo_sidecar.store import manifest_text, settings
from exo_sidecar.store.view import IndexView

_MANIFESTS: Final = {"features.yaml": manifest_text.features, "requirements.yaml": manifest_text.requirements}


def findings(ctx: Context, found: Verification) -> Iterator[Finding]:
    """Yield what is not as it should be, each with what mends it."""
    view = ctx.reader.view()
    for reason in found.reasons if found.verdict != "held" else ():
        yield _finding(view, found, reason)
    told = set(found.reasons)
    record = view.policy()
    for each in record.tampered if record is not None and found.verdict != "tampered" else ():
        message = f"{each.actor} met another {each.file}, {each.found[:DIGEST_SHOWN]} ({each.event}): {each.reason}"
        if message not in told:
            yield Finding(
                code="POLICY_TAMPERING_TOLD",
                subject=each.file,
                message=message,
                hint="a person looks at it there: exo compose --accept-tampered --reason",
                file=each.file,
            )


def _finding(view: IndexView, found: Verification, reason: str) -> Finding:
    match found.verdict:
        case "tampered":
            hint = PolicyTampered.advice
            return Finding(code="POLICY_TAMPERED", severity="error", subject=SEAL_FILE, message=reason, hint=hint)
        case "missing" if view.document(CONSTITUTION) is None:
            hint = "exo init writes a first constitution, and compiles it"
            return Finding(code="POLICY_MISSING", subject=CONSTITUTION, message=reason, hint=hint)
        case "missing":
            hint = "exo compose compiles and seals what is there; no session starts before"
            return Finding(code="POLICY_MISSING", severity="error", subject=SEAL_FILE, message=reason, hint=hint)
        case "drift":
            hint = "exo build-governance compiles it, exo compose seals it; no session starts before"
            return Finding(code="GOVERNANCE_DRIFT", severity="error", subject=CONSTITUTION, message=reason, hint=hint)
        case "unsettled":
            hint = "exo resolve shows both versions; what was compiled last stays in force"
            return Finding(code="POLICY_UNSETTLED", subject=CONSTITUTION, message=reason, hint=hint)
        case _:
            return _due(reason)


def _due(reason: str) -> Finding:
    hint = "the next exo session-start or session-finish seals it anew; exo compose does so now"
    return Finding(code="POLICY_STALE", severity="info", subject=SEAL_FILE, message=reason, hint=hint)


def of_documents(view: IndexView) -> Iterator[Finding]:
    """Yield what is questionable in the settings, and wrong in the manifests."""
    config = view.document("config.yaml")
    for each in settings.read(config.text).faults if config is not None else ():
        if each.fault.severity != "error":  # those are told where the document is
            yield Finding(
                code="CONFIG_QUESTIONABLE",
                subject="config.yaml",
                message=f"{each.fault.name}: {each.fault.message}",
                hint="exo config-validate shows every fault with its line",
                file="config.yaml",
                line=each.line,
            )
    for name, read in _MANIFESTS.items():
        document = view.document(name)
        fault = read(document.text) if document is not None else None
        if isinstance(fault, ExoError):
            yield Finding(
                code=fault.code,
                severity="error",
                subject=name,
                message=fault.message,
                hint=f"mend .exo/{name}; what was sealed last stays in force",
                file=name,
            )
