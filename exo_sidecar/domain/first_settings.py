"""The first `config.yaml`: what people most often set, each with its usual value or what the scan found."""

import json
from typing import Final

from exo_sidecar.domain.scan import NOTHING, Proposal

_HEAD: Final = """\
# Settings of exo. What is left away has its usual value: exo config-validate --effective shows every setting.
version: 1
"""
_CHECKS: Final = """
# Checks: the only commands that run to show that work is good. One program with its arguments each, never a shell.
"""
_USUAL: Final = """
# Tickets: whether tasks and epics need a parent, and how deep the tree may be.
tickets:
  require_parent: true
  max_tree_depth: 20

# exo next: how many candidates it tries to claim before it gives up.
dispatch:
  max_attempts: 16

# Leases: the remote that decides, how long a claim lasts without a sign of life, how many one actor may hold, and
# whether --offline takes a ticket provisionally (provisional) or not at all (refuse).
leases:
  remote: origin
  ttl: 4h
  max_ttl: 24h
  per_actor: 8
  offline: provisional

# Sync: by itself around sessions (lifecycle), after each write (always), or never (off). Remotes: whom exo sync
# exchanges with, beside the remote of the leases.
sync:
  auto: lifecycle
  timeout_seconds: 5
  max_rounds: 8
  remotes: []

# The prompt that a session starts with.
bootstrap:
  max_tokens: 1500

# Whether work passes a review before it is done.
lifecycle:
  require_review: false

# Whether the repository may lie on a network file system.
storage:
  network: false
"""


def text(proposal: Proposal = NOTHING) -> str:
    """Return the settings that a repository starts with."""
    return _HEAD + _checks(proposal) + _defaults(proposal) + _ignored(proposal) + _USUAL


def _checks(proposal: Proposal) -> str:
    if not proposal.checks:
        return f'{_CHECKS}# checks_allowlist: ["python -m pytest"]\n'
    found = _CHECKS + _list("checks_allowlist", proposal.checks)
    if proposal.builds:
        found += "\n# Other commands that were found here. Nothing runs them by itself.\n"
        found += _list("do_allowlist", proposal.builds)
    return found


def _defaults(proposal: Proposal) -> str:
    """Return what a new ticket has: limits that fit the language, and the checks that were found."""
    if proposal.files_max is None and not proposal.checks:
        return ""
    lines = ["", "# What a new ticket has where nobody says otherwise: its limits, and the checks of its work."]
    lines.append("defaults:")
    if proposal.files_max is not None:
        lines += ["  ticket_budgets:", f"    max_files_changed: {proposal.files_max}"]
        lines.append(f"    max_loc_changed: {proposal.lines_max}")
    if proposal.checks:
        lines.append(f"  ticket_checks: {json.dumps(proposal.checks)}")
    return "".join(f"{line}\n" for line in lines)


def _ignored(proposal: Proposal) -> str:
    if not proposal.ignore:
        return ""
    members = "".join(f"    - {json.dumps(each)}\n" for each in proposal.ignore)
    return f"\n# Paths that are left out of drift, traces and scans.\ngit_controls:\n  ignore_paths:\n{members}"


def _list(name: str, members: tuple[str, ...]) -> str:
    return f"{name}:\n" + "".join(f"  - {json.dumps(each)}\n" for each in members)
