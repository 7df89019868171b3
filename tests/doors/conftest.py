"""The sample operations of tests/support/sampled, present in the operations room for one test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import exo_sidecar.operations as room

SAMPLED = Path(__file__).resolve().parents[1] / "support" / "sampled"


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `exo sample-echo` and its like exist."""
    monkeypatch.setattr(room, "__path__", [*room.__path__, str(SAMPLED)])
    yield
    sys.modules.pop("exo_sidecar.operations.sample", None)
    if "sample" in vars(room):
        delattr(room, "sample")
