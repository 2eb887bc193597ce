"""The functions of facts without the policies, as if these were gone: the statements name the tenant themselves."""

from collections.abc import Iterator

import pytest

from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.domain.usage import Tally
from agent_memory.errors import NotFound
from tests.contract.facts import KnownFacts
from tests.db.in_transaction import InTransaction
from tests.fakes.clock import Clock
from tests.fix_postgres import Aurora


@pytest.fixture
def acme(migrated: Aurora) -> Iterator[KnownFacts]:
    """As a superuser, whom no policy binds; two tenants, of whom each has said the same."""
    with migrated.superuser() as unbound:
        store = SqlFactStore(InTransaction(unbound), Tally())
        acme = KnownFacts(store, lambda: store, "acme", Clock())
        for known in (acme, acme.of("globex")):
            known.say("Paris", 1)
            known.say("Rome", 3, agent_id="a")
        yield acme
        unbound.execute("TRUNCATE memory.facts, memory.fact_bundles, memory.answers CASCADE")


def test_a_new_value_closes_the_tenant_s_own(acme: KnownFacts) -> None:
    acme.say("Berlin", 2)

    assert sorted(acme.values(5)) == ["Berlin", "Rome"]
    assert sorted(acme.of("globex").values(5)) == ["Paris", "Rome"]
    assert acme.of("globex").values(5, subject="Ana", predicate="lives in", agent_id="b") == ["Paris"]


def test_another_tenant_s_fact_is_nobody_s(acme: KnownFacts) -> None:
    theirs = acme.of("globex").find(agent_id="b")[0]["id"]

    for use in (acme.history, acme.retract, acme.restore):
        with pytest.raises(NotFound):
            use(theirs)
    assert acme.of("globex").whys(theirs) == [("asserted", None)]


def test_a_purge_and_what_has_expired_take_the_tenant_s_rows(acme: KnownFacts) -> None:
    globex = acme.of("globex")
    for known in (acme, globex):
        known.say("for an hour", 1, predicate="is away", ttl_hours=1)
    acme.clock.turn(hours=2)
    acme.say("tea", 1, predicate="likes", subject="Bo")
    assert acme.store.purge("acme", "a") == 1

    assert sorted(acme.values(5)) == ["Paris", "tea"]
    assert sorted(globex.values(5)) == ["Paris", "Rome"]


def test_an_idempotency_key_is_the_tenant_s_own(acme: KnownFacts) -> None:
    globex = acme.of("globex")
    for known in (acme, globex):
        assert known.say("Madrid", 4, record=known.key("key")).fact.value == "Madrid"
