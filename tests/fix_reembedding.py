"""Functions and an operator who changes the embedding model, over stores in memory and PostgreSQL."""

import pytest

from agent_memory.adapters.postgres import Postgres
from tests.contract.reembedding import Deployment, in_memory, in_postgres
from tests.fakes.clock import Clock


@pytest.fixture(params=["memory", "postgres"])
def deployment(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Deployment:
    """What is deployed, with nothing stored."""
    if request.param == "memory":
        return in_memory(tenant, clock)
    aurora = request.getfixturevalue("migrated")
    return in_postgres(tenant, clock, Postgres(aurora.app_dsn))
