"""The boot clock goes on and is compared within one boot only."""

from exo_sidecar.host import clock
from exo_sidecar.model.boot import BootClock


def test_the_boot_clock_never_goes_back_and_names_one_boot() -> None:
    first, second = clock.boot_clock(), clock.boot_clock()
    assert first.boot_id == second.boot_id != ""
    assert second.seconds >= first.seconds > 0


def test_the_wall_clock_has_a_zone() -> None:
    assert clock.system_clock().utcoffset() is not None


def test_readings_of_one_boot_compare_and_those_of_two_do_not() -> None:
    assert BootClock("a", 10.0).since(BootClock("a", 4.0)) == 6.0
    assert BootClock("b", 10.0).since(BootClock("a", 4.0)) is None
