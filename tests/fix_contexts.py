"""What one tenant's agents know, in memory and in PostgreSQL by each way to it."""

from collections.abc import Callable
from typing import Any

import pytest

from agent_memory.adapters.sql_context import SqlContextStore
from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.adapters.sql_procedures import SqlProcedureStore
from agent_memory.domain.context import ContextStore
from agent_memory.domain.database import Database
from agent_memory.domain.usage import Tally
from tests.contract.contexts import Known
from tests.contract.facts import KnownFacts
from tests.contract.memories import Memories
from tests.contract.procedures import Handbook
from tests.fakes.clock import Clock
from tests.fakes.context import InMemoryContextStore
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.memories import InMemoryMemoryStore
from tests.fakes.procedures import InMemoryProcedureStore


@pytest.fixture(params=["memory", "data_api", "direct", "proxy"])
def all_known(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Known:
    """Every layer of one tenant."""
    if request.param == "memory":
        stores = InMemoryMemoryStore(), InMemoryFactStore(), InMemoryProcedureStore()
        over: ContextStore = InMemoryContextStore(*stores)
        return made(stores, lambda: over, tenant, clock)
    ways, aurora = request.getfixturevalue("ways"), request.getfixturevalue("migrated")
    tally = Tally()

    def reach() -> Database:
        database: Database = ways(request.param, aurora)
        return database

    written = SqlMemoryStore(reach(), tally), SqlFactStore(reach(), tally), SqlProcedureStore(reach(), tally)
    return made(written, lambda: SqlContextStore(reach()), tenant, clock)


def made(stores: tuple[Any, Any, Any], reach: Callable[[], ContextStore], tenant: str, clock: Clock) -> Known:
    memories, facts, procedures = stores
    return Known(
        Memories(memories, lambda: memories, tenant, clock),
        KnownFacts(facts, lambda: facts, tenant, clock),
        Handbook(procedures, lambda: procedures, tenant, clock),
        reach,
        tenant,
        clock,
    )
