"""Versions of procedures, whose they are, how long they live, and what is told of them, in every store."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_memory.domain import procedure_store
from agent_memory.domain.idempotency import AlreadyAnswered, first_answer
from agent_memory.domain.json_document import dumps
from agent_memory.domain.procedures import ProceduresQuery
from agent_memory.errors import Conflict, InvalidRequest, NotFound
from tests.contract.procedures import REFUND, Handbook


def test_what_is_put_is_read_back_as_it_was_written(handbook: Handbook) -> None:
    told: dict[str, Any] = {
        "trigger": ["refund an order", "日本語 返金", "give the money back"],
        "template": "Order {{order}}\n\tlasts.",
        "input_schema": {"type": "object", "properties": {"order": {"maximum": 1.50}}},
        "user_id": "ana",
        "purposes": ["billing", "audit"],
        "metadata": {"owner": {"team": 7}},
        "source": {"kind": "file", "id": "refund.yaml"},
        "trust": "tool_internal",
    }
    put = handbook.put("refund", **told)
    read = handbook.another().get("refund")

    assert put.procedure == read
    assert put.created
    answer = read.response()
    assert {name: answer[name] for name in told} == told | {"purposes": ["audit", "billing"]}
    assert (answer["steps"], answer["agent_id"], answer["version"], answer["expires_at"]) == (None, None, 1, None)
    assert answer["created_at"] == answer["updated_at"] == handbook.clock()


def test_a_put_that_says_something_new_is_a_new_version_and_the_old_ones_stay(handbook: Handbook) -> None:
    first = handbook.put("refund").procedure
    handbook.clock.turn(hours=1)
    second = handbook.put("refund", **REFUND | {"steps": ["Just pay."]}).procedure

    assert (first.version, second.version) == (1, 2)
    assert (second.created_at, second.updated_at) == (first.created_at, handbook.clock())
    assert handbook.get("refund") == second
    assert handbook.get("refund", version=1).content["steps"] == REFUND["steps"]
    assert handbook.versions("refund") == [[2, 1]]
    with pytest.raises(NotFound):
        handbook.get("refund", version=3)


def test_a_put_that_says_the_same_is_no_version(handbook: Handbook) -> None:
    first = handbook.put("refund", **REFUND | {"metadata": {"a": 1, "b": 2}})
    handbook.clock.turn(hours=1)
    again = handbook.put("refund", **REFUND | {"metadata": {"b": 2, "a": 1.0}, "trigger": [REFUND["trigger"]]})

    assert (again.created, again.procedure.version) == (False, 1)
    assert again.procedure.updated_at == first.procedure.updated_at
    assert handbook.versions("refund") == [[1]]


def test_what_was_said_before_and_is_said_again_is_a_version_of_its_own(handbook: Handbook) -> None:
    for steps in (["a"], ["b"], ["a"]):
        handbook.put("refund", **REFUND | {"steps": steps})

    assert handbook.versions("refund") == [[3, 2, 1]]


def test_writers_at_the_same_time_make_versions_one_after_the_other(handbook: Handbook) -> None:
    books = [handbook.another() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        puts = list(pool.map(lambda n: books[n % 4].put("refund", **REFUND | {"steps": [f"way {n}"]}), range(12)))

    assert sorted(put.procedure.version for put in puts) == list(range(1, 13))
    assert handbook.versions("refund") == [list(range(12, 0, -1))]
    for put in puts:
        assert handbook.get("refund", version=put.procedure.version).content == put.procedure.content


def test_an_agent_s_own_comes_before_the_one_of_all_agents(handbook: Handbook) -> None:
    handbook.put("refund")
    handbook.put("refund", **REFUND | {"steps": ["The planner's way."], "agent_id": "planner"})
    handbook.put("ship", **REFUND | {"agent_id": "planner"})

    assert handbook.get("refund").agent_id is None
    assert handbook.get("refund", "critic").agent_id is None
    assert handbook.get("refund", "planner").content["steps"] == ["The planner's way."]
    with pytest.raises(NotFound):
        handbook.get("ship")
    assert handbook.walked() == [[("refund", None, 1), ("refund", "planner", 1), ("ship", "planner", 1)]]
    assert handbook.walked(agent_id="planner") == [[("refund", "planner", 1), ("ship", "planner", 1)]]
    assert handbook.walked(agent_id="critic") == [[("refund", None, 1)]]
    handbook.delete("refund", "planner")
    assert handbook.get("refund", "planner").agent_id is None
    with pytest.raises(NotFound):
        handbook.delete("refund", "planner")


def test_a_walk_meets_each_once_by_name(handbook: Handbook) -> None:
    names = ["Z", "a", "a b", "ab", "é", "日本"]
    for name in reversed(names):
        handbook.put(name)
    handbook.put("ab", **REFUND | {"agent_id": "x"})

    pages = handbook.walked(limit=3)
    assert [len(page) for page in pages] == [3, 3, 1]
    met = [(name, agent) for page in pages for name, agent, _ in page]
    assert met == [("Z", None), ("a", None), ("a b", None), ("ab", None), ("ab", "x"), ("é", None), ("日本", None)]
    assert handbook.walked(limit=7)[0] == [each for page in pages for each in page]


def test_a_cursor_goes_on_with_no_other_walk(handbook: Handbook) -> None:
    for steps in (["a"], ["b"]):
        handbook.put("refund", **REFUND | {"steps": steps})
    handbook.put("ship")
    _, cursor = handbook.procedures.walk(handbook.tenant, ProceduresQuery(limit=1), b"key")
    _, of_versions = handbook.procedures.versions(handbook.tenant, "refund", ProceduresQuery(limit=1), b"key")

    for query, key in (
        (ProceduresQuery(agent_id="b", cursor=cursor), b"key"),
        (ProceduresQuery(cursor=cursor), b"other"),
    ):
        with pytest.raises(InvalidRequest):
            handbook.procedures.walk(handbook.tenant, query, key)
    with pytest.raises(InvalidRequest):
        handbook.procedures.versions(handbook.tenant, "ship", ProceduresQuery(cursor=of_versions), b"key")


def test_versions_come_in_pages_the_newest_first(handbook: Handbook) -> None:
    for n in range(5):
        handbook.put("refund", **REFUND | {"steps": [f"way {n}"]})

    assert handbook.versions("refund", limit=2) == [[5, 4], [3, 2], [1]]
    with pytest.raises(NotFound):
        handbook.versions("nothing")


def test_large_procedures_are_listed_whole_in_several_answers(handbook: Handbook) -> None:
    for n in range(14):
        handbook.put("large", **REFUND | {"steps": ["x" * 65_000 + str(n)], "metadata": {"filler": "y" * 32_000}})
        handbook.put(f"large {n:02}", **REFUND | {"steps": ["x" * 65_000], "metadata": {"filler": "y" * 32_000}})

    assert handbook.versions("large") == [list(range(14, 0, -1))]
    assert [name for name, _, _ in handbook.walked()[0]] == ["large", *(f"large {n:02}" for n in range(14))]
    found = handbook.match("refund an order", top_k=50)
    assert 1 <= len(found) <= 15


def test_what_has_expired_is_gone_and_what_is_put_then_begins_anew(handbook: Handbook) -> None:
    for steps in (["a"], ["b"]):
        handbook.put("refund", **REFUND | {"steps": steps, "ttl_hours": 1.0})
    assert handbook.get("refund", version=1).expires_at == handbook.clock.turn(hours=1)

    for ask in (lambda: handbook.get("refund"), lambda: handbook.versions("refund"), lambda: handbook.delete("refund")):
        with pytest.raises(NotFound):
            ask()
    assert handbook.walked() == [[]]
    assert handbook.match("refund an order") == []
    assert handbook.put("refund", **REFUND | {"steps": ["b"]}).procedure.version == 1
    assert handbook.versions("refund") == [[1]]


def test_an_own_one_that_has_expired_hides_nothing(handbook: Handbook) -> None:
    handbook.put("refund")
    handbook.put("refund", **REFUND | {"agent_id": "planner", "ttl_hours": 1.0})
    handbook.clock.turn(hours=2)

    assert handbook.get("refund", "planner").agent_id is None
    assert handbook.walked(agent_id="planner") == [[("refund", None, 1)]]
    assert [each.procedure.agent_id for each in handbook.match("refund an order", agent_id="planner")] == [None]


def test_another_expiry_changes_the_procedure_and_makes_no_version(handbook: Handbook) -> None:
    handbook.put("refund", **REFUND | {"ttl_hours": 1.0})
    again = handbook.put("refund", **REFUND | {"ttl_hours": 3.0})
    assert (again.created, again.procedure.version) == (False, 1)
    handbook.clock.turn(hours=2)
    assert handbook.get("refund").expires_at == handbook.clock.turn(hours=1)

    handbook.clock.turn(hours=-1)
    assert handbook.put("refund").procedure.expires_at is None
    handbook.clock.turn(hours=9)
    assert handbook.get("refund").version == 1


def test_a_deletion_takes_every_version(handbook: Handbook) -> None:
    for steps in (["a"], ["b"]):
        handbook.put("refund", **REFUND | {"steps": steps})
    handbook.delete("refund")

    for version in (None, 1, 2):
        with pytest.raises(NotFound):
            handbook.get("refund", version=version)
    assert handbook.match("refund an order") == []
    assert handbook.put("refund").procedure.version == 1


def test_another_tenant_has_its_own(handbook: Handbook) -> None:
    handbook.put("refund")
    other = handbook.of(f"{handbook.tenant}-2")

    assert other.walked() == [[]]
    assert other.match("refund an order") == []
    with pytest.raises(NotFound):
        other.get("refund")
    with pytest.raises(NotFound):
        other.delete("refund")
    assert other.put("refund", **REFUND | {"steps": ["x"]}).procedure.version == 1
    assert handbook.versions("refund") == [[1]]


def test_a_purge_takes_an_agent_s_own_and_nothing_else(handbook: Handbook) -> None:
    handbook.put("refund")
    for agent in ("planner", "critic"):
        handbook.put("refund", **REFUND | {"agent_id": agent})
        handbook.put("ship", **REFUND | {"agent_id": agent})
    other = handbook.of(f"{handbook.tenant}-2")
    other.put("refund", **REFUND | {"agent_id": "planner"})

    removed = 0
    while count := handbook.store.purge(handbook.tenant, "planner"):
        removed += count
    assert removed == 2
    assert handbook.walked() == [[("refund", None, 1), ("refund", "critic", 1), ("ship", "critic", 1)]]
    assert other.walked() == [[("refund", "planner", 1)]]


def test_vectors_are_counted_as_they_come_and_go(handbook: Handbook) -> None:
    handbook.put("refund", **REFUND | {"trigger": ["a", "b", "c"]})
    handbook.put("ship", **REFUND | {"agent_id": "planner"})
    assert handbook.tally.vectors == 4
    handbook.put("refund", **REFUND | {"trigger": ["a", "b", "c"]})
    assert handbook.tally.vectors == 4
    handbook.put("refund", **REFUND | {"trigger": ["a", "d"]})
    assert handbook.tally.vectors == 3
    handbook.put("brief", **REFUND | {"ttl_hours": 1.0})
    handbook.clock.turn(hours=2)
    handbook.put("refund", **REFUND | {"trigger": ["a", "e"]})
    assert handbook.tally.vectors == 3
    handbook.delete("refund")
    handbook.store.purge(handbook.tenant, "planner")
    assert handbook.tally.vectors == 0


def test_a_scope_holds_so_many_and_no_more(handbook: Handbook, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (procedure_store, "agent_memory.adapters.sql_procedures", "tests.fakes.procedures"):
        monkeypatch.setattr(f"{module if isinstance(module, str) else module.__name__}.MAX_PROCEDURES", 2)
    handbook.put("a")
    handbook.put("b")
    with pytest.raises(Conflict, match="already"):
        handbook.put("c")
    handbook.put("b", **REFUND | {"steps": ["x"]})
    handbook.put("c", **REFUND | {"agent_id": "planner"})
    assert [name for name, _, _ in handbook.walked()[0]] == ["a", "b", "c"]
    handbook.delete("a")
    handbook.put("c")


def test_several_are_put_together_or_not_at_all(handbook: Handbook, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent_memory.domain.procedures import NewProcedure  # noqa: PLC0415

    new = NewProcedure.model_validate(REFUND)
    puts = handbook.procedures.put_all(handbook.tenant, [("a", new), ("b", new)])
    assert [(put.procedure.name, put.procedure.version, put.created) for put in puts] == [
        ("a", 1, True),
        ("b", 1, True),
    ]
    for module in ("agent_memory.adapters.sql_procedures", "tests.fakes.procedures"):
        monkeypatch.setattr(f"{module}.MAX_PROCEDURES", 3)
    changed = NewProcedure.model_validate(REFUND | {"steps": ["changed"]})
    with pytest.raises(Conflict):
        handbook.procedures.put_all(handbook.tenant, [("a", changed), ("c", new), ("d", new)])
    assert handbook.walked() == [[("a", None, 1), ("b", None, 1)]]


def test_a_repeated_request_is_told_what_the_first_one_did(handbook: Handbook) -> None:
    key = handbook.key("k")
    first = handbook.put("refund", key)
    handbook.put("refund", **REFUND | {"steps": ["since then"]})
    handbook.clock.turn(hours=3)

    with pytest.raises(AlreadyAnswered) as repeated:
        handbook.put("refund", key)
    answer = first_answer(repeated.value.stored, key)
    assert (answer.status, answer.body) == (200, dumps(first.response()))
    other = handbook.key("k", b"another")
    with pytest.raises(AlreadyAnswered) as refused:
        handbook.put("refund", other)
    with pytest.raises(Conflict):
        first_answer(refused.value.stored, other)
    assert handbook.versions("refund") == [[2, 1]]


def test_a_repeated_deletion_is_told_so(handbook: Handbook) -> None:
    handbook.put("refund")
    key = handbook.key("k")
    handbook.delete("refund", record=key)
    with pytest.raises(AlreadyAnswered) as repeated:
        handbook.delete("refund", record=key)
    assert first_answer(repeated.value.stored, key).status == 204
    missing = handbook.key("k2")
    for _ in range(2):
        with pytest.raises(NotFound):
            handbook.delete("refund", record=missing)
