"""Facts, procedures, and the context that is made of every layer."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients, counting, database, models, records
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.domain.context import ContextStore
    from agent_memory.domain.fact_store import FactStore
    from agent_memory.domain.procedure_store import ProcedureStore
    from agent_memory.service.context import Context
    from agent_memory.service.facts import Facts
    from agent_memory.service.procedures import Procedures


@cache
def fact_store() -> "FactStore":
    """Facts, as they are stored."""
    from agent_memory.adapters.sql_facts import SqlFactStore

    return SqlFactStore(database.database(), counting.tally())


@cache
def facts() -> "Facts":
    """Facts."""
    from agent_memory.service.facts import Facts

    return Facts(fact_store(), records.subjects(), now)


@cache
def procedure_store() -> "ProcedureStore":
    """Procedures, as they are stored."""
    from agent_memory.adapters.sql_procedures import SqlProcedureStore

    return SqlProcedureStore(database.database(), counting.tally())


@cache
def procedures() -> "Procedures":
    """Procedural memory."""
    from agent_memory.service.procedures import Procedures

    return Procedures(procedure_store(), models.embeddings(), settings.search_language, counting.tally(), now)


@cache
def context_store() -> "ContextStore":
    """What a context is made of."""
    from agent_memory.adapters.sql_context import SqlContextStore

    return SqlContextStore(database.database())


@cache
def context() -> "Context":
    """Context, of all layers."""
    from agent_memory.adapters.dynamodb_state import DynamoStateStore
    from agent_memory.service.context import Context

    states = DynamoStateStore(clients.dynamodb_beside(), settings.memory_table, records.idempotency(), counting.tally())
    return Context(
        states,
        records.large_values(),
        models.context_embeddings(),
        context_store(),
        settings.search_language,
        now,
        settings.context_deadline_s,
    )
