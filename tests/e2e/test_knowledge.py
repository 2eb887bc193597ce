"""What is known beyond single records, over HTTP: what a caller of the deployed stack sees."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.api import Api

FACTS = "/v1/facts"


@pytest.fixture
def user() -> str:
    """A user that no other test has spoken of."""
    return f"user-{uuid.uuid4().hex[:12]}"


def said(api: Api, user: str, predicate: str, value: Any, **fields: Any) -> Any:
    return api.put(FACTS, {"user_id": user, "subject": "Ana", "predicate": predicate, "value": value} | fields)


def current(api: Api, user: str, query: str = "") -> list[Any]:
    return [each["value"] for each in api.get(f"{FACTS}?user_id={user}{query}")["facts"]]


def test_who_moved_to_berlin_lives_in_berlin_and_once_lived_in_paris(api: Api, other_tenant: Api, user: str) -> None:
    paris = said(api, user, "lives in", "Paris", valid_from="2021-03-01T00:00:00Z")["fact"]
    told = said(api, user, "Lives_In", "Berlin", valid_from="2024-06-01T00:00:00Z", source={"kind": "chat", "id": "7"})

    assert told["superseded"] == [paris["id"]]
    assert current(api, user) == ["Berlin"]
    assert current(api, user, "&as_of=2022-01-01T00:00:00Z") == ["Paris"]
    assert current(api, user, f"&known_at={paris['known_from']}") == ["Paris"]
    now, before = api.get(f"{FACTS}/{paris['id']}/history")["history"]
    assert (now["why"], now["by"], now["valid_to"]) == ("superseded", told["fact"]["id"], told["fact"]["valid_from"])
    assert (before["why"], before["valid_to"], before["known_to"]) == ("asserted", None, now["known_from"])
    assert current(other_tenant, user) == []


def test_what_comes_late_lands_in_the_past_and_changes_nothing_of_today(api: Api, user: str) -> None:
    said(api, user, "lives in", "Berlin", valid_from="2024-06-01T00:00:00Z")
    late = said(api, user, "lives in", "Rome", valid_from="2023-01-01T00:00:00Z")

    assert (late["superseded"], late["fact"]["valid_to"]) == ([], "2024-06-01T00:00:00.000000Z")
    assert current(api, user) == ["Berlin"]
    assert current(api, user, "&as_of=2023-06-01T00:00:00Z") == ["Rome"]


def test_a_bundle_is_all_or_nothing_and_what_is_retracted_is_not_current(api: Api, user: str) -> None:
    likes = {"user_id": user, "subject": "Ana", "predicate": "likes", "cardinality": "many"}
    bad = [likes | {"value": "tea"}, likes | {"value": "milk", "cardinality": "both"}]
    refused = api.post(f"{FACTS}/batch", {"items": bad}, expect=400)
    assert [each["field"] for each in refused["details"]] == ["items.1.cardinality"]
    assert current(api, user) == []

    told = api.post(f"{FACTS}/batch", {"items": [likes | {"value": value} for value in ("tea", "milk", "tea")]})
    ids = [each["fact"]["id"] for each in told["facts"]]
    assert len(set(ids)) == 2
    api.delete(f"{FACTS}/{ids[1]}")
    assert current(api, user) == ["tea"]
    api.delete(f"{FACTS}/{ids[1]}", expect=409)

    api.post(f"{FACTS}/{ids[1]}/restore", None)

    assert sorted(current(api, user)) == ["milk", "tea"]


def test_a_fact_for_a_purpose_is_shown_for_that_purpose_only(api: Api, user: str) -> None:
    said(api, user, "is allergic to", "cashews", purposes=["care"])

    assert current(api, user) == current(api, user, "&purpose=marketing") == []
    assert current(api, user, "&purpose=care") == ["cashews"]


def test_a_purge_of_an_agent_takes_the_facts_that_it_alone_knew(api: Api, user: str) -> None:
    agent = f"agent-{uuid.uuid4().hex[:12]}"
    said(api, user, "lives in", "Paris", agent_id=agent)
    said(api, user, "likes", "tea")

    assert api.delete(f"/v1/memory/{agent}", expect=200)["deleted"]["facts"] == 1
    assert current(api, user) == ["tea"]


def test_a_session_s_facts_are_of_its_user_and_a_repeated_request_is_one_fact(api: Api, user: str) -> None:
    session = {"agent_id": f"agent-{uuid.uuid4().hex[:12]}", "session_id": "s"}
    fact = {"user_id": user, "subject": "Ana", "predicate": "lives in", "value": "Paris", **session}
    headers = {"Idempotency-Key": uuid.uuid4().hex}

    first, second = (api.request("PUT", FACTS, fact, headers=headers) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["data"] == second.json()["data"]
    assert second.headers["idempotency-replayed"] == "true"
    api.put(FACTS, fact | {"user_id": f"{user}-2"}, expect=409)


SEARCH = "/v1/memory/semantic/search"


def remembered(api: Api, agent: str, content: str, at: datetime, **fields: Any) -> str:
    said = {"agent_id": agent, "content": content, "timestamp": at.isoformat(), "dedupe": False}
    return str(api.post("/v1/memory/semantic", said | fields, expect=201)["id"])


def found(api: Api, agent: str, query: str, **fields: Any) -> list[Any]:
    return list(api.post(SEARCH, {"agent_id": agent, "query": query} | fields)["results"])


def test_what_was_said_about_pricing_last_tuesday_is_a_question_of_time(api: Api, user: str) -> None:
    now = datetime.now(UTC)
    tuesday = (now - timedelta(days=(now.weekday() - 1) % 7 or 7)).replace(hour=0, minute=0, second=0, microsecond=0)
    mine = {"user_id": user, "session_id": f"session-{uuid.uuid4().hex[:12]}"}
    remembered(api, user, "Pricing: the yearly plan stays at 90 euros.", tuesday - timedelta(days=7), **mine)
    said = remembered(api, user, "Pricing: the yearly plan goes up to 120 euros.", tuesday + timedelta(hours=9), **mine)
    remembered(api, user, "The office moves in spring.", tuesday + timedelta(hours=10), **mine)
    remembered(api, user, "Pricing: we talk about it again tomorrow.", tuesday + timedelta(days=1), **mine)

    day = {"from": tuesday.isoformat(), "to": (tuesday + timedelta(days=1, microseconds=-1)).isoformat()}
    results = found(api, user, "what did I say about pricing", user_id=user, **day)

    assert results[0]["id"] == said
    assert len(results) == 2, "only that day's"
    assert [each["id"] for each in found(api, user, "pricing", mode="lexical", **day)] == [said]
    assert found(api, user, "what did I say about pricing", user_id=f"another-{user}", **day) == []


def test_a_preference_of_three_years_ago_does_not_outvote_one_of_three_days_ago(api: Api, user: str) -> None:
    now = datetime.now(UTC)
    old = remembered(api, user, "I prefer window seats on flights.", now - timedelta(days=3 * 365))
    new = remembered(api, user, "I prefer aisle seats on flights now.", now - timedelta(days=3))
    pinned = remembered(api, user, "I am allergic to nuts.", now - timedelta(days=3 * 365), pinned=True)

    results = found(api, user, "which seats do I prefer on flights?", explain=True)

    assert [each["id"] for each in results][:2] == [new, old]
    recency = {each["id"]: each["parts"]["recency"] for each in results}
    assert recency[new] > 0.99
    assert recency[old] < 0.75
    assert recency[pinned] == 1
    then = found(api, user, "which seats do I prefer on flights?", as_of=(now - timedelta(days=30)).isoformat())
    assert {each["id"] for each in then} == {old, pinned}


def test_what_was_said_for_one_purpose_is_not_found_for_another(api: Api, user: str) -> None:
    now = datetime.now(UTC)
    open_ = remembered(api, user, "Ana's invoices go to Porto.", now)
    care = remembered(api, user, "Ana's invoices wait while she is in hospital.", now, purposes=["care"])

    asked = {"agent_id": user, "query": "Ana's invoices"}
    for path in (SEARCH, "/v1/memory/search"):
        assert {each["id"] for each in api.post(path, asked)["results"]} == {open_}
        assert {each["id"] for each in api.post(path, asked | {"purpose": "marketing"})["results"]} == {open_}
        assert {each["id"] for each in api.post(path, asked | {"purpose": "care"})["results"]} == {open_, care}
