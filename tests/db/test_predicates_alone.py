"""The functions without the policies, as if these were gone: the statements name the tenant themselves."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.usage import Tally
from agent_memory.errors import NotFound
from tests.contract.memories import CASHEWS, PIANO, Memories
from tests.db.in_transaction import InTransaction
from tests.fakes.clock import Clock
from tests.fix_postgres import Aurora


@pytest.fixture
def acme(migrated: Aurora) -> Iterator[Memories]:
    """As a superuser, whom no policy binds; two tenants, of whom each has said the same."""
    with migrated.superuser() as unbound:
        store = SqlMemoryStore(InTransaction(unbound), Tally())
        acme = Memories(store, lambda: store, "acme", Clock())
        for content in (CASHEWS, PIANO):
            for memories in (acme, acme.of("globex")):
                memories.store(content, user_id="noor", session_id="monday", metadata={"kind": "fact"})
        yield acme
        unbound.execute("TRUNCATE memory.memories, memory.answers CASCADE")


def test_no_policy_binds_here(acme: Memories, migrated: Aurora) -> None:
    with migrated.superuser() as unbound:
        assert unbound.execute("SELECT count(*) FROM memory.memories").fetchone() == (4,)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"user_id": "noor"},
        {"session_id": "monday"},
        {"metadata_filter": {"kind": "fact"}},
        {"namespace": "default"},
    ],
)
def test_equal_texts_of_two_tenants_are_found_by_each_for_itself(acme: Memories, asked: dict[str, object]) -> None:
    acme.delete(acme.store(CASHEWS, user_id="noor").memory.id)

    assert acme.found(CASHEWS, **asked) == [PIANO]
    assert acme.of("globex").found(CASHEWS, **asked) == [CASHEWS, PIANO]


def test_a_walk_meets_the_tenant_s_memories(acme: Memories) -> None:
    assert sorted(*acme.walked()) == sorted([CASHEWS, PIANO])


def test_another_tenant_s_id_is_nobody_s(acme: Memories) -> None:
    theirs = acme.of("globex").store("A third.", agent_id="b").memory.id

    with pytest.raises(NotFound):
        acme.history(theirs)
    with pytest.raises(NotFound):
        acme.delete(theirs)
    assert acme.of("globex").history(theirs) == [("current", "A third.")]


def test_a_purge_and_what_has_expired_take_the_tenant_s_rows(acme: Memories) -> None:
    globex = acme.of("globex")
    expiry = (acme.clock() + timedelta(hours=1)).isoformat()
    for memories in (acme, globex):
        memories.store("For an hour.", agent_id="b", expires_at=expiry)
    acme.clock.turn(hours=2)
    acme.store("Its writes take away what has expired.", agent_id="b")
    while acme.store_.purge("acme", "a"):
        pass

    assert acme.walked() == [["Its writes take away what has expired."]]
    assert sorted(*globex.walked()) == sorted([CASHEWS, PIANO])


def test_an_idempotency_key_is_the_tenant_s_own(acme: Memories, migrated: Aurora) -> None:
    globex = acme.of("globex")
    acme.store("Said with a key.", record=acme.key("key"))
    globex.store("Said with a key.", record=globex.key("key"))  # not answered with the other's
    with migrated.superuser() as unbound:
        assert unbound.execute("SELECT count(DISTINCT tenant_id), count(*) FROM memory.answers").fetchone() == (2, 2)


@pytest.mark.parametrize("plan", ["graph", "scope", "user", "session", "time", "metadata"])
def test_a_statement_that_is_put_together_names_the_tenant_once_for_each_table(migrated: Aurora, plan: str) -> None:
    """What it finds is looked up once more, so that an answer would not show it missing."""
    with migrated.superuser() as superuser:
        row = superuser.execute("SELECT memory.nearest_sql(%s, '{}')", (plan,)).fetchone()

    assert row
    assert row[0].count(" memory.") == row[0].count("tenant_id = $1") + row[0].count("memory.key_of")
