"""The routes over all layers at the edge: which layer a write is for, and what is refused."""

from typing import Any

import pytest

from agent_memory.bootstrap import layers
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge

AGENT = {"agent_id": "planner"}
DATA: dict[str, Any] = {"data": {"step": 1}}
CONTENT = {"content": "the user likes tea"}
TYPE = {"type": "conversation"}
SESSION = {"session_id": "s"}
LAYERS: list[tuple[dict[str, Any], str]] = [
    (DATA, "/v1/state"),
    (DATA | SESSION, "/v1/state"),
    (TYPE | SESSION | CONTENT, "/v1/memory/episodic"),
    (TYPE | SESSION | {"content": {"any": ["json", None]}}, "/v1/memory/episodic"),
    (CONTENT, "/v1/memory/semantic"),
    (CONTENT | SESSION, "/v1/memory/semantic"),
]
UNCLEAR: list[dict[str, Any]] = [
    {},
    SESSION,
    TYPE,
    TYPE | CONTENT,
    DATA | CONTENT,
    DATA | TYPE,
    DATA | TYPE | SESSION,
    DATA | CONTENT | SESSION,
    DATA | CONTENT | TYPE | SESSION,
]


@pytest.mark.parametrize(("fields", "path"), LAYERS)
def test_a_write_goes_where_its_fields_say(edge: Edge, fields: dict[str, Any], path: str) -> None:
    unified = edge.call("POST", "/v1/memory", AGENT | fields)
    edge.tenant_id = "globex"
    direct = edge.call("POST", path, AGENT | fields)

    assert (unified.status, set(unified.data)) == (201, set(direct.data))
    assert {**unified.data, "id": ""} == {**direct.data, "id": ""}


@pytest.mark.parametrize("fields", UNCLEAR)
def test_a_write_whose_fields_fit_no_layer_or_several_is_told_the_rule(edge: Edge, fields: dict[str, Any]) -> None:
    reply = edge.call("POST", "/v1/memory", AGENT | fields)

    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    (detail,) = reply.error["details"]
    assert detail["field"] == "body"
    assert detail["rule"].endswith(", ".join(sorted(fields, key="data content type session_id".find)) or "none")
    assert edge.call("GET", "/v1/memory/planner").data == {"state": None, "semantic": [], "episodic": []}


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        (DATA | {"version": 1}, "version"),
        (DATA | {"ttl_hours": -1}, "ttl_hours"),
        (TYPE | SESSION, "content"),
        ({"type": "rumour"} | SESSION | CONTENT, "type"),
        (TYPE | SESSION | CONTENT | {"namespace": "n"}, "namespace"),
        ({"content": {"not": "text"}}, "content"),
        ({"content": "with \0"}, "content"),
        (CONTENT | {"run_id": "r"}, "run_id"),
    ],
)
def test_the_rules_of_the_chosen_layer_hold(edge: Edge, fields: dict[str, Any], broken: str) -> None:
    reply = edge.call("POST", "/v1/memory", AGENT | fields)

    assert (reply.status, reply.error["details"][0]["field"]) == (400, broken)


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "1", "{", "", '{"data":{},"data":{}}'])
def test_a_body_that_is_no_object_is_refused(edge: Edge, body: str) -> None:
    assert edge.call("POST", "/v1/memory", body).status == 400


@pytest.mark.parametrize("fields", [fields for fields, _ in LAYERS])
def test_a_repeated_write_hears_its_first_answer(edge: Edge, fields: dict[str, Any]) -> None:
    first = edge.call("POST", "/v1/memory", AGENT | fields, key="k")
    again = edge.call("POST", "/v1/memory", AGENT | fields, key="k")

    assert (first.status, again.data) == (201, first.data)
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=51", "limit=x", "limit=", "cursor=x", "agent_id=x", "limit=5&limit=5"]
)
def test_a_broken_look_at_an_agent_is_refused(edge: Edge, query: str) -> None:
    assert edge.call("GET", f"/v1/memory/planner?{query}").status == 400


@pytest.mark.parametrize("query", ["", "agent_id=", "agent_id=a&agent_id=b", "agent_id=a&limit=51", "agent_id=a%00"])
def test_a_look_at_no_agent_is_refused(edge: Edge, query: str) -> None:
    assert edge.call("GET", f"/v1/memory?{query}").status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": " \t\n"},
        {"query": "with \0"},
        {"query": "x" * 8193},
        {"query": 1},
        {"query": "x", "top_k": 0},
        {"query": "x", "top_k": 101},
        {"query": "x", "top_k": "5"},
        {"query": "x", "agent_id": ""},
        {"query": "x", "threshold": 0.5},
    ],
)
def test_a_broken_search_is_refused(edge: Edge, body: dict[str, Any]) -> None:
    assert edge.call("POST", "/v1/memory/search", body).status == 400


@pytest.mark.parametrize("body", [{"query": "memory " * 1000}, {"query": "x", "top_k": 100, "agent_id": "#"}])
def test_a_search_within_the_limits_is_answered(edge: Edge, body: dict[str, Any]) -> None:
    assert edge.call("POST", "/v1/memory/search", body).data == {"results": []}


@pytest.mark.parametrize("path", ["/v1/memory/planner", "/v1/memory?agent_id=planner"])
@pytest.mark.parametrize("layer", ["_memories", "_working", "_episodes"])
def test_a_layer_that_cannot_be_read_is_an_error_and_not_missing(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, path: str, layer: str
) -> None:
    class Away:
        def __getattr__(self, _: str) -> Any:
            raise StoreUnavailable("away", retry_after_s=10)

    monkeypatch.setattr(layers.unified(), layer, Away())

    reply = edge.call("GET", path)

    assert (reply.status, reply.headers["retry-after"]) == (503, "10")


@pytest.mark.parametrize("layer", ["_semantic", "_episodes", "_registry"])
def test_a_search_that_cannot_read_a_layer_is_an_error(edge: Edge, monkeypatch: pytest.MonkeyPatch, layer: str) -> None:
    class Away:
        def __getattr__(self, _: str) -> Any:
            raise StoreUnavailable("away")

    edge.call("POST", "/v1/memory", AGENT | CONTENT | TYPE | SESSION)
    monkeypatch.setattr(layers.unified(), layer, Away())

    assert edge.call("POST", "/v1/memory/search", {"query": "tea"}).status == 503


def test_scopes_are_those_of_reading_writing_and_erasing(edge: Edge) -> None:
    edge.scopes = "erase"
    for method, path in (
        ("POST", "/v1/memory"),
        ("GET", "/v1/memory/planner"),
        ("GET", "/v1/memory?agent_id=planner"),
        ("POST", "/v1/memory/search"),
        ("GET", "/v1/usage"),
    ):
        assert edge.call(method, path, {}).status == 403
    assert edge.call("DELETE", "/v1/memory/planner").status == 200
    edge.scopes = "read write admin"
    assert edge.call("DELETE", "/v1/memory/planner").error["details"] == {"scope": "erase"}
