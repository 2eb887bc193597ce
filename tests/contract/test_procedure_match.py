"""Which procedures a message calls for, in every store, and that the store in SQL says what the rule in Python says."""

import random
from typing import Any

import pytest

from agent_memory.domain.procedure_match import fused
from tests.contract.procedures import REFUND, Handbook
from tests.fakes.procedures import InMemoryProcedureStore


def trigger(*phrases: str, **fields: Any) -> dict[str, Any]:
    return REFUND | {"trigger": list(phrases)} | fields


def test_a_message_that_repeats_a_trigger_has_the_whole_score(handbook: Handbook) -> None:
    handbook.put("refund", **trigger("cancel a subscription", "refund an order"))
    handbook.put("ship", **trigger("send a parcel"))

    best, *others = handbook.match("Refund an order!")
    assert (best.procedure.name, best.phrase, best.overlap) == ("refund", "refund an order", 1.0)
    assert best.similarity is not None
    assert best.score == pytest.approx(fused(best.similarity, 1.0).score)
    assert best.score > 0.95
    assert [each.procedure.name for each in others] == ["ship"]


def test_words_count_in_any_form_and_within_a_long_message(handbook: Handbook) -> None:
    handbook.put("refund", **trigger("refund an order"))
    handbook.put("ship", **trigger("send a parcel"))
    message = "Good morning, " + "I was on holiday for a while. " * 40 + "Can the orders that broke be refunded?"

    assert handbook.match(message)[0].overlap == 1.0
    assert handbook.matched(message)[0] == "refund"


def test_texts_without_blanks_between_words_match(handbook: Handbook) -> None:
    handbook.put("refund", **trigger("注文を返金する"))
    handbook.put("ship", **trigger("荷物を送る"))

    assert handbook.matched("先週の注文を返金してください")[0] == "refund"


def test_ties_go_by_name_and_top_k_and_threshold_bound_what_is_told(handbook: Handbook) -> None:
    for name in ("c", "a", "b", "A"):
        handbook.put(name, **trigger("refund an order"))
    handbook.put("unlike", **trigger("water the plants"))

    assert handbook.matched("refund an order", top_k=3) == ["A", "a", "b"]
    assert handbook.matched("refund an order", threshold=0.9) == ["A", "a", "b", "c"]
    assert handbook.matched("refund an order", top_k=1, threshold=1.0) in (["A"], [])


def test_only_the_newest_version_is_matched(handbook: Handbook) -> None:
    handbook.put("refund", **trigger("water the plants"))
    handbook.put("refund", **trigger("refund an order"))

    assert handbook.match("water the plants")[0].phrase == "refund an order"


def test_an_agent_is_told_of_its_own_and_of_those_of_all_agents(handbook: Handbook) -> None:
    handbook.put("refund", **trigger("refund an order"))
    handbook.put("refund", **trigger("refund an order", agent_id="planner", steps=["own"]))
    handbook.put("ship", **trigger("refund an order", agent_id="critic"))

    told = handbook.match("refund an order", agent_id="planner")
    assert [(each.procedure.name, each.procedure.agent_id) for each in told] == [("refund", "planner")]
    assert [each.procedure.agent_id for each in handbook.match("refund an order")] == [None]
    assert handbook.matched("refund an order", agent_id="critic") == ["refund", "ship"]


def test_a_purpose_that_was_not_asked_for_never_appears(handbook: Handbook) -> None:
    handbook.put("open", **trigger("refund an order"))
    handbook.put("billing", **trigger("refund an order", purposes=["billing", "audit"]))
    handbook.put("support", **trigger("refund an order", purposes=["support"]))

    assert handbook.matched("refund an order") == ["open"]
    assert handbook.matched("refund an order", purpose="audit") == ["billing", "open"]
    assert handbook.matched("refund an order", purpose="nothing") == ["open"]
    assert [name for name, _, _ in handbook.walked()[0]] == ["billing", "open", "support"]
    assert handbook.get("support").version == 1


def test_a_user_is_not_told_what_was_learnt_of_another(handbook: Handbook) -> None:
    handbook.put("all", **trigger("refund an order"))
    handbook.put("ana", **trigger("refund an order", user_id="ana"))
    handbook.put("bo", **trigger("refund an order", user_id="bo"))

    assert handbook.matched("refund an order", user_id="ana") == ["all", "ana"]
    assert handbook.matched("refund an order") == ["all", "ana", "bo"]


def test_vectors_of_another_model_are_not_compared(handbook: Handbook) -> None:
    handbook.put("refund", **trigger("refund an order"))
    handbook.embedder.name = "another"

    (told,) = handbook.match("refund an order")
    assert (told.similarity, told.overlap) == (None, 1.0)
    assert told.score == pytest.approx(0.4)
    handbook.put("refund", **trigger("refund an order"))  # says the same, and brings the vectors that were missing
    assert handbook.match("refund an order")[0].score > 0.95
    assert handbook.versions("refund") == [[1]]


WORDS = "refund order cancel parcel send plants water tea invoice pay late broken the an a please"


@pytest.mark.parametrize("seed", range(6))
def test_sql_and_python_score_alike(handbook: Handbook, seed: int) -> None:
    if isinstance(handbook.store, InMemoryProcedureStore):
        return  # it is the rule
    rule = Handbook(reference := InMemoryProcedureStore(), lambda: reference, handbook.tenant, handbook.clock)
    chance = random.Random(seed)  # noqa: S311 - the same cases in each run
    agents, users, purposes = [None, "a", "b"], [None, "ana", "bo"], [None, "p", "q"]

    def phrase() -> str:
        return " ".join(chance.choices(WORDS.split(), k=chance.randint(1, 5)))

    for n in range(40):
        fields = trigger(*dict.fromkeys(phrase() for _ in range(chance.randint(1, 4))), steps=[str(n)])
        fields |= {"agent_id": chance.choice(agents), "user_id": chance.choice(users)}
        fields |= {"purposes": [p for p in (chance.choice(purposes),) if p]}
        for book in (handbook, rule):
            book.put(f"n{n % 25}", **fields)
    for _ in range(15):
        asked: dict[str, Any] = {
            "agent_id": chance.choice(agents),
            "user_id": chance.choice(users),
            "purpose": chance.choice(purposes),
            "top_k": chance.choice([3, 50]),
        }
        message = phrase()
        told, said = handbook.match(message, **asked), rule.match(message, **asked)
        assert [each.score for each in told] == pytest.approx([each.score for each in said], abs=1e-3)
        theirs = {each.procedure.name: each for each in rule.match(message, **asked | {"top_k": 50})}
        for each in told:  # vectors of half precision may turn two round that are as good as equal
            assert each.procedure == theirs[each.procedure.name].procedure
            assert each.score == pytest.approx(theirs[each.procedure.name].score, abs=1e-3)
            assert (
                each.overlap == pytest.approx(theirs[each.procedure.name].overlap)
                or each.phrase != theirs[each.procedure.name].phrase
            )
