"""Semantic memory over HTTP: what a caller of the deployed stack sees."""

import json
import os
import signal
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from local import services
from local.stack import Stack
from local.state import State
from tests.e2e.api import Api, wait_until

SEMANTIC = "/v1/memory/semantic"


@pytest.fixture
def agent() -> str:
    """An agent that no other test has used."""
    return f"agent-{uuid.uuid4().hex[:12]}"


def store(api: Api, agent: str, content: str, **fields: Any) -> Any:
    return api.post(SEMANTIC, {"agent_id": agent, "content": content} | fields, expect=201)


def found(api: Api, agent: str, query: str, **fields: Any) -> list[Any]:
    results: list[Any] = api.post(f"{SEMANTIC}/search", {"agent_id": agent, "query": query} | fields)["results"]
    return results


def invocations(stack: Stack) -> int:
    count: int = httpx.get(f"{stack.bedrock_endpoint_url}/_local/invocations").json()["count"]
    return count


@contextmanager
def switched(url: str, name: str) -> Iterator[None]:
    """Throw a switch of a stand-in for the length of a block."""
    httpx.post(f"{url}/_local/{name}", json={name: True}).raise_for_status()
    try:
        yield
    finally:
        httpx.post(f"{url}/_local/{name}", json={name: False}).raise_for_status()


def test_what_was_stored_is_found_by_what_it_means(api: Api, agent: str) -> None:
    texts = [
        "Noor moved into a flat in Porto in June.",
        "The piano was lifted through the balcony by a crane.",
        "Pim must never eat cashews.",
        "The tax office opens at nine on weekdays.",
    ]
    for text in texts:
        stored = store(api, agent, text, metadata={"kind": "note"})
        assert (stored["content"], stored["deduplicated"], stored["similarity_score"]) == (text, False, None)

    assert found(api, agent, "Which nuts is Pim allergic to?")[0]["content"] == texts[2]
    assert found(api, agent, "How did the instrument get upstairs?", top_k=1)[0]["content"] == texts[1]
    best = found(api, agent, texts[0], metadata_filter={"kind": "note"}, threshold=0.9)
    assert [each["content"] for each in best] == [texts[0]]
    assert best[0]["similarity_score"] == pytest.approx(1, abs=0.01)


def test_a_memory_is_read_listed_and_deleted(api: Api, other_tenant: Api, agent: str) -> None:
    stored = store(api, agent, "The user prefers tea.", metadata={"n": 1, "deep": {"x": [1, None]}}, namespace="likes")
    path = f"{SEMANTIC}/{stored['id']}"

    assert api.get(path) == {name: value for name, value in stored.items() if name != "deduplicated"}
    assert [each["id"] for each in api.get(f"{SEMANTIC}?agent_id={agent}&namespace=likes")["results"]] == [stored["id"]]
    assert api.get(f"{path}/history")["history"][0]["content"] == "The user prefers tea."
    for refused in (path, f"{path}/history"):
        other_tenant.get(refused, expect=404)
    other_tenant.delete(path, expect=404)

    api.delete(path)

    api.get(path, expect=404)
    api.delete(path, expect=404)
    assert found(api, agent, "tea") == []


def test_eight_racing_writers_of_one_sentence_make_one_row(api: Api, agent: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: store(api, agent, "The crane comes on the ninth of June."), range(8)))

    assert len({each["id"] for each in stored}) == 1
    assert sum(not each["deduplicated"] for each in stored) == 1
    assert len(api.get(f"{SEMANTIC}?agent_id={agent}")["results"]) == 1


@pytest.mark.parametrize("by", ["user_id", "namespace"])
def test_one_user_never_touches_another(api: Api, agent: str, by: str) -> None:
    one = store(api, agent, "user-1 lives in Berlin", **{by: "user-1"})
    two = store(api, agent, "user-2 lives in Berlin", **{by: "user-2"})
    same = store(api, agent, "user-1 lives in Berlin", **{by: "user-2"})

    assert len({one["id"], two["id"], same["id"]}) == 3
    assert api.get(f"{SEMANTIC}/{one['id']}")["content"] == "user-1 lives in Berlin"
    assert [each["id"] for each in found(api, agent, "Berlin", **{by: "user-1"})] == [one["id"]]


def test_a_session_of_one_user_takes_no_memory_of_another(api: Api, agent: str) -> None:
    session = {"session_id": "s", "user_id": "ann"}
    store(api, agent, "Ann takes the early ferry.", **session)

    body = {"agent_id": agent, "content": "Bob takes the late ferry.", **session, "user_id": "bob"}

    assert api.post(SEMANTIC, body, expect=409)["code"] == "CONFLICT"


def test_a_contradiction_keeps_both_and_says_so(api: Api, agent: str) -> None:
    first = store(api, agent, "The weekly meeting of the design team in room four starts at 3 pm.")
    second = store(api, agent, "The weekly meeting of the design team in room four starts at 5 pm.")

    assert first["id"] != second["id"]
    texts = {each["content"] for each in found(api, agent, "when does the design team meet?")}
    assert texts == {first["content"], second["content"]}
    history = [each["content"] for each in api.get(f"{SEMANTIC}/{second['id']}/history")["history"]]
    assert history == [second["content"], first["content"]], "the two are near, so each names the other"


def test_a_mebibyte_of_four_scripts_is_found_by_a_sentence_from_its_middle(api: Api, agent: str) -> None:
    text = four_scripts(1_000_000)
    needle = "The lighthouse keeper of Aveiro collects barometers and keeps bees on the roof."
    middle = text.index("\n", len(text) // 2) + 1
    text = text[:middle] + needle + "\n" + text[middle:]

    stored = api.post(SEMANTIC, {"agent_id": agent, "content": text}, expect=202)
    assert stored["embedding"] == "pending"
    assert found(api, agent, "barometers", mode="lexical")[0]["id"] == stored["id"], "by its words at once"
    wait_until(lambda: api.get(f"{SEMANTIC}/{stored['id']}")["embedding"] == "ready", 300)

    assert stored["content"] == text
    best = found(api, agent, "Who keeps bees and collects barometers at the lighthouse?", top_k=1, mode="vector")[0]
    assert best["id"] == stored["id"]
    assert needle in text[best["passage"]["start"] : best["passage"]["end"]]
    read = api.request("GET", f"{SEMANTIC}/{stored['id']}")
    assert read.json()["data"]["content"].encode() == text.encode()


def test_a_text_of_several_statements_is_stored_by_the_route_for_every_layer_too(api: Api, agent: str) -> None:
    text = four_scripts(400_000)

    stored = api.post("/v1/memory", {"agent_id": agent, "content": text}, expect=202)

    (listed,) = api.get(f"{SEMANTIC}?agent_id={agent}")["results"]
    assert listed["content"] == text
    # Its vectors come later; until then the model is called beside the tests that follow.
    wait_until(lambda: api.get(f"{SEMANTIC}/{stored['id']}")["embedding"] == "ready", 300)


def four_scripts(size: int) -> str:
    """Lines of Japanese, Arabic, English and code, none of them twice."""
    lines: list[str] = []
    written = 0
    while written < size:
        number = len(lines)
        lines += [
            f"第{number}章では、港の倉庫に届いた荷物を数えて、帳簿に書き込みました。",
            f"في اليوم {number} وصلت السفينة إلى الميناء وأفرغت حمولتها قبل الغروب.",
            f"On day {number} the harbour master wrote down every crate that came ashore.",
            f"def count_{number}(crates): return sum(1 for crate in crates if crate.day == {number})",
        ]
        written += sum(len(line.encode()) + 1 for line in lines[-4:])
    return "\n".join(lines)


def test_a_batch_answers_each_item_by_itself(api: Api, agent: str) -> None:
    items = [{"agent_id": agent, "content": "One."}, {"agent_id": agent}, {"agent_id": agent, "content": "Two things."}]

    results = api.post(f"{SEMANTIC}/batch", {"items": items})["results"]

    assert [result["status"] for result in results] == [201, 400, 201]
    assert results[1]["error"]["details"] == [{"field": "content", "rule": "Field required"}]


def test_a_repeated_request_gets_the_first_answer(api: Api, agent: str) -> None:
    body, headers = {"agent_id": agent, "content": "Only once."}, {"Idempotency-Key": uuid.uuid4().hex}
    first, second = (api.request("POST", SEMANTIC, body, headers=headers) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.json()["data"] == second.json()["data"]
    other = api.request("POST", SEMANTIC, body | {"content": "Another."}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", SEMANTIC, {"agent_id": "a", "content": " \n"}, "content"),
        ("POST", SEMANTIC, {"agent_id": "a", "content": "NUL \0"}, "content"),
        ("POST", SEMANTIC, {"agent_id": "a", "content": "x", "nonsense": 1}, "nonsense"),
        ("POST", SEMANTIC, {"agent_id": "a", "content": "x", "metadata": {"k": "v" * 40_000}}, "metadata"),
        ("POST", SEMANTIC, {"agent_id": "a", "content": "x", "metadata": {str(n): n for n in range(101)}}, "metadata"),
        ("POST", f"{SEMANTIC}/search", {"query": ""}, "query"),
        ("POST", f"{SEMANTIC}/search", {"query": "x", "top_k": 101}, "top_k"),
        ("POST", f"{SEMANTIC}/search", {"query": "x", "threshold": 2}, "threshold"),
        ("POST", f"{SEMANTIC}/search", {"query": "x", "mode": "graph"}, "mode"),
        ("GET", f"{SEMANTIC}/not-a-uuid", None, "id"),
        ("GET", f"{SEMANTIC}?cursor=stolen", None, "cursor"),
        ("DELETE", f"{SEMANTIC}/not-a-uuid", None, "id"),
    ],
)
def test_a_bad_request_names_the_field(api: Api, method: str, path: str, body: Any, field: str) -> None:
    answer = api.request(method, path, body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["details"][0]["field"] == field


def test_more_than_a_mebibyte_is_refused(api: Api, agent: str) -> None:
    answer = api.request("POST", SEMANTIC, {"agent_id": agent, "content": "x" * 1_048_577})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_store_and_a_search_call_the_model_once_each(api: Api, stack: Stack, agent: str) -> None:
    before = invocations(stack)
    store(api, agent, f"A sentence that nobody has embedded before: {uuid.uuid4()}.")
    stored = invocations(stack)
    found(api, agent, f"a question that nobody has asked before: {uuid.uuid4()}")

    assert (stored - before, invocations(stack) - stored) == (1, 1)


def test_while_the_model_throttles_nothing_is_lost(api: Api, stack: Stack, agent: str) -> None:
    words = uuid.uuid4().hex
    with switched(stack.bedrock_endpoint_url, "throttled"):
        accepted = api.post(SEMANTIC, {"agent_id": agent, "content": f"unheard of {words}"}, expect=202)
        assert accepted["embedding"] == "pending"
        by_words = api.request("POST", f"{SEMANTIC}/search", {"agent_id": agent, "query": words})
        assert by_words.json()["meta"]["degraded"] == ["vectors"]
        assert [each["id"] for each in by_words.json()["data"]["results"]] == [accepted["id"]]
        refused = api.request("POST", f"{SEMANTIC}/search", {"agent_id": agent, "query": words, "mode": "vector"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert int(refused.headers["Retry-After"]) >= 1

    wait_until(lambda: api.get(f"{SEMANTIC}/{accepted['id']}")["embedding"] == "ready", 300)
    assert found(api, agent, f"unheard of {words}", mode="vector")[0]["id"] == accepted["id"]


def test_a_paused_database_is_answered_fast_and_the_other_layers_go_on(api: Api, stack: Stack, agent: str) -> None:
    with switched(stack.rds_data_endpoint_url, "paused"):
        _without_sql(api, agent)
    assert store(api, agent, "back again")["content"] == "back again"


def test_a_stopped_database_is_answered_fast_and_the_other_layers_go_on(
    api: Api, stack: Stack, state: State, agent: str
) -> None:
    store(api, agent, "warm")  # so that no cold start is measured
    postgres = services.recorded(state)["postgres"].pid
    os.kill(postgres, signal.SIGSTOP)
    try:
        _without_sql(api, agent)
    finally:
        os.kill(postgres, signal.SIGCONT)
    assert found(api, agent, "warm")


def _without_sql(api: Api, agent: str) -> None:
    for method, path, body in (
        ("POST", f"{SEMANTIC}/search", {"agent_id": agent, "query": "warm"}),
        ("POST", SEMANTIC, {"agent_id": agent, "content": "warm again"}),
        ("GET", f"{SEMANTIC}?agent_id={agent}", None),
    ):
        started = time.monotonic()
        refused = api.request(method, path, body)
        assert time.monotonic() - started < 3
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE"), refused.text
        assert int(refused.headers["Retry-After"]) >= 1
    assert api.post("/v1/state", {"agent_id": agent, "data": {"still": "here"}}, expect=201)
    episode = {"agent_id": agent, "session_id": "s", "type": "observation", "content": "still here"}
    assert api.post("/v1/memory/episodic", episode, expect=201)
    assert len(api.get(f"/v1/memory/episodic/{agent}")["episodes"]) >= 1


def test_nothing_that_was_stored_is_logged(stack: Stack, state: State, api: Api, agent: str) -> None:
    secret = f"the password of the safe is {uuid.uuid4()}"
    store(api, agent, secret)
    found(api, agent, secret)

    logs = "".join(path.read_text(errors="replace") for path in state.logs.iterdir())
    assert secret not in logs
    assert json.dumps(stack.api_key) not in logs
