"""The page of `init`: what was made, and what to do next."""

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.cli.page import Cell, Facts, Headline, Page, Piece
from exo_sidecar.cli.render.tones import joined
from exo_sidecar.operations.init import Governed


def run(result: Governed) -> Page:
    """Say what there is now."""
    fresh = result.mounted or bool(result.created)
    word = "this repository is governed" if fresh else "this repository was governed already; nothing changed"
    rows: tuple[tuple[str, Piece], ...] = (
        ("branch", result.branch),
        ("mounted at", ".exo" if result.mounted else Cell(".exo, as before", "dim")),
        *((("created", joined(result.created)),) if result.created else ()),
        *((("found", found),) if (found := _found(result)) else ()),
        *((("policy", Cell(result.policy_digest[:DIGEST_SHOWN], "dim")),) if result.policy_digest and fresh else ()),
    )
    hints = (
        "exo next claims the first ticket; exo intent-create and exo ticket-create make more",
        "exo status shows where things stand",
    )
    return Page((Headline((word,), "good"), Facts(rows)), hints)


def _found(result: Governed) -> str:
    """Return what the repository's files put into its documents."""
    scan = result.scan
    if scan is None:
        return ""
    words = [scan.primary_language or ""]
    words += [f"checks {', '.join(scan.checks)}"] if scan.checks else []
    words += [f"rules {', '.join(scan.rules)}"] if scan.rules else []
    return "; ".join(word for word in words if word)
