"""The page of `leases-move`."""

from exo_sidecar.cli.page import Facts, Headline, Page
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.operations.leases_move import LeasesMoved


def run(result: LeasesMoved) -> Page:
    """Say where leases are decided."""
    headline = Headline((f"leases are decided at {result.authority} ({result.mode})",), "good")
    facts = Facts((("raised", counted(len(result.moved), "epoch")),))
    return Page((headline, facts), ("every other clone needs exo sync before it claims again",))
