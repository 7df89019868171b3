"""Scribing: the kernel's part in every write, handed to the store."""

from typing import Final

from exo_sidecar.kernel.append_audit import append_audit
from exo_sidecar.kernel.commit_plan import commit_plan
from exo_sidecar.store.scribe import Scribe

SCRIBE: Final = Scribe(link=append_audit, plan=commit_plan)
