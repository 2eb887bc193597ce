"""All layers at once, over stores in memory and over DynamoDB."""

import base64
import json
import os
from typing import Any

import pytest

from agent_memory.bootstrap import memories
from agent_memory.domain.identifiers import to_path
from tests.edge import Edge
from tests.fakes.clock import Clock

LOOK_ALIKES = ["semantic", "search", "a#0", "a", "x" * 256, "é/ü"]


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    return made


def put_state(api: Edge, session: str, agent: str = "planner", **fields: Any) -> None:
    body = {"agent_id": agent, "session_id": session, "data": {"in": session}} | fields
    assert api.call("POST", "/v1/memory", body).status == 201


def say(api: Edge, content: Any, agent: str = "planner", **fields: Any) -> str:
    body = {"agent_id": agent, "session_id": "s", "type": "conversation", "content": content} | fields
    return str(api.call("POST", "/v1/memory", body).data["id"])


def remember(api: Edge, content: str, agent: str = "planner", **fields: Any) -> str:
    return str(api.call("POST", "/v1/memory", {"agent_id": agent, "content": content} | fields).data["id"])


def look(api: Edge, agent: str = "planner", **query: Any) -> Any:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return api.call("GET", f"/v1/memory/{to_path(agent)}?{asked}").json


def search(api: Edge, query: str, **fields: Any) -> list[Any]:
    return list(api.call("POST", "/v1/memory/search", {"query": query} | fields).data["results"])


def noise(size: int) -> str:
    return base64.b64encode(os.urandom(size)).decode()


def test_the_newest_of_each_layer_is_shown(api: Edge, clock: Clock) -> None:
    for number in range(12):
        clock.turn(seconds=1)
        put_state(api, f"s{number}")
        say(api, number)
        remember(api, f"fact {number} of {number * 7919}")
    clock.turn(seconds=1)
    put_state(api, "s3")

    seen = look(api)["data"]

    assert seen["state"]["session_id"] == "s3"
    assert [each["content"] for each in seen["episodic"]] == list(range(11, 1, -1))
    assert [each["content"].split()[1] for each in seen["semantic"]] == [str(number) for number in range(11, 1, -1)]
    assert len(look(api, limit=3)["data"]["episodic"]) == len(look(api, limit=3)["data"]["semantic"]) == 3
    assert "partial" not in look(api)["meta"]


def test_expired_records_are_not_shown(api: Edge, clock: Clock) -> None:
    put_state(api, "kept")
    clock.turn(seconds=1)
    put_state(api, "lapsed", ttl_hours=1)
    say(api, "lapsed", ttl_hours=1)
    clock.turn(hours=2)

    seen = look(api)["data"]

    assert (seen["state"]["session_id"], seen["episodic"]) == ("kept", [])
    assert search(api, "lapsed") == []


@pytest.mark.parametrize("agent", LOOK_ALIKES)
def test_an_agent_is_seen_alone_whatever_it_is_called(api: Edge, agent: str) -> None:
    for each in LOOK_ALIKES:
        put_state(api, "s", each, data={"of": each})
        say(api, each, each)
        remember(api, f"about {each}", each)

    by_query = api.call("GET", "/v1/memory?agent_id=" + to_query(agent)).data

    assert by_query["state"]["data"] == {"of": agent}
    assert [each["content"] for each in by_query["episodic"]] == [agent]
    assert [each["content"] for each in by_query["semantic"]] == [f"about {agent}"]
    if agent != "semantic":
        assert look(api, agent)["data"] == by_query


def to_query(value: str) -> str:
    return "".join(f"%{byte:02X}" for byte in value.encode())


def test_an_agent_that_nobody_knows_has_nothing(api: Edge) -> None:
    assert look(api, "nobody")["data"] == {"state": None, "semantic": [], "episodic": []}


def test_tenants_see_their_own(api: Edge) -> None:
    put_state(api, "s")
    say(api, "tea")
    remember(api, "tea")
    api.tenant_id += "-2"

    assert look(api)["data"] == {"state": None, "semantic": [], "episodic": []}
    assert search(api, "tea") == search(api, "tea", agent_id="planner") == []


def test_what_does_not_fit_one_answer_is_left_out_and_said_so(api: Edge) -> None:
    put_state(api, "s")
    say(api, noise(100_000))
    for number in range(3):
        remember(api, str(number) * 800_000)

    seen = look(api)

    assert seen["meta"]["partial"] is True
    assert seen["data"]["state"]
    assert (len(seen["data"]["semantic"]), seen["data"]["episodic"]) == (3, [])
    assert len(json.dumps(seen)) < 2_600_000
    found = api.call("POST", "/v1/memory/search", {"query": "x"}).json
    assert len(json.dumps(found)) < 2_600_000


def test_memories_and_episodes_are_found_together_the_best_first(api: Edge, clock: Clock) -> None:
    exact = remember(api, "quarterly pricing review", metadata={"k": "v"})
    say(api, {"role": "user", "text": "the pricing is fine"})
    clock.turn(seconds=1)
    whole = say(api, ["Quarterly", {"of": "PRICING"}, "a review!"], metadata={"n": 1.0})
    say(api, "something else entirely")

    results = search(api, "quarterly pricing review plan", top_k=3)

    assert [each["id"] for each in results] == [exact, whole], "one word of four is less than half of them"
    by_id = {each["id"]: each for each in results}
    assert (by_id[exact]["memory_type"], by_id[exact]["metadata"]) == ("semantic", {"k": "v"})
    assert by_id[exact]["similarity_score"] > 0.8
    assert by_id[exact]["score"] > by_id[whole]["score"]
    assert (by_id[whole]["memory_type"], by_id[whole]["relevance"]) == ("episodic", "text_match")
    assert by_id[whole]["score"] == 0.45
    assert by_id[whole]["content"] == ["Quarterly", {"of": "PRICING"}, "a review!"]
    assert {"agent_id", "content", "metadata", "created_at", "timestamp"} <= by_id[exact].keys() & by_id[whole].keys()


def test_numbers_come_back_as_they_were_written(api: Edge) -> None:
    say(api, '{"text":"tea","n":1.0}', metadata={"m": 1})
    body = '{"agent_id":"planner","session_id":"s","type":"action","content":{"t":"tea time","n":1.0,"big":1e2}}'
    api.call("POST", "/v1/memory", body)
    api.call("POST", "/v1/memory", '{"agent_id":"planner","content":"tea","metadata":{"n":1.0,"big":1e2}}')

    found = str(api.call("POST", "/v1/memory/search", {"query": "tea"}).text)

    assert found.count('"n":1.0,"big":1e2') == 2


def test_of_equal_episodes_the_newest_comes_first_and_top_k_counts_both_kinds(api: Edge, clock: Clock) -> None:
    ids = []
    for _ in range(6):
        clock.turn(seconds=1)
        ids.append(say(api, "tea"))
    remember(api, "tea")

    results = search(api, "tea", top_k=4)

    assert [each["memory_type"] for each in results] == ["semantic", "episodic", "episodic", "episodic"]
    assert [each["id"] for each in results[1:]] == ids[:-4:-1]


def test_a_search_of_one_agent_finds_nothing_of_another(api: Edge) -> None:
    for agent in LOOK_ALIKES:
        say(api, "tea", agent)
        remember(api, "tea", agent)

    assert {each["agent_id"] for each in search(api, "tea", agent_id="a")} == {"a"}


def test_a_search_of_all_agents_reads_those_that_ever_stored_anything(api: Edge) -> None:
    for agent in LOOK_ALIKES:
        say(api, "tea", agent)
    put_state(api, "s", "silent")

    assert sorted(each["agent_id"] for each in search(api, "tea")) == sorted(LOOK_ALIKES)


def test_a_search_over_very_many_agents_says_that_it_is_partial(api: Edge) -> None:
    for number in range(21):
        say(api, "tea", f"agent-{number:02}")

    found = api.call("POST", "/v1/memory/search", {"query": "tea", "top_k": 100}).json

    assert found["meta"]["partial"] is True
    assert len({each["agent_id"] for each in found["data"]["results"]}) == 20


def test_a_search_goes_back_five_hundred_episodes_of_an_agent_and_fifty_of_each(api: Edge, clock: Clock) -> None:
    old = say(api, "the tea of long ago", timestamp="2020-01-01T00:00:00Z")
    items = [{"agent_id": "planner", "session_id": "s", "type": "action", "content": number} for number in range(99)]
    clock.turn(seconds=1)
    api.call("POST", "/v1/memory/episodic/batch", {"items": items})

    assert [each["id"] for each in search(api, "tea", agent_id="planner")] == [old]
    assert search(api, "tea") == []
    for _ in range(5):
        api.call("POST", "/v1/memory/episodic/batch", {"items": items})
    assert search(api, "tea", agent_id="planner") == []


def test_a_search_without_the_model_goes_by_words_and_says_so(api: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, said = remember(api, "pricing of the plan"), say(api, "plan pricing")
    asked = {"query": "plan pricing"}
    assert "degraded" not in api.call("POST", "/v1/memory/search", asked).json["meta"]

    monkeypatch.setattr(memories.semantic()._embedders, "away", True)

    found = api.call("POST", "/v1/memory/search", asked)
    assert found.json["meta"]["degraded"] == ["vectors"]
    assert {each["id"] for each in found.data["results"]} == {kept, said}


def test_what_has_purposes_is_found_for_one_of_these_alone(api: Edge) -> None:
    kept, said = remember(api, "pricing of the plan"), say(api, "plan pricing")
    hidden = {remember(api, "pricing of this plan", purposes=["billing"]), say(api, "plan", purposes=["billing"])}

    assert {each["id"] for each in search(api, "plan pricing")} == {kept, said}
    assert {each["id"] for each in search(api, "plan pricing", purpose="care")} == {kept, said}
    assert {each["id"] for each in search(api, "plan pricing", purpose="billing")} == {kept, said, *hidden}
