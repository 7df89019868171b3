"""The page of `scope-check`: a line per judgement, what is denied with its rule."""

from exo_sidecar.cli.page import Cell, Headline, Page, Table
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.operations.scope_check import ScopeChecked


def run(result: ScopeChecked) -> Page:
    """Show the judgements."""
    rows = tuple(
        (
            each.path,
            each.action,
            Cell("✓ allow", "good") if each.decision == "allow" else Cell("✗ deny", "bad"),
            each.layer if each.decision == "deny" else "",
            each.rule,
            each.message,
        )
        for each in result.items
    )
    denied = sum(each.decision == "deny" for each in result.items)
    who = f"{result.session_id} on {result.ticket_id}" if result.session_id else "a caller without a session"
    said = f"{counted(denied, 'denied', 'denied')} for {who}" if denied else f"all allowed for {who}"
    hints = tuple(dict.fromkeys(each.hint for each in result.items if each.hint))
    table = Table(("PATH", "ACTION", "DECISION", "LAYER", "RULE", "WHY"), rows)
    return Page((table, Headline((said,), "bad" if denied else "good")), hints)
