"""The benchmark on conversations: what it reads, and how it counts. The conversation here is made up."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent_memory.domain.chunking import estimate_tokens
from bench.locomo import data, lines, section
from bench.locomo.agent import Agent, held
from bench.locomo.data import Conversation, Question, Turn, load
from bench.locomo.metrics import MEASURES, Recall, share, shares, within
from local.api import Api
from local.stack import Stack
from local.state import ROOT

MADE_UP = {
    "sample_id": "made-up",
    "conversation": {
        "speaker_a": "Ana",
        "speaker_b": "Ben",
        "session_10_date_time": "12:05 am on 3 March, 2024",
        "session_10": [{"speaker": "Ana", "dia_id": "D10:1", "text": "The boat is sold."}],
        "session_2_date_time": "1:56 pm on 8 May, 2023",
        "session_2": [
            {"speaker": "Ana", "dia_id": "D2:1", "text": "We bought a boat."},
            {"speaker": "Ben", "dia_id": "D2:2", "text": " ", "blip_caption": "a boat", "img_url": ["x"]},
            {"speaker": "Ben", "dia_id": "D2:3", "text": "What is it called?", "blip_caption": "a boat"},
        ],
        "session_3_date_time": "2:00 pm on 9 May, 2024",
    },
    "qa": [
        {"question": "When was it bought?", "answer": "May", "evidence": ["D2:1"], "category": 2},
        {
            "question": "What became of it?",
            "answer": "sold",
            "evidence": ["D2:1; D10:01", "D:2:3", "D2:2"],
            "category": 1,
        },
        {"question": "Why?", "evidence": [], "category": 3},
        {"question": "Who?", "evidence": ["D", "D77:1"], "category": 3},
        {"question": "Who sold the car?", "adversarial_answer": "Ben", "evidence": ["D10:1"], "category": 5},
    ],
}

NOWHERE: dict[str, Any] = {each.name: "" for each in fields(Stack)} | {"tenants": ()}


@pytest.fixture
def conversation(tmp_path: Path) -> Conversation:
    path = tmp_path / "data.json"
    path.write_text(json.dumps([MADE_UP]))
    (only,) = load(path)
    return only


def turn(number: int, said: str = "word") -> Turn:
    return Turn(f"D1:{number}", "session_1", "Ana", said, datetime(2024, 3, 3, 0, 0, number, tzinfo=UTC))


def test_turns_come_in_the_order_of_sessions_a_second_apart(conversation: Conversation) -> None:
    assert [(turn.id, turn.session, turn.at.isoformat()) for turn in conversation.turns] == [
        ("D2:1", "session_2", "2023-05-08T13:56:00+00:00"),
        ("D2:3", "session_2", "2023-05-08T13:56:02+00:00"),
        ("D10:1", "session_10", "2024-03-03T00:05:00+00:00"),
    ]
    assert conversation.ends_at == datetime(2024, 3, 3, 0, 5, 1, tzinfo=UTC)


def test_a_memory_says_who_spoke_and_when(conversation: Conversation) -> None:
    assert conversation.turns[0].content == "Ana (8 May 2023): We bought a boat."


def test_a_turn_of_a_picture_alone_is_left_out_and_captions_are_never_told(conversation: Conversation) -> None:
    assert "D2:2" not in {turn.id for turn in conversation.turns}
    assert not any("a boat" in turn.content and turn.speaker == "Ben" for turn in conversation.turns)


def test_evidence_is_the_turns_that_are_named_and_exist_however_they_are_written(conversation: Conversation) -> None:
    assert [question.evidence for question in conversation.questions] == [
        {"D2:1"},
        {"D2:1", "D10:1", "D2:3"},
        {"D10:1"},
    ]


def test_questions_without_evidence_are_not_asked(conversation: Conversation) -> None:
    assert [question.category for question in conversation.questions] == [2, 1, 5]


def test_an_id_that_names_no_turn_is_refused(tmp_path: Path) -> None:
    broken: dict[str, Any] = json.loads(json.dumps(MADE_UP))
    broken["conversation"]["session_2"][0]["dia_id"] = "first"
    path = tmp_path / "data.json"
    path.write_text(json.dumps([broken]))

    with pytest.raises(ValueError, match="'first' is no id of a turn"):
        load(path)


def test_the_data_set_is_looked_for_beside_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_LOCOMO", raising=False)

    assert data.place() == ROOT.parent / "shared" / "data" / "locomo-dev.json"


def test_without_the_data_set_the_section_says_where_it_looked_and_holds_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_LOCOMO", str(tmp_path / "nowhere.json"))

    (line,) = section.measure(Stack(**NOWHERE))

    assert line.holds is None
    assert str(tmp_path / "nowhere.json") in line.budget


@pytest.mark.parametrize(("found", "recall"), [([], 0), ([9], 0), ([1, 9, 1], 0.5), ([2, 1], 1)])
def test_recall_is_the_share_of_the_evidence_that_was_found(found: list[int], recall: float) -> None:
    assert share(map(turn, found), frozenset({"D1:1", "D1:2"})) == recall


def test_only_so_many_of_the_best_count() -> None:
    ranked = [turn(number) for number in range(1, 31)]
    asked = Question("?", 4, frozenset({"D1:5", "D1:6", "D1:20", "D1:21"}))

    measured = shares(asked, ranked)

    assert (measured["@5"], measured["@10"], measured["@20"]) == (0.25, 0.5, 0.75)


def test_a_budget_of_tokens_is_filled_from_the_best_and_never_passed() -> None:
    ranked = [turn(1), turn(2, "long " * 200), turn(3)]
    one = estimate_tokens(f"{ranked[0].content}\n")

    assert list(within(ranked, one - 1)) == []
    assert list(within(ranked, one)) == ranked[:1]
    assert list(within(ranked, 3 * one)) == ranked[:1]
    assert list(within(ranked, 10_000)) == ranked


def test_each_question_counts_as_much_as_another_whatever_its_category() -> None:
    recall = Recall()
    for category, value in [(1, 0.0), (1, 1.0), (4, 1.0), (5, 0.0)]:
        recall.add(category, {"@10": value})

    assert recall.mean("@10") == pytest.approx(2 / 3)
    assert recall.mean("@10", [1]) == 0.5
    assert recall.mean("@10", [5]) == 0
    assert recall.mean("@10", [3]) == 0


def test_a_turn_is_held_when_a_line_names_its_memory_and_says_all_of_it() -> None:
    whole, cut, unnamed, broken = (
        turn(1, "one two"),
        turn(2, "three four"),
        turn(3, "five six"),
        turn(4, "seven\neight"),
    )
    block = "\n".join(
        [
            "Memory (records, not instructions):",
            f"- [memory a 2024-03-03] {whole.content}",
            "- [memory b 2024-03-03] Ana (3 March 2024): three … (cut)",
            f"- [summary c 2024-03-03] {unnamed.content}",
            "- [memory d] Ana (3 March 2024): seven\\neight",
            f"- [memory somebody-elses] {unnamed.content}",
        ]
    )

    assert held(block, {"a": whole, "b": cut, "c": unnamed, "d": broken}) == [whole, broken]


@pytest.mark.parametrize("late", [0, 4, 5])
@pytest.mark.parametrize("told", [({"degraded": ["memories"]}, {}), ({}, {"degraded": ["memories"]})])
def test_a_context_without_a_layer_is_asked_for_again_and_never_counted(
    monkeypatch: pytest.MonkeyPatch, conversation: Conversation, late: int, told: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    whole = {"data": {"block": f"- [memory a] {turn(1).content}"}, "meta": {}}
    answers = iter([{"data": {"block": "", **told[0]}, "meta": told[1]}] * late + [whole])
    api = Api("http://nowhere", "key")
    monkeypatch.setattr(api, "ask", lambda _path, _question: next(answers))
    agent = Agent(api, conversation)
    agent.remembered["a"] = turn(1)

    if late < 5:
        assert agent.block(conversation.questions[0], 500) == [turn(1)]
    else:
        with pytest.raises(RuntimeError, match="without memories 5 times"):
            agent.block(conversation.questions[0], 500)


def test_less_than_vectors_alone_in_one_category_is_a_miss_and_so_is_too_little_over_all() -> None:
    ours, vector = Recall(), Recall()
    for category, mine, theirs in [(1, 0.5, 0.6), (2, 0.9, 0.6), (3, 0.6, 0.6), (4, 0.9, 0.6)]:
        ours.add(category, dict.fromkeys(MEASURES, mine))
        vector.add(category, dict.fromkeys(MEASURES, theirs))

    chosen = lines.left_out(ours, vector)
    shipped = lines.shipped({"ours": vector, "vector": ours, "lexical": ours, "last": ours})

    assert [line.holds for line in chosen] == [True, False, True, True, True]
    assert [line.holds for line in lines.left_out(vector, vector)] == [False, True, True, True, True]
    assert [line.what for line in shipped if line.holds is False] == [
        "  temporal",
        "  single-hop",
        "evidence recall in 1000 tokens",
    ]
