"""Clones under attack: what branches by hostile hands are planted on."""

import pytest

from tests.support.besieged import Siege, a_siege, besieged


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Siege:
    """Return two clones that every attack of this module is made on, one after the other."""
    return a_siege(tmp_path_factory.mktemp("siege"))


@pytest.fixture
def siege(ground: Siege) -> Siege:
    """Return the clones, even with their hub."""
    return besieged(ground.shop)
