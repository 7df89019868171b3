"""Documents are united unit by unit: top-level keys with their blocks, Markdown sections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.document import Document
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.store import fold_document
from exo_sidecar.store.fold_document import split
from tests.support.ledgers import Writer, viewed

YAML = "# about\n\n# of a\na: 1\nb:\n  - x\n  - y\nc: 3\n"
PAGE = "Preface\n\n# One\n\ntext\n\n```\n# no heading\n```\n\n## Two\n\nmore\n"


def edited(name: str, text: str) -> Draft:
    return Draft(subject=name, data=DocumentEdited(base=NO_DIGEST, text=text))


def document(name: str, *writers: Writer) -> Document:
    found = viewed(*writers).document(name)
    assert found is not None
    return found


def concurrently(name: str, base: str, left: str, right: str) -> Document:
    a = Writer("a").write(edited(name, base))
    b = Writer("b").write(edited(name, right), a)
    a.write(edited(name, left))
    return document(name, a, b)


def test_the_units_of_a_mapping_are_its_top_level_keys() -> None:
    assert list(split("config.yaml", YAML)) == ["", "a", "b", "c"]
    assert split("config.yaml", YAML)["a"] == "# of a\na: 1\n"


def test_the_units_of_a_page_are_its_sections() -> None:
    assert list(split("CONSTITUTION.md", PAGE)) == ["", "One", "Two"]


def test_equal_names_are_told_apart() -> None:
    assert list(split("CONSTITUTION.md", "# A\n# A\n# A\n")) == ["A", "A #2", "A #3"]


@given(st.text("ab:#\n\r -~`\x0b\x85\u2028", max_size=120), st.sampled_from(["config.yaml", "CONSTITUTION.md"]))
def test_a_text_is_kept_to_the_byte(text: str, name: str) -> None:
    assert "".join(split(name, text).values()) == text
    if text:
        assert document(name, Writer("a").write(edited(name, text))).text == text
        assert document(name, Writer("a").write(edited(name, "x: 1\n")).write(edited(name, text))).text == text


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        (
            YAML.replace("a: 1", "a: 2"),
            YAML.replace("c: 3", "c: 4"),
            YAML.replace("a: 1", "a: 2").replace("c: 3", "c: 4"),
        ),
        (YAML.replace("c: 3\n", ""), YAML.replace("a: 1", "a: 2"), YAML.replace("a: 1", "a: 2").replace("c: 3\n", "")),
        (YAML, YAML, YAML),
    ],
)
def test_what_one_side_changed_wins(left: str, right: str, both: str) -> None:
    found = concurrently("config.yaml", YAML, left, right)
    assert found.text == both
    assert found.conflicts == ()


def test_what_both_changed_is_an_open_conflict_that_names_the_other_event() -> None:
    found = concurrently("config.yaml", YAML, YAML.replace("a: 1", "a: 2"), YAML.replace("a: 1", "a: 3"))
    assert "a: 3\n" in found.text  # the later in fold order
    (conflict,) = found.conflicts
    assert (conflict.name, conflict.event, conflict.text) == ("a", f"{'a' * 16}:2", "# of a\na: 2\n")


def test_a_later_text_settles_the_conflict() -> None:
    a = Writer("a").write(edited("config.yaml", "a: 1\n"))
    b = Writer("b").write(edited("config.yaml", "a: 3\n"), a)
    a.write(edited("config.yaml", "a: 2\n")).write(edited("config.yaml", "a: 4\n"), b)
    found = document("config.yaml", a, b)
    assert (found.text, found.conflicts) == ("a: 4\n", ())


def test_a_text_that_settles_a_unit_does_so_without_changing_it() -> None:
    a = Writer("a").write(edited("config.yaml", "a: 1\nb: 1\n"))
    b = Writer("b").write(edited("config.yaml", "a: 3\nb: 1\n"), a)
    a.write(edited("config.yaml", "a: 2\nb: 1\n"))
    text = document("config.yaml", a, b).text
    a.write(edited("config.yaml", text), b)
    assert [conflict.name for conflict in document("config.yaml", a, b).conflicts] == ["a"]
    data = DocumentEdited(base=NO_DIGEST, text=text, settles=("a", "nowhere"))
    a.write(Draft(subject="config.yaml", data=data))
    assert (document("config.yaml", a, b).text, document("config.yaml", a, b).conflicts) == (text, ())


def test_other_texts_of_some_units_are_put_in_their_places() -> None:
    found = concurrently("config.yaml", YAML, YAML.replace("a: 1", "a: 2"), YAML.replace("a: 1", "a: 3"))
    assert fold_document.with_units(found, {"a": "a: 9\n", "z": "z: 1\n", "c": ""}) == (
        YAML.replace("# of a\na: 1", "a: 9").replace("c: 3\n", "z: 1\n")
    )


def test_units_that_both_sides_added_without_a_last_line_feed_do_not_run_into_each_other() -> None:
    found = concurrently("config.yaml", "a: 1\n", "a: 1\nleft: 2", "a: 1\nright: 3")
    assert found.text == "a: 1\nright: 3\nleft: 2"
    assert split("config.yaml", found.text).keys() == {"a", "left", "right"}


def test_a_document_nobody_has_written_is_none() -> None:
    assert fold_document.fold_document("config.yaml", [], lambda *_: True) is None
