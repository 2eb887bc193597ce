"""The routes of facts: what is refused and how, and what a caller sees."""

import json
from typing import Any

import pytest

from agent_memory.domain.fact_requests import MAX_VALUE_BYTES
from tests.edge import Edge
from tests.fakes.clock import Clock

FACTS = "/v1/facts"
PARIS: dict[str, Any] = {"user_id": "ana", "subject": "Ana", "predicate": "lives in", "value": "Paris"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    if request.param == "deployed":
        request.getfixturevalue("s3")  # the bucket, for a purge
    made: Edge = request.getfixturevalue(request.param)
    return made


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": None}, "user_id"),
        ({"subject": ""}, "subject"),
        ({"subject": " \u200b "}, "subject"),
        ({"predicate": "_-"}, "predicate"),
        ({"predicate": "x\0"}, "predicate"),
        ({"subject": "x" * 257}, "subject"),
        ({"value": {"a": ["\0"]}}, "value"),
        ({"value": {"\0": 1}}, "value"),
        ({"value": "x" * MAX_VALUE_BYTES}, "value"),
        ({"metadata": {"x": "\0"}}, "metadata"),
        ({"cardinality": "some"}, "cardinality"),
        ({"valid_from": "yesterday"}, "valid_from"),
        ({"valid_from": "2024-01-02T00:00:00Z", "valid_to": "2024-01-02T00:00:00Z"}, "valid_to"),
        ({"valid_to": "2001-01-01T00:00:00Z"}, "valid_to"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"session_id": "s"}, "session_id"),
        ({"id": UNKNOWN}, "id"),
    ],
)
def test_each_broken_field_is_named_in_a_fact_and_in_a_bundle(edge: Edge, change: dict[str, Any], field: str) -> None:
    alone = edge.call("PUT", FACTS, PARIS | change)
    bundled = edge.call("POST", f"{FACTS}/batch", {"items": [PARIS, PARIS | change]})

    assert (alone.status, [each["field"] for each in alone.error["details"]]) == (400, [field])
    assert (bundled.status, [each["field"] for each in bundled.error["details"]]) == (400, [f"items.1.{field}"])
    assert edge.call("GET", f"{FACTS}?user_id=ana").data["facts"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "user_id"),
        ("user_id=ana&as_of=now", "as_of"),
        ("user_id=ana&known_at=2024", "known_at"),
        ("user_id=ana&subject=%20", "subject"),
        ("user_id=ana&limit=0", "limit"),
        ("user_id=ana&limit=501", "limit"),
        ("user_id=ana&cursor=x", "cursor"),
        ("user_id=ana&cardinality=one", "cardinality"),
    ],
)
def test_each_broken_part_of_a_query_is_named(edge: Edge, query: str, field: str) -> None:
    refused = edge.call("GET", f"{FACTS}?{query}")

    assert (refused.status, [each["field"] for each in refused.error["details"]]) == (400, [field])


@pytest.mark.parametrize("items", [[], [PARIS] * 101, None, [1], PARIS])
def test_a_bundle_is_a_list_of_one_to_a_hundred_facts(edge: Edge, items: Any) -> None:
    assert edge.call("POST", f"{FACTS}/batch", {"items": items}).status == 400


@pytest.mark.parametrize("name", ["x", UNKNOWN.upper().replace("4", "A"), "~eA"])
def test_an_id_has_one_spelling(edge: Edge, name: str) -> None:
    for method, path in (("GET", "/history"), ("DELETE", ""), ("POST", "/restore")):
        assert edge.call(method, f"{FACTS}/{name}{path}").status == 400
        assert edge.call(method, f"{FACTS}/{UNKNOWN}{path}").status == 404


def test_numbers_come_back_as_they_were_written(api: Edge) -> None:
    value = '{"a":1.0,"b":1e2,"c":-0,"d":123456789012345678901234567890,"e":null}'
    api.call("PUT", FACTS, json.dumps(PARIS | {"value": 0}).replace('"value": 0', f'"value": {value}'))

    assert f'"value":{value}' in str(api.call("GET", f"{FACTS}?user_id=ana").text)


def test_who_moved_to_berlin_lives_in_berlin(api: Edge, clock: Clock) -> None:
    paris = api.call("PUT", FACTS, PARIS).data["fact"]
    clock.turn(hours=1)
    told = api.call("PUT", FACTS, PARIS | {"value": "Berlin", "predicate": "Lives_in"}).data

    assert told["superseded"] == [paris["id"]]
    facts = api.call("GET", f"{FACTS}?user_id=ana&predicate=lives-in").data
    assert ([each["value"] for each in facts["facts"]], facts["next_cursor"]) == (["Berlin"], None)
    then = api.call("GET", f"{FACTS}?user_id=ana&as_of={paris['valid_from']}").data["facts"]
    assert [(each["value"], each["by"]) for each in then] == [("Paris", told["fact"]["id"])]
    history = api.call("GET", f"{FACTS}/{paris['id']}/history").data
    assert [each["why"] for each in history["history"]] == ["superseded", "asserted"]


def test_a_refused_bundle_keeps_nothing_and_says_which_item_is_wrong(api: Edge) -> None:
    api.call("PUT", FACTS, PARIS | {"cardinality": "one"})
    other = PARIS | {"predicate": "likes"}

    refused = api.call("POST", f"{FACTS}/batch", {"items": [other, PARIS | {"cardinality": "many"}]}, key="k")

    assert (refused.status, refused.error["code"]) == (409, "CONFLICT")
    assert refused.error["details"][0]["field"] == "items.1.cardinality"
    assert len(api.call("GET", f"{FACTS}?user_id=ana").data["facts"]) == 1


def test_a_session_s_facts_are_of_its_user(api: Edge) -> None:
    session = {"agent_id": "a", "session_id": "s"}
    api.call("POST", "/v1/state", {**session, "user_id": "bob", "data": {}})

    refused = api.call("PUT", FACTS, PARIS | session)

    assert (refused.status, refused.error["code"]) == (409, "CONFLICT")
    assert api.call("GET", f"{FACTS}?user_id=ana").data["facts"] == []


def test_a_purge_of_an_agent_takes_what_it_alone_knew(api: Edge) -> None:
    api.scopes = "read write erase"
    gone = api.call("PUT", FACTS, PARIS | {"agent_id": "a", "session_id": "s"}).data["fact"]["id"]
    api.call("PUT", FACTS, PARIS | {"value": "Berlin"})
    assert api.call("GET", "/v1/usage").data["agents_count"] == 1

    assert edge_deleted(api)["facts"] == 1

    assert [each["value"] for each in api.call("GET", f"{FACTS}?user_id=ana").data["facts"]] == ["Berlin"]
    assert api.call("GET", f"{FACTS}/{gone}/history").status == 404


def edge_deleted(api: Edge) -> Any:
    return api.call("DELETE", "/v1/memory/a").data["deleted"]


def test_retracting_and_restoring_say_when_there_is_nothing_to_do(api: Edge) -> None:
    path = f"{FACTS}/{api.call('PUT', FACTS, PARIS).data['fact']['id']}"

    assert api.call("POST", f"{path}/restore").status == 409
    assert [api.call("DELETE", path).status for _ in range(2)] == [204, 409]
    assert api.call("GET", f"{FACTS}?user_id=ana").data["facts"] == []
    assert api.call("POST", f"{path}/restore").data["fact"]["why"] == "restored"
    assert len(api.call("GET", f"{FACTS}?user_id=ana").data["facts"]) == 1
