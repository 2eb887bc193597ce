"""How long facts are kept, how they are walked, and what a repeated request does."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.domain.fact_requests import FactsQuery
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.json_document import dumps, parse
from agent_memory.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge, StoreUnavailable
from tests.contract.facts import KEY, KnownFacts, day, fact

LIKES: dict[str, Any] = {"predicate": "likes", "cardinality": "many"}


def test_expired_is_absent_from_its_second_on_and_what_it_closed_stays_closed(known: KnownFacts) -> None:
    paris = known.say("Paris", 1)
    berlin = known.say("Berlin", 5, ttl_hours=1)
    rumour = known.say("Rome", 7, trust="tool_external")
    lives = {"predicate": "lives in"}
    assert known.timeline(**lives) == ["Paris"] * 4 + ["Berlin"] * 5

    known.clock.turn(hours=1)

    for _ in range(2):
        assert known.timeline(**lives) == ["Paris"] * 4 + [None] * 5
        assert known.values(8, known_at=berlin.fact.known_from, **lives) == []
        for use in (known.history, known.retract):
            with pytest.raises(NotFound):
                use(berlin.fact.id)
        assert known.history(paris.fact.id)[0]["by"] == berlin.fact.id
        known.say("tea", 1, **LIKES, subject="Bo")  # the user's next write takes it off the disk

    assert known.history(rumour.fact.id)[0]["valid_from"] is None
    assert known.say("Madrid", 3).superseded == (paris.fact.id,)


def test_of_two_expiries_the_later_one_holds(known: KnownFacts) -> None:
    first = known.say("Paris", 1, ttl_hours=1)
    known.say("Paris", 2, ttl_hours=2)
    known.clock.turn(hours=1)
    assert known.values() == ["Paris"]

    known.say("Paris", 3)
    known.clock.turn(hours=1000)

    assert [each["id"] for each in known.find()] == [first.fact.id]


def test_what_was_known_before_it_was_kept_longer_is_known_as_long(known: KnownFacts) -> None:
    care: dict[str, Any] = {"purposes": ["care"], "predicate": "works at"}
    paris, acme = known.say("Paris", 1, ttl_hours=1), known.say("Acme", 1, **care, ttl_hours=1)
    asked: dict[str, Any] = {"known_at": known.clock.turn(minutes=1), "predicate": "works at"}
    known.clock.turn(minutes=30)
    known.say("Paris", 2)
    known.say("Acme", 2, **care | {"purposes": ["care", "billing"]}, ttl_hours=4)
    known.clock.turn(hours=2)

    assert [each["id"] for each in known.find(known_at=asked["known_at"])] == [paris.fact.id]
    assert [each["id"] for each in known.find(**asked, purpose="care")] == [acme.fact.id]
    assert [each["id"] for each in known.find(**asked, subject="Ana", purpose="care")] == [acme.fact.id]
    known.clock.turn(hours=3)
    assert known.find(**asked, purpose="care") == []


def test_a_walk_tells_of_one_time_whatever_is_said_meanwhile(known: KnownFacts) -> None:
    for number in range(1, 8):
        known.say(number, number, **LIKES)
    first = known.facts.find(known.tenant, FactsQuery(user_id="ana", limit=3), KEY)
    known.say(0, 3, **LIKES)
    known.retract(parse(first.facts[0])["id"])

    rest = known.facts.find(known.tenant, FactsQuery(user_id="ana", limit=10, cursor=first.next_cursor), KEY)

    assert [parse(each)["value"] for each in [*first.facts, *rest.facts]] == [7, 6, 5, 4, 3, 2, 1]
    assert rest.next_cursor is None
    assert [each["value"] for each in known.find(limit=2)] in ([6, 5, 4, 3, 0, 2, 1], [6, 5, 4, 0, 3, 2, 1])
    with pytest.raises(InvalidRequest):
        known.facts.find(known.tenant, FactsQuery(user_id="bob", cursor=first.next_cursor), KEY)


def test_a_history_is_paged(known: KnownFacts) -> None:
    paris = known.say("Paris", 1).fact.id
    for _ in range(3):
        known.retract(paris)
        known.restore(paris)

    assert len(known.history(paris)) == 7
    assert known.history(paris, limit=2) == known.history(paris)


def test_large_facts_make_several_answers(known: KnownFacts) -> None:
    values = [f"{number} " + "x" * 30_000 for number in range(30)]
    told = known.say_all([fact(value, 1 + place % 9, **LIKES) for place, value in enumerate(values)])
    assert [each.fact.value for each in told] == values

    page = known.facts.find(known.tenant, FactsQuery(user_id="ana", limit=100), KEY)

    assert len(page.facts) <= 30
    assert sorted(known.values()) == sorted(values)


def test_a_bundle_that_no_request_can_carry_is_refused(known: KnownFacts) -> None:
    if not isinstance(known.store, SqlFactStore) or known.store._database.max_request_bytes > 4_000_000:
        return
    with pytest.raises(PayloadTooLarge):
        known.say_all([fact(f"{number}" + "x" * 32_000, 1, **LIKES) for number in range(100)])
    assert known.values() == []


def replayed(use: Any, *arguments: Any, record: IdempotencyRecord) -> Any:
    with pytest.raises(AlreadyAnswered) as met:
        use(*arguments, record=record)
    return met.value.stored


def test_a_repeated_request_is_told_what_the_first_one_did(known: KnownFacts) -> None:
    paris = known.say("Paris", 1, record=known.key("a"))
    known.say("Berlin", 3)
    again = replayed(known.say, "Paris", 1, record=known.key("a"))
    assert parse(again.answer.body) == parse(_json(paris))

    berlin = known.say("Rome", 2, record=known.key("b"))
    assert len(berlin.superseded) == 1
    known.retract(berlin.fact.id, record=known.key("c"))
    assert parse(replayed(known.say, "Rome", 2, record=known.key("b")).answer.body) == parse(_json(berlin))
    assert replayed(known.retract, berlin.fact.id, record=known.key("c")).answer.status == 204
    restored = known.restore(berlin.fact.id, record=known.key("d"))
    assert parse(replayed(known.restore, berlin.fact.id, record=known.key("d")).answer.body) == parse(_json(restored))
    bundle = known.say_all([fact("tea", 1, **LIKES)] * 2, record=known.key("e"))
    body = parse(replayed(known.say_all, [fact("tea", 1, **LIKES)] * 2, record=known.key("e")).answer.body)
    assert body == {"facts": [parse(_json(each)) for each in bundle]}
    assert len(known.history(paris.fact.id)) == len({each["known_from"] for each in known.history(paris.fact.id)})


def test_a_key_that_was_used_for_another_request_tells_nothing_of_it(known: KnownFacts) -> None:
    known.say("Paris", 1, record=known.key("a"))

    stored = replayed(known.say, "Berlin", 2, record=known.key("a", b"other"))

    assert (stored.answer.body, stored.request_hash) == (None, known.key("a").request_hash)
    assert known.values() == ["Paris"]


def test_a_refusal_leaves_the_key_free(known: KnownFacts) -> None:
    known.say("tea", 1, **LIKES)
    with pytest.raises(Conflict):
        known.say("wine", 1, **LIKES | {"cardinality": "one"}, record=known.key("a"))

    assert known.say("wine", 1, **LIKES, record=known.key("a")).fact.value == "wine"


def test_eight_writers_at_once_leave_one_current_value_and_a_whole_history(known: KnownFacts) -> None:
    writers = [known.another() for _ in range(8)]
    together = threading.Barrier(len(writers))

    def said(number: int, turn: int) -> str:
        """Again and again under one key, as a caller does whom a busy store did not answer in time."""
        record = known.key(f"{number}-{turn}")
        while True:
            try:
                return writers[number].say(f"{number}-{turn}", record=record).fact.id
            except AlreadyAnswered as exc:
                answer = exc.stored.answer
                return str(parse((answer and answer.body) or "")["fact"]["id"])
            except StoreUnavailable:
                continue

    def race(number: int) -> list[str]:
        together.wait()
        return [said(number, turn) for turn in range(4)]

    with ThreadPoolExecutor(len(writers)) as pool:
        ids = [each for made in pool.map(race, range(len(writers))) for each in made]

    (current,) = known.find()
    last = [known.history(each)[0] for each in ids]
    closed = sorted((each for each in last if each["id"] != current["id"]), key=lambda each: str(each["valid_from"]))
    assert len(set(ids)) == len(closed) + 1 == 32
    follows = [*closed[1:], known.history(current["id"])[0]]
    for earlier, later in zip(closed, follows, strict=True):
        assert (earlier["valid_to"], earlier["by"]) == (later["valid_from"], later["id"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"valid_from": day(5), "valid_to": day(5)}, "valid_to"),
        ({"valid_to": day(5)}, "valid_to"),
        ({"expires_at": day(5)}, "expires_at"),
        ({"session_id": "s"}, "session_id"),
    ],
)
def test_what_is_wrong_with_an_item_is_named_with_its_place(
    known: KnownFacts, fields: dict[str, Any], field: str
) -> None:
    wrong = fact("Rome").model_validate(fact("Rome").model_dump(exclude_none=True) | fields)
    with pytest.raises(InvalidRequest) as refused:
        known.say_all([fact("Paris", 1), wrong])

    assert refused.value.details[0]["field"] == f"items.1.{field}"  # type: ignore[index]
    assert known.values() == []


def test_items_of_a_bundle_agree_on_user_and_cardinality(known: KnownFacts) -> None:
    others: list[dict[str, Any]] = [{"user_id": "bob"}, {"cardinality": "many"}]
    for other in others:
        with pytest.raises(InvalidRequest) as refused:
            known.say_all([fact("Paris", 1, cardinality="one"), fact("Rome", 2, **other)])
        assert refused.value.details[0]["field"] == f"items.1.{next(iter(other))}"  # type: ignore[index]
    told = known.say_all([fact("tea", 1, predicate="likes"), fact("milk", 1, **LIKES)])
    assert [each.fact.cardinality for each in told] == ["many", "many"]


def test_a_session_s_facts_are_of_the_session_s_user(known: KnownFacts) -> None:
    known.say("Paris", 1, agent_id="a", session_id="s")

    with pytest.raises(Conflict):
        known.say("Rome", 1, agent_id="a", session_id="s", user_id="bob")


def test_a_walk_by_a_known_time_to_come_is_one_by_now(known: KnownFacts) -> None:
    for number in range(1, 5):
        known.say(number, number, **LIKES)
    soon = known.clock() + timedelta(days=1)
    first = known.facts.find(known.tenant, FactsQuery(user_id="ana", limit=2, known_at=soon), KEY)
    known.say(9, 2, **LIKES)

    query = FactsQuery(user_id="ana", limit=9, known_at=soon, cursor=first.next_cursor)
    rest = known.facts.find(known.tenant, query, KEY)

    assert [parse(each)["value"] for each in [*first.facts, *rest.facts]] == [4, 3, 2, 1]


def _json(told: Any) -> str:
    return dumps(told.response())
