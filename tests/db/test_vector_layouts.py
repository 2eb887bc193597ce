"""From one layout of the vectors to the other, killed at every call, while searches go on."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from agent_memory.adapters.schema_vector_indexes import DataApiVectorIndexes
from agent_memory.domain.vector_layout import Layout
from agent_memory.service.switch_layout import SwitchLayout
from tests.db.vectors import NOW, a_vector, fill
from tests.fix_postgres import Aurora, patience

LAYOUTS: tuple[Layout, Layout] = ("quantized", "hnsw")
STEPS = {"quantized": 16, "hnsw": 32}


class Killed(BaseException):
    """The function's process is gone: it runs no handler."""


def switch(aurora: Aurora, calls: int | None = None, seconds: float = 60) -> SwitchLayout:
    """A switch that dies in place of a call; what was done is done, and nobody gives rights back."""
    client = aurora.rest_client()
    live, left = client.call, None if calls is None else iter(range(calls))

    def call(path: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        if left is not None and next(left, None) is None:
            raise Killed
        return live(path, request, deadline)

    client.call = call  # type: ignore[method-assign]
    return SwitchLayout(DataApiVectorIndexes(aurora.as_master(client)), patience(seconds))


@pytest.fixture(scope="module")
def filled(migrated: Aurora) -> Iterator[Aurora]:
    with migrated.superuser() as superuser:
        fill(superuser, "acme", 400)
        superuser.execute("ALTER TABLE memory.chunks_p00 SET (autovacuum_enabled = off)")
    yield migrated
    with migrated.superuser() as superuser:
        superuser.execute("TRUNCATE memory.memories CASCADE")


def layout(aurora: Aurora) -> str:
    with aurora.superuser() as superuser:
        (found,) = superuser.execute("SELECT memory.vector_layout()").fetchone() or (None,)
        return str(found)


def indexes(aurora: Aurora) -> dict[str, bool]:
    """Vector indexes with whether each is valid, those of the parents among them."""
    with aurora.superuser() as superuser:
        rows = superuser.execute(
            "SELECT CAST(i.indexrelid AS regclass)::text, i.indisvalid FROM pg_index AS i"
            " WHERE CAST(i.indexrelid AS regclass)::text ~ '^memory.chunks_.*(hnsw|quantized)'"
        )
        return {name.removeprefix("memory."): valid for name, valid in rows.fetchall()}


def owner_by_inheritance(aurora: Aurora) -> bool:
    with aurora.superuser() as superuser:
        found = superuser.execute(
            "SELECT count(*) FROM pg_auth_members WHERE roleid = 'memory_owner'::regrole"
            " AND member = 'root1'::regrole AND inherit_option"
        ).fetchone()
        return found != (0,)


def running_jobs(aurora: Aurora) -> Any:
    return aurora.as_app().call("readiness", {})[0]["running_jobs"]


def nearest(aurora: Aurora) -> list[str]:
    with psycopg.connect(aurora.app_dsn(), row_factory=dict_row) as connection:
        request = {"now": NOW, "model": "m", "top_k": 10, "reach": 2.0, "mode": "vector"}
        rows = connection.execute(
            "SELECT id FROM memory.search(tenant => 'acme', request => %s, query => %s, budget => 1000000)",
            (json.dumps(request), a_vector()),
        )
        return [row["id"] for row in rows.fetchall()]


@pytest.mark.parametrize("wanted", LAYOUTS)
def test_a_switch_killed_at_any_call_is_finished_by_the_next_and_searches_never_notice(
    filled: Aurora, wanted: Layout
) -> None:
    before, other = nearest(filled), next(each for each in LAYOUTS if each != wanted)
    switch(filled).run(other)
    deaths = built = 0
    calls = 1
    while True:
        try:
            assert switch(filled, calls).run(wanted) == 0
            break
        except Killed:
            deaths += 1
            filled.sessions.expire()  # what three minutes without a call do
        assert nearest(filled) == before
        valid = [name for name, is_valid in indexes(filled).items() if is_valid and f"_{layout(filled)}_" in name]
        assert len(valid) == STEPS[layout(filled)] + STEPS[layout(filled)] // 16  # those in force, with the parents'
        now_built = sum(valid for name, valid in indexes(filled).items() if f"_{wanted}_" in name)
        if now_built == 3 and now_built > built:
            calls = 5 + 3 * (STEPS[wanted] - 4)  # what lies between the first and the last steps is more of the same
        else:
            calls = 5 if now_built > built else calls + 1
        built = now_built

    assert deaths > 15
    assert layout(filled) == wanted
    assert nearest(filled) == before
    found = indexes(filled)
    assert all(found.values())
    assert len(found) == STEPS[wanted] + STEPS[wanted] // 16
    assert all(f"_{wanted}_" in name for name in found)
    assert not owner_by_inheritance(filled)
    assert running_jobs(filled) == 0


def test_a_layout_that_is_in_force_costs_a_look(filled: Aurora) -> None:
    wanted: Layout = "hnsw" if layout(filled) == "hnsw" else "quantized"
    before = indexes(filled)

    assert switch(filled).run(wanted) == 0

    assert indexes(filled) == before
    assert not owner_by_inheritance(filled)


def test_a_switch_that_is_called_off_leaves_nothing(filled: Aurora) -> None:
    switch(filled).run("hnsw")
    with pytest.raises(Killed):
        switch(filled, 20).run("quantized")
    assert any("quantized" in name for name in indexes(filled))
    assert running_jobs(filled) > 0

    assert switch(filled).run("hnsw") == 0

    assert not any("quantized" in name for name in indexes(filled))
    assert running_jobs(filled) == 0
    assert not owner_by_inheritance(filled)


def test_what_a_killed_build_left_is_dropped_and_built_anew(filled: Aurora) -> None:
    switch(filled).run("hnsw")
    with psycopg.connect(filled.app_dsn()) as reader:
        # An open snapshot holds up the build when its index is in the catalogue and not valid yet.
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM memory.chunks")
        run = threading.Thread(target=lambda: _dies(filled))
        run.start()
        with filled.superuser() as superuser:
            while not superuser.execute(
                "SELECT pg_terminate_backend(b.pid) FROM pg_stat_progress_create_index AS b JOIN pg_index AS i"
                " ON i.indexrelid = b.index_relid WHERE NOT i.indisvalid AND b.phase LIKE 'waiting for old snapshots'"
            ).fetchall():
                pass
        run.join()
    assert [name for name, valid in indexes(filled).items() if not valid] == ["chunks_p00_quantized_key"]

    assert switch(filled).run("quantized") == 0

    assert all(indexes(filled).values())
    assert layout(filled) == "quantized"


def _dies(aurora: Aurora) -> None:
    with pytest.raises(Killed):
        switch(aurora, 7).run("quantized")


def test_a_build_that_outlasts_its_call_is_waited_for_and_not_begun_again(filled: Aurora) -> None:
    switch(filled).run("hnsw")
    client = filled.rest_client()
    live, builds = client.call, []

    def call(path: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        if "CONCURRENTLY" not in request.get("sql", ""):
            return live(path, request, deadline)
        assert request["continueAfterTimeout"]
        builds.append(request["sql"])
        going_on = threading.Thread(target=lambda: live(path, request, deadline))
        going_on.start()
        words = request["sql"].split()
        while words[words.index("CONCURRENTLY") + 1] not in indexes(filled):
            pass
        raise TimeoutError  # the service gave up on the call, and not on the statement

    client.call = call  # type: ignore[method-assign]

    assert SwitchLayout(DataApiVectorIndexes(filled.as_master(client)), patience(6000)).run("quantized") == 0

    assert layout(filled) == "quantized"
    assert len(builds) == len(set(builds)) == 16


def test_what_the_time_does_not_suffice_for_is_left_to_the_next_run(filled: Aurora) -> None:
    switch(filled).run("hnsw")
    with psycopg.connect(filled.app_dsn()) as reader:
        reader.execute("SELECT count(*) FROM memory.chunks")  # keeps its lock, for which the switch does not wait long

        assert switch(filled, seconds=3).run("quantized") == 1

        assert layout(filled) == "hnsw"
        assert running_jobs(filled) == 1
    assert switch(filled).run("quantized") == 0
    assert layout(filled) == "quantized"


def test_both_ways_lead_to_the_very_indexes_that_the_migration_makes(filled: Aurora) -> None:
    def definitions() -> list[Any]:
        with filled.superuser() as superuser:
            return superuser.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'memory' AND indexname ~ '^chunks_'"
                " ORDER BY indexname"
            ).fetchall()

    switch(filled).run("hnsw")
    first = definitions()
    switch(filled).run("quantized")
    switch(filled).run("hnsw")

    assert definitions() == first
