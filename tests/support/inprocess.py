"""The command line without a process: the same text and the same exit status, sooner."""

import io
import os
from collections.abc import Mapping
from pathlib import Path

from exo_sidecar.cli.main import run
from tests.support.process import Ran, data_of


def exo_in_process(cwd: Path, *args: str, env: Mapping[str, str] | None = None) -> Ran:
    """Run the command line in this process as if in `cwd`; `env` is added to the environment of the tests."""
    out, err = io.StringIO(), io.StringIO()
    environ = {**os.environ, **(env or {})}
    status = run(list(args), environ=environ, cwd=cwd, stdout=out, stderr=err, stdin=io.StringIO())
    return Ran(status, out.getvalue(), err.getvalue(), data_of(out.getvalue()))
