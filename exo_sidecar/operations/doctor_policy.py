"""What `doctor` looks at in the policy: lock and seal against their sources, the ledger and the mount."""

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.operations import policy_findings, policy_making, policy_verifying
from exo_sidecar.operations.doctor_exam import Exam, Looked, counted


def look(exam: Exam) -> Looked:
    """Look at whether the rules in force are what the documents say, and what was written."""
    found = policy_verifying.verify(exam.ctx)
    seal = policy_making.standing_seal(exam.view.policy())
    note = "nothing is compiled yet"
    if seal is not None:
        note = f"{found.verdict}: seal {seal.digest[:DIGEST_SHOWN]}, {counted(len(seal.rules), 'rule')}"
    return Looked(list(policy_findings.findings(exam.ctx, found)), note)
