"""Working memory over HTTP, on the stack that Terraform built."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_memory.domain.identifiers import to_path
from tests.e2e.api import Api, wait_until


@pytest.fixture
def agent() -> str:
    return f"agent-{secrets.token_hex(6)}"


def test_a_saved_state_is_read_back_with_its_version_and_times(api: Api, agent: str) -> None:
    created = api.post("/v1/state", {"agent_id": agent, "data": {"step": 1}}, expect=201)
    read = api.get(f"/v1/state/{agent}")

    assert read == created
    assert (read["version"], read["session_id"], read["expires_at"]) == (1, "default", None)
    assert read["created_at"] == read["updated_at"]
    assert read["created_at"].endswith("Z")


def test_a_second_post_writes_the_next_version_and_never_starts_again(api: Api, agent: str) -> None:
    first = api.post("/v1/state", {"agent_id": agent, "data": {"step": 1}}, expect=201)
    second = api.post("/v1/state", {"agent_id": agent, "data": {"step": 2}}, expect=201)

    assert (first["version"], second["version"]) == (1, 2)
    assert second["created_at"] == first["created_at"]


def test_a_stale_version_is_refused_with_the_current_one(api: Api, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)
    api.put(f"/v1/state/{agent}", {"data": {"winner": True}, "version": 1})

    refused = api.put(f"/v1/state/{agent}", {"data": {"winner": False}, "version": 1}, expect=409)

    assert refused["code"] == "CONFLICT"
    assert refused["details"] == {"current_version": 2}
    assert api.get(f"/v1/state/{agent}")["data"] == {"winner": True}


def test_of_twenty_racing_writers_of_one_version_one_wins(api: Api, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)

    def write(writer: int) -> int:
        return api.request("PUT", f"/v1/state/{agent}", {"data": {"writer": writer}, "version": 1}).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(write, range(20)))

    assert sorted(statuses) == [200] + [409] * 19
    state = api.get(f"/v1/state/{agent}")
    assert (state["version"], state["data"]) == (2, {"writer": statuses.index(200)})


def test_racing_patches_of_different_keys_are_all_kept(api: Api, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: api.patch(f"/v1/state/{agent}", {"data": {f"k{n}": n}}), range(6)))

    state = api.get(f"/v1/state/{agent}")
    assert state["data"] == {f"k{n}": n for n in range(6)}
    assert state["version"] == 7


def test_a_merge_patch_removes_nulls_and_keeps_the_rest(api: Api, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {"a": 1, "b": {"c": 2, "d": 3}, "e": [1, 2]}}, expect=201)

    patched = api.patch(f"/v1/state/{agent}", {"data": {"a": None, "b": {"c": 9}, "e": [3]}, "version": 1})

    assert patched["data"] == {"b": {"c": 9, "d": 3}, "e": [3]}
    assert api.patch(f"/v1/state/{agent}", {"data": {}, "version": 1}, expect=409)["details"] == {"current_version": 2}


def test_an_expired_state_is_gone_at_its_second_although_nothing_has_swept_it(api: Api, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {}, "ttl_hours": 2 / 3600}, expect=201)
    api.get(f"/v1/state/{agent}")

    wait_until(lambda: api.request("GET", f"/v1/state/{agent}").status_code == 404, seconds=10)

    api.put(f"/v1/state/{agent}", {"data": {}, "version": 1}, expect=404)
    assert api.get(f"/v1/state/{agent}/sessions")["sessions"] == []
    assert api.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)["version"] == 1


def test_a_put_without_a_ttl_keeps_the_expiry(api: Api, agent: str) -> None:
    created = api.post("/v1/state", {"agent_id": agent, "data": {}, "ttl_hours": 1}, expect=201)

    assert api.put(f"/v1/state/{agent}", {"data": {}, "version": 1})["expires_at"] == created["expires_at"]
    assert created["expires_at"] is not None
    assert api.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)["expires_at"] is None


def test_sessions_are_walked_by_cursor_each_once(api: Api, agent: str) -> None:
    names = [f"s{n:02}" for n in range(23)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda s: api.post("/v1/state", {"agent_id": agent, "session_id": s, "data": {}}, 201), names))

    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = api.get(f"/v1/state/{agent}/sessions?limit=5" + (f"&cursor={cursor}" if cursor else ""))
        seen += page["sessions"]
        cursor = page["next_cursor"]
        api.put(f"/v1/state/{agent}", {"session_id": seen[0], "data": {}, "version": len(seen) // 5 + 1}, expect=None)

    assert seen == names


NUMBERS = '{"f":1.0,"small":1e-7,"big":1e300,"whole":12345678901234567890123,"neg":-0,"e":1E2,"d":0.10}'


@pytest.mark.parametrize(
    "data",
    [
        NUMBERS,
        '{"empty":"","nothing":null,"nested":{"a":[null,{"b":null}]},"list":[]}',
        '{"nul":"a\\u0000b","emoji":"🦊","rtl":"\u200f","quote":"\\"\\\\"}',
        json.dumps({"deep": json.loads("[" * 90 + "]" * 90)}, separators=(",", ":")),
        json.dumps({"long": "memory " * 40_000}, separators=(",", ":")),
    ],
    ids=["numbers", "empty things", "strings", "deep", "long"],
)
def test_data_comes_back_as_it_was_written(api: Api, agent: str, data: str) -> None:
    body = f'{{"agent_id":{json.dumps(agent)},"data":{data}}}'
    assert api.request("POST", "/v1/state", content=body.encode()).status_code == 201

    text = api.request("GET", f"/v1/state/{agent}").text

    assert f'"data":{data}' in text


STRANGE_IDS = ["a#b", "a/b", "a b", "🦊", "a%23b", "%", "~", "..", "a" * 256, "#", "sessions", "é" * 128, "a\u202eb"]


def test_strange_ids_work_in_paths_and_never_collide(api: Api) -> None:
    suffix = secrets.token_hex(2)
    ids = [f"{name[:250]}{suffix}" for name in STRANGE_IDS if len((name[:250] + suffix).encode()) <= 256]
    for name in ids:
        api.post("/v1/state", {"agent_id": name, "session_id": name, "data": {"id": name}}, expect=201)

    for name in ids:
        read = api.get(f"/v1/state/{to_path(name)}?session_id={api.quote(name)}")
        assert (read["agent_id"], read["data"]) == (name, {"id": name})
        assert api.get(f"/v1/state/{to_path(name)}/sessions")["sessions"] == [name]
        api.delete(f"/v1/state/{to_path(name)}/{to_path(name)}")
        api.get(f"/v1/state/{to_path(name)}?session_id={api.quote(name)}", expect=404)


def test_a_session_belongs_to_its_first_user(api: Api, agent: str) -> None:
    state = {"agent_id": agent, "session_id": "s", "data": {}}
    assert api.post("/v1/state", {**state, "user_id": "ann"}, expect=201)["user_id"] == "ann"

    assert api.post("/v1/state", {**state, "user_id": "bob"}, expect=409)["code"] == "CONFLICT"
    episode = {"agent_id": agent, "session_id": "s", "type": "action", "content": 1, "user_id": "bob"}
    assert api.post("/v1/memory/episodic", episode, expect=409)["code"] == "CONFLICT"


def test_another_tenant_sees_nothing_and_shares_no_names(api: Api, other_tenant: Api, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {"whose": "mine"}}, expect=201)

    other_tenant.get(f"/v1/state/{agent}", expect=404)
    assert other_tenant.get(f"/v1/state/{agent}/sessions")["sessions"] == []
    other_tenant.delete(f"/v1/state/{agent}/default", expect=404)
    assert other_tenant.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)["version"] == 1
    assert api.get(f"/v1/state/{agent}")["data"] == {"whose": "mine"}


def test_a_repeated_request_gets_the_first_answer(api: Api, agent: str) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"agent_id": agent, "data": {"n": 1}}

    first = api.request("POST", "/v1/state", body, headers=key)
    again = api.request("POST", "/v1/state", body, headers=key)
    other = api.request("POST", "/v1/state", {**body, "data": {"n": 2}}, headers=key)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json()["data"] == first.json()["data"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert api.get(f"/v1/state/{agent}")["version"] == 1


def test_racing_repetitions_of_one_request_have_one_effect(api: Api, agent: str) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"agent_id": agent, "data": {"n": 1}}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.request("POST", "/v1/state", body, headers=key), range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} <= {"IN_PROGRESS"}
    assert api.get(f"/v1/state/{agent}")["version"] == 1


def test_a_delete_is_answered_204_and_its_repetition_too(api: Api, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)
    key = {"Idempotency-Key": secrets.token_hex(8)}

    statuses = [api.request("DELETE", f"/v1/state/{agent}/default", headers=key).status_code for _ in range(2)]

    assert statuses == [204, 204]
    api.delete(f"/v1/state/{agent}/default", expect=404)


def test_a_state_with_more_metadata_than_an_item_holds_is_413_and_leaves_nothing(api: Api, agent: str) -> None:
    metadata = {"x": secrets.token_hex(400_000)}
    refused = api.post("/v1/state", {"agent_id": agent, "data": {}, "metadata": metadata}, expect=413)

    assert refused["code"] == "PAYLOAD_TOO_LARGE"
    api.get(f"/v1/state/{agent}", expect=404)
