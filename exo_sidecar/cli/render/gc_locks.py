"""The page of `gc-locks`: what went, and why the rest stays."""

from collections import Counter

from exo_sidecar.cli.page import Cell, Facts, Headline, Page
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.operations.gc_locks import LocksSwept


def run(result: LocksSwept) -> Page:
    """Show the reasons with how many leases stay for each."""
    if result.refused:
        headline = Headline((Cell("the server lets no lease be removed; all of them stay"),), "warn")
    else:
        headline = Headline((f"{len(result.swept)} of {counted(result.total, 'lease')} swept",), "good")
    reasons = Counter(each.reason for each in result.kept)
    rows = tuple((str(number), reason) for reason, number in reasons.most_common(20))
    return Page((headline, Facts(rows)) if rows else (headline,))
