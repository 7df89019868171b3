"""THE FROZEN TEN: the decisions that everything else may rely on for ever (docs/kernel.md).

load_governance, verify_governance, open_session, mint_ticket, validate_ticket, check_action, resolve_requirements,
commit_plan, append_audit, seal_result: a module each, and nothing else here is public. Imports model and base. Touches
nothing. Invariant: same arguments, same answer: no clock, file, environment or random source is read.
"""
