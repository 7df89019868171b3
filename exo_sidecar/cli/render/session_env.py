"""The page of `session-env`: the lines themselves, to be evaluated by a shell."""

from exo_sidecar.cli.page import Page, Prose
from exo_sidecar.operations.session_env import SessionEnvironment


def run(result: SessionEnvironment) -> Page:
    """Return the script, and nothing else."""
    return Page((Prose("", result.script.rstrip("\n")),))
