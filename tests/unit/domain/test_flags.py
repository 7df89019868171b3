"""flags: a part is on when it and everything that it needs are, and the environment only switches off."""

import pytest

from exo_sidecar.domain import flags
from exo_sidecar.model.config import FLAG_NEEDS, FlagSettings

EVERYTHING = FlagSettings(quorum=True, workers=True, signing=True)


def test_the_usual_flags_are_those_of_the_settings() -> None:
    assert flags.effective(FlagSettings(), {}) == {
        "execution_gate": True,
        "operator_approval": True,
        "quorum": False,
        "workers": False,
        "signing": False,
    }
    assert set(FLAG_NEEDS) | set(FLAG_NEEDS.values()) <= set(FlagSettings.__struct_fields__)


def test_what_needs_a_flag_that_is_off_is_off_with_it() -> None:
    without_gate = FlagSettings(execution_gate=False, quorum=True, workers=True, signing=True)
    assert {name for name, on in flags.effective(without_gate, {}).items() if on} == {"signing"}
    assert {name for name, on in flags.effective(EVERYTHING, {}).items() if not on} == set()


@pytest.mark.parametrize("word", ["0", "off", "False", " no "])
def test_the_environment_switches_off_and_never_on(word: str) -> None:
    found = flags.effective(EVERYTHING, {"EXO_FLAG_OPERATOR_APPROVAL": word})
    assert {name for name, on in found.items() if not on} == {"operator_approval", "quorum"}
    for said in ("1", "on", "true", ""):
        assert flags.effective(FlagSettings(), {"EXO_FLAG_QUORUM": said})["quorum"] is False
