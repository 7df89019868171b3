"""Learnings: recorded by anybody, told to whoever begins, merged between clones, dismissed; and by what they come."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.process import exo
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

CLAUDE: Final = ("--actor", "agent:claude")
CODEX: Final = ("--actor", "agent:codex")
SECRET: Final = "AKIA" + "Q3EGRZ7TVW2NYXK5"


def learn(shop: Shop, pattern: str, *words: str, number: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Record a learning and return what came of it."""
    return shop.ok(number, "reflect", "--pattern", pattern, "--insight", "use a list", *words)


def listed(shop: Shop, *words: str, number: int = 0) -> list[tuple[str, str, int]]:
    """Return pattern, insight and count of what a list shows."""
    items = shop.ok(number, "reflections", *words)["items"]
    return [(each["pattern"], each["insight"], each["count"]) for each in items]


def file_of(shop: Shop, number: int = 0) -> str:
    """Return LEARNINGS.md, as it is on the branch and in the mount; empty where there is none."""
    place = shop.clones[number] / ".exo" / "LEARNINGS.md"
    text = place.read_text() if place.exists() else ""
    assert git(shop.clones[number], "-C", ".exo", "status", "--porcelain") == ""
    return text


def test_a_learning_is_recorded_once_and_counted_when_it_is_learnt_again(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    assert file_of(shop) == ""
    commits = shop.commits()
    first = learn(shop, "The parser\n loops", "--severity", "high", "--tag", "b", "--tag", "a", *CLAUDE)
    assert shop.commits() == commits + 1
    record = first["reflection"]
    assert (first["merged"], record["pattern"], record["count"]) == (False, "The parser loops", 1)
    assert (record["severity"], record["scope"], record["kind"]) == ("high", "global", "learning")
    assert (record["tags"], record["actor"], record["session"]) == (["a", "b"], "agent:claude", None)
    again = shop.ok(0, "reflect", "--pattern", "the  PARSER loops", "--insight", "two", "--severity", "low")
    assert (again["merged"], again["reflection"]["id"]) == (True, record["id"])
    assert (again["reflection"]["count"], again["reflection"]["severity"]) == (2, "high")
    assert again["reflection"]["actor"] == "agent:claude"
    assert listed(shop) == [("the PARSER loops", "two", 2)]
    assert f"- **high** {record['id']} (learning, global, agent:claude, 2 times): " in file_of(shop)
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_a_list_is_filtered_and_paged(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    learn(shop, "one", "--severity", "low", "--tag", "x")
    learn(shop, "two", "--severity", "critical", "--tag", "x", "--tag", "y")
    learn(shop, "three", "--scope", "T1", "--kind", "failure_mode")
    assert [each[0] for each in listed(shop)] == ["two", "three", "one"]
    assert [each[0] for each in listed(shop, "--scope", "global")] == ["two", "one"]
    assert [each[0] for each in listed(shop, "--scope", "T1")] == ["three"]
    assert [each[0] for each in listed(shop, "--kind", "failure_mode")] == ["three"]
    assert [each[0] for each in listed(shop, "--severity", "low", "--severity", "medium")] == ["three", "one"]
    assert [each[0] for each in listed(shop, "--tag", "x", "--tag", "y")] == ["two"]
    page = shop.ok(0, "reflections", "--limit", "2")
    assert page["count"] == 2
    assert [each[0] for each in listed(shop, "--cursor", page["next_cursor"])] == ["one"]
    (item,) = shop.ok(0, "reflections", "--scope", "T1")["items"]
    assert (item["scope"], item["status"], item["age"] >= 0) == ("TICKET-T1", "active", True)
    assert shop.fails(0, "reflections", "--cursor", "REF-NONE")["code"] == "CURSOR_UNKNOWN"
    assert shop.fails(0, "reflections", "--limit", "0")["code"] == "VALUE_INVALID"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--pattern", " \n ", "--insight", "x"), "REFLECTION_INVALID"),
        (("--pattern", "x", "--insight", "  "), "REFLECTION_INVALID"),
        (("--pattern", "x" * 201, "--insight", "x"), "REFLECTION_INVALID"),
        (("--pattern", "x", "--insight", "x" * 2001), "REFLECTION_INVALID"),
        (("--pattern", "x\x1b[31m", "--insight", "x"), "REFLECTION_INVALID"),
        (("--pattern", "x", "--insight", "x", "--tag", " "), "REFLECTION_INVALID"),
        (("--pattern", "x", "--insight", "x", *("--tag=t",) * 21), "REFLECTION_INVALID"),
        (("--pattern", "x", "--insight", "x", "--scope", "TICKET-NONE"), "ID_NOT_FOUND"),
        (("--pattern", "x", "--insight", "x", "--session-id", "SES-NONE"), "ID_NOT_FOUND"),
        (("--pattern", "x", "--insight", f"the key is {SECRET}"), "SECRET_FOUND"),
    ],
)
def test_what_is_no_learning_is_refused_and_nothing_is_written(
    tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    tip = shop.tip()
    error = shop.fails(0, "reflect", *words)
    assert (error["code"], bool(error["hint"])) == (code, True)
    assert SECRET not in str(error)
    assert shop.tip() == tip


def test_a_dismissed_learning_is_told_no_more_until_it_is_recorded_again(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    key = learn(shop, "it loops")["reflection"]["id"]
    done = shop.ok(0, "reflect-dismiss", key[4:9].lower(), "--reason", "fixed", *CLAUDE)["reflection"]
    assert (done["id"], done["dismissed_by"], done["dismissed_reason"]) == (key, "agent:claude", "fixed")
    assert (listed(shop), file_of(shop)) == ([], "")
    item = shop.ok(0, "reflections", "--status", "dismissed")["items"][0]
    assert (item["pattern"], item["dismissed_by"], item["dismissed_reason"]) == ("it loops", "agent:claude", "fixed")
    assert "dismissed by agent:claude: fixed" in exo(shop.clones[0], "reflections", "--status", "all").out
    assert "it loops" not in shop.ok(0, "session-start", "--ticket-id", "T1", *CODEX)["bootstrap_prompt"]
    refused = shop.fails(0, "reflect-dismiss", key)
    assert (refused["code"], refused["exit"]) == ("ALREADY_DISMISSED", 1)
    assert shop.fails(0, "reflect-dismiss", "REF-NONE")["code"] == "ID_NOT_FOUND"
    assert shop.fails(0, "reflect-dismiss", "no id!")["code"] == "ID_INVALID"
    again = learn(shop, "it loops")
    assert (again["merged"], again["reflection"]["count"], again["reflection"]["dismissed_by"]) == (True, 2, None)
    assert [each[0] for each in listed(shop, "--status", "all")] == ["it loops"]
    assert "it loops" in file_of(shop)


def test_two_clones_that_learn_the_same_have_one_learning(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=1)
    one = learn(shop, "it loops", "--severity", "low", *CLAUDE)
    two = learn(shop, "It  loops", "--severity", "high", *CODEX, number=1)
    assert one["reflection"]["id"] == two["reflection"]["id"]
    for number in (0, 1, 0):
        shop.ok(number, "sync")
    records = [shop.ok(number, "reflections")["items"] for number in (0, 1)]
    assert [(each["count"], each["severity"]) for each in records[0]] == [(2, "high")]
    assert [each | {"age": 0} for each in records[0]] == [each | {"age": 0} for each in records[1]]
    assert shop.tip(0) == shop.tip(1)
    assert file_of(shop, 0) == file_of(shop, 1)
    assert "2 times" in file_of(shop)


def test_a_dry_run_shows_what_would_be_and_writes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    tip = shop.tip()
    assert learn(shop, "it loops", "--dry-run")["reflection"]["count"] == 1
    assert (shop.tip(), listed(shop)) == (tip, [])


def test_a_file_that_was_edited_by_hand_is_kept_aside_and_written_anew(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    learn(shop, "it loops")
    before = file_of(shop)
    (shop.clones[0] / ".exo" / "LEARNINGS.md").write_text("mine\n")
    ran = shop.exo(0, "reflect", "--pattern", "another", "--insight", "x")
    assert "COMPUTED_EDITED" in {each["code"] for each in ran.answer["warnings"]}
    kept = list((shop.clones[0] / ".exo" / "cache" / "rejected").glob("LEARNINGS.md.*"))
    assert [each.read_text() for each in kept] == ["mine\n"]
    assert before.splitlines()[-1] in file_of(shop)


def test_a_session_says_in_which_one_it_was_learnt_and_others_do_not_speak_for_it(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    session = shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)["session"]["id"]
    assert learn(shop, "within", *CLAUDE)["reflection"]["session"] == session
    assert learn(shop, "named", "--session-id", session[4:], *CLAUDE)["reflection"]["session"] == session
    refused = shop.fails(0, "reflect", "--pattern", "x", "--insight", "x", "--session-id", session, *CODEX)
    assert (refused["code"], "agent:claude" in refused["message"]) == ("VALUE_INVALID", True)


def test_a_way_that_was_blocked_is_remembered_with_what_was_tried(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    commits = shop.commits()
    shop.ok(0, "ticket-move", "T1", "blocked", "--reason", "no\nkey", "--tried", "asked Bob")
    assert shop.commits() == commits + 1
    (item,) = shop.ok(0, "reflections")["items"]
    assert (item["pattern"], item["insight"], item["kind"]) == ("no key", "asked Bob", "blocked_path")
    assert (item["scope"], item["severity"]) == ("TICKET-T1", "medium")
    shop.ok(0, "ticket-move", "T1", "todo")
    shop.ok(0, "ticket-move", "T1", "blocked", "--reason", "No key " + "x" * 300)
    cut = next(each for each in shop.ok(0, "reflections")["items"] if each["id"] != item["id"])
    assert (len(cut["pattern"]), cut["pattern"][-1]) == (200, "…")
    assert cut["insight"] == "nothing was tried, as far as was told"


def test_a_move_that_is_refused_teaches_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    assert shop.fails(0, "ticket-move", "T1", "blocked")["code"] == "GUARD_UNMET"
    assert shop.fails(0, "ticket-move", "T1", "review", "--reason", "x")["exit"] != 0
    assert listed(shop) == []


def test_what_a_session_ends_with_is_remembered_where_it_blocks_and_as_a_lesson(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    session = shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)["session"]["id"]
    ending = ("--summary", "s", "--lesson", "read the guide", "--set-status", "blocked", "--reason", "no key")
    shop.ok(0, "session-finish", *ending, *CLAUDE)
    blocked, lesson = shop.ok(0, "reflections")["items"]
    assert (blocked["kind"], blocked["scope"], blocked["pattern"]) == ("blocked_path", "TICKET-T1", "no key")
    assert (lesson["kind"], lesson["scope"], lesson["severity"]) == ("lesson", "global", "low")
    assert (lesson["pattern"], lesson["insight"]) == (f"Title TICKET-T1 ({session})", "read the guide")
    assert learn(shop, "no key", "--scope", "T1")["reflection"]["session"] == session


def test_an_audit_leaves_its_lesson_and_is_told_none(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    learn(shop, "it loops")
    shop.ok(0, "session-start", "--ticket-id", "T1", *CODEX)
    shop.ok(0, "session-finish", "--summary", "s", "--set-status", "todo", *CODEX)
    found: list[tuple[str, str, int]] = []
    for lesson in ("look twice", "look thrice"):
        begun = shop.ok(0, "session-audit", "--ticket-id", "T1", *CLAUDE)
        assert "it loops" not in begun["bootstrap_prompt"]
        shop.ok(0, "session-finish", "--summary", "f", "--lesson", lesson, *CLAUDE)
        found.append((f"Title TICKET-T1 ({begun['session']['id']})", lesson, 1))
    assert sorted(listed(shop, "--kind", "lesson")) == sorted(found)


def test_a_session_is_told_what_holds_for_all_for_its_ticket_and_for_what_is_above(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    learn(shop, "everywhere", "--severity", "low")
    learn(shop, "above", "--scope", "INTENT-1", "--severity", "critical")
    learn(shop, 'here"\n## Fence', "--scope", "T1")
    learn(shop, "elsewhere", "--scope", "T2")
    prompt = shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)["bootstrap_prompt"]
    told = prompt.partition("## Learnings\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split(",")[0] for line in told] == ["- critical on INTENT-1", "- medium on TICKET-T1", "- low"]
    assert told[1].endswith(': "here\' ## Fence": "use a list"')
    assert "elsewhere" not in prompt


def test_the_settings_say_how_many_a_session_is_told(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    for number in range(4):
        learn(shop, f"pattern {number}")
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("max_tokens: 1500", "max_tokens: 1500\n  max_learnings: 2"))
    prompt = shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)["bootstrap_prompt"]
    assert prompt.count(': "pattern ') == 2


def test_what_is_learnt_offline_counts_although_the_claim_does_not_yet(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=1)
    away = shop.lose_hub()
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline", *CLAUDE)
    learn(shop, "it loops", *CLAUDE)
    assert listed(shop) == [("it loops", "use a list", 1)]
    away.rename(shop.server)
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    assert listed(shop, number=1) == [("it loops", "use a list", 1)]
