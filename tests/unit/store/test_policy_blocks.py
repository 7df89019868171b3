"""policy_blocks: rules read out of Markdown, each with its line."""

import pytest

from exo_sidecar.store import policy_blocks

TEXT = """\
# Constitution

```yaml exo-policy
id: A-1
type: patch_first
patterns: [docs/**]
```

```yaml
id: NOT-1
```

~~~~ yaml  exo-policy
- id: A-2
  type: patch_first
- type: patch_first
  id: A-3
~~~
no end yet
~~~~
"""


def test_each_block_and_each_member_of_a_list_is_a_rule_with_its_line() -> None:
    found = policy_blocks.read(TEXT.replace("~~~\nno end yet\n", ""))
    assert found.faults == ()
    assert [(each.line, each.value["id"]) for each in found.sources if isinstance(each.value, dict)] == [
        (4, "A-1"),
        (14, "A-2"),
        (16, "A-3"),
    ]
    assert found.sources[0].lines == {"id": 4, "type": 5, "patterns": 6}
    assert found.sources[2].lines == {"type": 16, "id": 17}


def test_a_block_that_is_no_yaml_is_a_fault_with_its_line_and_the_others_are_read() -> None:
    found = policy_blocks.read(TEXT)
    assert [each.line for each in found.faults] == [19]
    assert len(found.sources) == 1


@pytest.mark.parametrize(
    "text",
    [
        "```yaml exo-policy\nid: A-1\n",
        "```yaml exo-policy\nid: &a [x]\nother: *a\n```\n",
        "```yaml exo-policy\n\t\n```",
    ],
)
def test_what_cannot_be_read_is_never_passed_over(text: str) -> None:
    assert len(policy_blocks.read(text).faults) == 1


def test_a_text_that_is_one_list_of_rules_is_nothing_but_rules() -> None:
    found = policy_blocks.read("# rules\n- {id: A-1, type: patch_first, patterns: [a]}\n- id: A-2\n")
    assert [(each.line, each.value) for each in found.sources] == [
        (2, {"id": "A-1", "type": "patch_first", "patterns": ["a"]}),
        (3, {"id": "A-2"}),
    ]
    assert policy_blocks.read("- a Markdown list\n- of texts\n").sources == ()
    assert len(policy_blocks.read("- id: A-1\n  type: [\n").faults) == 1


def test_a_block_inside_of_another_fence_is_text() -> None:
    text = "````\n```yaml exo-policy\nid: A-1\n```\n````\n"
    assert policy_blocks.read(text) == ((), ())
