"""Idempotency keys of semantic writes, whose effect and whose answer are kept by two stores."""

from typing import Any

import pytest

from agent_memory.bootstrap import memories, records
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge
from tests.fakes.clock import Clock

SEMANTIC = "/v1/memory/semantic"
TEA = {"agent_id": "a", "content": "Ana prefers tea."}


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    return made


def count(api: Edge) -> int:
    return len(api.call("GET", SEMANTIC).data["results"])


@pytest.mark.parametrize(
    ("path", "body"), [(SEMANTIC, TEA), (f"{SEMANTIC}/batch", {"items": [TEA, {}]}), ("/v1/memory", TEA)]
)
def test_a_repetition_gets_the_first_answer_whatever_happened_since(
    api: Edge, clock: Clock, path: str, body: Any
) -> None:
    first = api.call("POST", path, body, key="k")
    api.call("POST", SEMANTIC, TEA | {"metadata": {"changed": True}})
    clock.turn(hours=3)

    second = api.call("POST", path, body, key="k")

    assert (second.status, second.json.get("data")) == (first.status, first.json["data"])
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


def test_an_expiry_that_has_passed_since_is_no_reason_to_answer_otherwise(api: Edge, clock: Clock) -> None:
    brief = TEA | {"expires_at": "2026-11-20T09:30:04Z"}
    for path, body in ((SEMANTIC, brief), (f"{SEMANTIC}/batch", {"items": [brief, TEA | {"agent_id": "b"}]})):
        first = api.call("POST", path, body, key=path)
        clock.turn(seconds=10)
        second = api.call("POST", path, body, key=path)
        clock.turn(seconds=-10)

        assert (second.status, second.data) == (first.status, first.data)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((SEMANTIC, TEA | {"content": ""}), (SEMANTIC, TEA)),
        ((SEMANTIC, TEA), (SEMANTIC, TEA | {"content": ""})),
        ((f"{SEMANTIC}/batch", {"items": [{}]}), (f"{SEMANTIC}/batch", {"items": [TEA]})),
        (("/v1/memory", {"agent_id": "a", "data": {}}), ("/v1/memory", TEA)),
        (("/v1/memory", TEA), ("/v1/memory", {"agent_id": "a", "data": {}})),
    ],
)
def test_a_key_belongs_to_one_request(api: Edge, first: Any, second: Any) -> None:
    api.call("POST", *first, key="k")
    before = count(api)

    refused = api.call("POST", *second, key="k")

    assert (refused.status, refused.error["code"]) == (409, "CONFLICT")
    assert count(api) == before


def test_a_refusal_is_remembered(api: Edge) -> None:
    first, second = (api.call("POST", SEMANTIC, TEA | {"content": " "}, key="k") for _ in range(2))

    assert (first.status, second.status) == (400, 400)
    assert first.error == second.error
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"


def test_a_store_that_was_away_is_asked_again(api: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    store = memories.semantic()._store
    with monkeypatch.context() as away:

        def refuse(*_: object) -> None:
            raise StoreUnavailable("the database did not answer")

        away.setattr(store, "store", refuse)
        assert api.call("POST", SEMANTIC, TEA, key="k").status == 503

    assert api.call("POST", SEMANTIC, TEA, key="k").status == 201
    assert count(api) == 1


def test_without_the_model_texts_are_accepted_and_searches_go_by_words(
    api: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = memories.semantic()._embedders
    monkeypatch.setattr(embedder, "away", True)

    accepted = api.call("POST", SEMANTIC, TEA, key="k")
    assert (accepted.status, accepted.data["embedding"]) == (202, "pending")
    batch = api.call("POST", f"{SEMANTIC}/batch", {"items": [TEA | {"agent_id": "b"}, {}]})
    assert [each["status"] for each in batch.data["results"]] == [202, 400]
    assert api.call("POST", "/v1/memory", TEA | {"agent_id": "c"}).status == 202
    found = api.call("POST", f"{SEMANTIC}/search", {"query": "tea"})
    assert (len(found.data["results"]), found.json["meta"]["degraded"]) == (3, ["vectors"])
    assert api.call("POST", f"{SEMANTIC}/search", {"query": "tea", "mode": "vector"}).status == 503
    assert api.call("GET", f"{SEMANTIC}/{accepted.data['id']}").data["embedding"] == "pending"

    monkeypatch.setattr(embedder, "away", False)
    again = api.call("POST", SEMANTIC, TEA, key="k")
    assert (again.status, again.data) == (202, accepted.data)
    assert api.call("POST", SEMANTIC, TEA | {"agent_id": "d"}).status == 201


def test_an_attempt_that_died_after_its_effect_is_taken_over(
    api: Edge, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    idempotency = records.idempotency()
    with monkeypatch.context() as dying:

        def die(_: object) -> None:
            raise StoreUnavailable("the store is away")

        dying.setattr(idempotency, "finish", die)
        assert api.call("POST", SEMANTIC, TEA, key="k").status == 503
    assert count(api) == 1
    assert api.call("POST", SEMANTIC, TEA, key="k").error["code"] == "IN_PROGRESS"

    clock.turn(seconds=61)
    answered = api.call("POST", SEMANTIC, TEA, key="k")

    assert (answered.status, answered.data["deduplicated"]) == (201, False)
    assert count(api) == 1


def test_a_deletion_is_answered_once_more(api: Edge) -> None:
    path = f"{SEMANTIC}/{api.call('POST', SEMANTIC, TEA).data['id']}"

    assert [api.call("DELETE", path, key="k").status for _ in range(2)] == [204, 204]
    assert api.call("DELETE", path).status == 404
