"""How the benchmark on conversations chooses weights: on the others, by the parts that the API tells."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory.domain.fusion import HALF_LIFE_DAYS, WEIGHTS, Candidate, rank
from bench.locomo import lines, weights
from bench.locomo.agent import Agent
from bench.locomo.asking import Answers, Parts
from bench.locomo.data import Conversation, Question, Turn
from bench.locomo.weights import Fusing, left_out
from local.api import Api

AT = datetime(2024, 3, 3, tzinfo=UTC)
MEANING, WORDS = (replace(WEIGHTS, meaning=meaning) for meaning in (1.0, 0.0))
# By place: (cosine, lexical). The first is the nearest, the second the best worded.
PARTS = ((0.9, 0.1), (0.1, 0.9), (0.2, 0.2), (0.1, 0.1))


def agent(sessions: Sequence[str]) -> Agent:
    turns = tuple(
        Turn(f"D1:{place}", session, "Ana", "word", AT + timedelta(hours=place))
        for place, session in enumerate(sessions)
    )
    made = Agent(Api("http://nowhere", "key"), Conversation("made-up", turns, ()))
    made.remembered.update({f"memory-{place}": turn for place, turn in enumerate(turns)})
    return made


def asked(evidence: int, category: int = 4, found: Sequence[str] = (), sessions: Sequence[str] = "abcd") -> Fusing:
    told: Parts = {
        f"memory-{place}": {"cosine": cosine, "lexical": lexical} for place, (cosine, lexical) in enumerate(PARTS)
    }
    question = Question("?", category, frozenset({f"D1:{evidence}"}))
    modes: dict[str, Parts] = {"hybrid": {}, "vector": told, "lexical": told}
    return Fusing(Answers(agent(sessions), question, {}, modes, list(found)))


@pytest.fixture(autouse=True)
def only_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few candidates are enough to tell weights apart."""
    monkeypatch.setattr(weights, "TOP", 1)
    monkeypatch.setattr(weights, "GRID", (MEANING, WORDS))


@pytest.mark.parametrize("sessions", ["abcd", "aabb", "aaaa"])
def test_parts_fused_anew_are_ranked_as_the_rule_of_search_ranks_them(
    monkeypatch: pytest.MonkeyPatch, sessions: str
) -> None:
    monkeypatch.setattr(weights, "TOP", 4)
    fusing = asked(0, sessions=sessions)
    remembered = agent(sessions).remembered
    candidates = [Candidate(one, *parts, turn.at) for (one, turn), parts in zip(remembered.items(), PARTS, strict=True)]
    order = [[one for one, turn in remembered.items() if turn.session == name] for name in sorted(set(sessions))]
    at = max(turn.at for turn in remembered.values()) + timedelta(seconds=1)

    expected = [each.id for each in rank(candidates, order, at, HALF_LIFE_DAYS, 4)]

    assert fusing.ranked(WEIGHTS) == expected
    assert asked(0, found=expected, sessions=sessions).repeats_search()
    assert not asked(0, found=expected[::-1], sessions=sessions).repeats_search()


def test_what_one_side_alone_found_has_nothing_from_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "TOP", 4)
    modes: dict[str, Parts] = {
        "hybrid": {},
        "vector": {"memory-0": {"cosine": 0.5}},
        "lexical": {"memory-1": {"lexical": 0.4}},
    }
    fusing = Fusing(Answers(agent("ab"), Question("?", 4, frozenset({"D1:0"})), {}, modes, []))

    assert fusing.ranked(MEANING) == ["memory-0", "memory-1"]
    assert fusing.ranked(WORDS) == ["memory-1", "memory-0"]


def test_what_is_missing_is_asked_for_where_the_order_is_not_that_of_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "TOP", 2)
    modes: dict[str, Parts] = {
        "hybrid": {},
        "vector": {"memory-0": {"cosine": 0.5}},
        "lexical": {"memory-1": {"lexical": 0.4}},
    }
    made = agent("ab")
    asked_for: list[str] = []

    def parts(_: Question, one: str) -> dict[str, float | None]:
        asked_for.append(one)
        return {"cosine": 0.5, "lexical": 0.0} if one == "memory-0" else {"cosine": 0.4, "lexical": 0.4}

    monkeypatch.setattr(made, "parts", parts)

    assert Fusing(
        Answers(made, Question("?", 4, frozenset({"D1:0"})), {}, modes, ["memory-0", "memory-1"])
    ).repeats_search()
    assert asked_for == []
    assert Fusing(
        Answers(made, Question("?", 4, frozenset({"D1:0"})), {}, modes, ["memory-1", "memory-0"])
    ).repeats_search()
    assert sorted(asked_for) == ["memory-0", "memory-1"]


def test_each_conversation_is_asked_with_the_weights_that_are_best_on_the_others() -> None:
    by_meaning, by_words = [asked(0), asked(0)], [asked(1)]

    recall, chosen = left_out([by_meaning, by_words, by_words])

    assert chosen == [WORDS, MEANING, MEANING]
    assert recall.mean("@1") == 0


def test_adversarial_questions_choose_no_weights_but_are_counted_apart() -> None:
    recall, chosen = left_out([[asked(1, category=5)] * 5 + [asked(0)], [asked(0)]])

    assert chosen == [MEANING, MEANING]
    assert recall.mean("@1") == 1
    assert recall.mean("@1", [5]) == 0


@pytest.mark.parametrize(("same", "holds"), [(1000, True), (990, True), (989, False)])
def test_as_many_orders_are_those_of_search_as_the_recall_of_vectors_promises(same: int, holds: bool) -> None:
    assert lines.repeated(same, 1000).holds is holds
