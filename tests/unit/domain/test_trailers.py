"""Messages taken apart: whom they name, each once, and where git's comments and diffs begin."""

import pytest

from exo_sidecar.domain import trailers
from exo_sidecar.domain.trailers import Signed

ONE = Signed("SES-A", "TICKET-1", "3")
TWO = Signed("SES-B", "TICKET-2", None)
OWN = Signed("SES-C", "TICKET-3", "1")
SAYS_ONE = "Exo-Session: SES-A\nExo-Ticket: TICKET-1\nExo-Epoch: 3\n"
SAYS_TWO = "Exo-Session: SES-B\nExo-Ticket: TICKET-2\n"


def test_trailers_are_taken_out_wherever_they_stand() -> None:
    found = trailers.parse(f"one\n\n{SAYS_ONE}\n# comment\ntwo\n\n{SAYS_TWO}")
    assert found == trailers.Message("one\n\n\n# comment\ntwo\n\n", (ONE, TWO), has_doubles=False)


def test_what_stands_twice_is_kept_once() -> None:
    found = trailers.parse(f"one\n\n{SAYS_ONE}\ntwo\n\n{SAYS_ONE}")
    assert (found.signed, found.has_doubles) == ((ONE,), True)


def test_what_git_shows_below_the_scissors_is_no_message() -> None:
    below = "# ------------------------ >8 ------------------------\nExo-Session: SES-Z\n"
    found = trailers.parse(f"one\n{below}")
    assert (found.signed, found.text) == ((), f"one\n{below}")
    assert trailers.content(f"# c\n\n{below}", ("#",)) == []


def test_indented_and_other_lines_are_nobody_s_trailers() -> None:
    text = "one\n\n    Exo-Session: SES-Z\nSee Exo-Session: SES-Y\nExo-Sessions: SES-X\n"
    assert trailers.parse(text) == trailers.Message(text, (), has_doubles=False)


@pytest.mark.parametrize(
    ("message", "anew", "wanted"),
    [
        ("one\n", False, (OWN,)),
        ("one\n", True, (OWN,)),
        (f"one\n\n{SAYS_ONE}", False, (ONE,)),
        (f"one\n\n{SAYS_ONE}", True, (OWN,)),
        (f"one\n\n{SAYS_ONE}{SAYS_TWO}", False, (ONE, TWO)),
    ],
)
def test_what_only_moves_keeps_its_name(message: str, *, anew: bool, wanted: tuple[Signed, ...]) -> None:
    assert trailers.wanted(trailers.parse(message), OWN, is_written_anew=anew) == wanted


@pytest.mark.parametrize(
    ("text", "content"), [("", []), ("\n# a\n", []), ("; a\n", []), ("a \n#b\n", ["a"]), ("\n\n a", [" a"])]
)
def test_only_comments_are_no_message(text: str, content: list[str]) -> None:
    assert trailers.content(text, ("#", ";")) == content
