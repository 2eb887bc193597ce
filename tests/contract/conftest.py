"""The stores twice: in memory, and on DynamoDB's protocol."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
from agent_memory.adapters.dynamodb_control import DynamoBucketStore, DynamoSubjectStore
from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
from agent_memory.adapters.dynamodb_flags import DynamoFlagStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_jobs import DynamoJobStore, Tables
from agent_memory.adapters.dynamodb_limits import DynamoLimitStore
from agent_memory.adapters.dynamodb_purge import DynamoAgentRecords
from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry
from agent_memory.adapters.dynamodb_run_purge import DynamoAgentRuns
from agent_memory.adapters.dynamodb_runs import DynamoRunStore
from agent_memory.adapters.dynamodb_state import DynamoStateStore
from agent_memory.adapters.dynamodb_tool_calls import DynamoToolLedger
from agent_memory.adapters.dynamodb_usage import DynamoUsageStore
from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.adapters.sql_late_vectors import SqlLateVectors
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.adapters.sql_procedures import SqlProcedureStore
from agent_memory.domain import clusters
from agent_memory.domain.api_key import ApiKeyStore
from agent_memory.domain.fact_store import FactStore
from agent_memory.domain.flags import FlagStore
from agent_memory.domain.jobs import JobStore
from agent_memory.domain.limits import LimitStore
from agent_memory.domain.ports import (
    AgentRegistry,
    AgentStore,
    BucketStore,
    EpisodeStore,
    IdempotencyStore,
    StateStore,
    SubjectStore,
    UsageStore,
)
from agent_memory.domain.procedure_store import ProcedureStore
from agent_memory.domain.runs import RunStore
from agent_memory.domain.semantic_store import MemoryStore
from agent_memory.domain.tool_calls import ToolLedger
from agent_memory.domain.usage import Tally
from agent_memory.service import noting
from agent_memory.service.episode_batch import EpisodeBatches
from agent_memory.service.episodic import EpisodicMemory
from agent_memory.service.large_values import LargeValues
from agent_memory.service.runs import Runs
from agent_memory.service.subjects import Subjects
from agent_memory.service.tool_calls import ToolCalls
from agent_memory.service.uploads import Uploads
from agent_memory.service.working import WorkingMemory
from tests.contract.facts import KnownFacts
from tests.contract.memories import Memories
from tests.contract.procedures import Handbook
from tests.fakes.bodies import InMemoryBodies
from tests.fakes.clock import Clock
from tests.fakes.control import InMemoryApiKeyStore, InMemoryBucketStore, InMemorySubjectStore
from tests.fakes.episodes import HOT_WINDOW, InMemoryEpisodeStore
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.jobs import InMemoryJobStore
from tests.fakes.late_vectors import InMemoryLateVectors
from tests.fakes.memories import InMemoryMemoryStore
from tests.fakes.procedures import InMemoryProcedureStore
from tests.fakes.runs import InMemoryFlagStore, InMemoryRunStore, InMemoryToolLedger
from tests.fakes.state import InMemoryStateStore
from tests.fakes.usage import InMemoryAgentRegistry, InMemoryLimitStore, InMemoryUsageStore, Together
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from tests.contract.archiving import Scene
    from tests.contract.cold import Cold


@dataclass
class Stores:
    """What one function holds; `another` is a second function on the same tables."""

    state: StateStore
    episodes: EpisodeStore
    idempotency: IdempotencyStore
    subjects: SubjectStore
    buckets: BucketStore
    api_keys: ApiKeyStore
    usage: UsageStore
    limits: LimitStore
    registry: AgentRegistry
    runs: RunStore
    tools: ToolLedger
    flags: FlagStore
    jobs: JobStore
    records: AgentStore
    marks: AgentStore
    tally: Tally
    bodies: InMemoryBodies
    another: Callable[[], "Stores"]

    def working(self, clock: Clock) -> WorkingMemory:
        return WorkingMemory(self.state, Subjects(self.subjects), self.values(clock), clock)

    def episodic(self, clock: Clock) -> EpisodicMemory:
        return EpisodicMemory(self.episodes, Subjects(self.subjects), self.values(clock), clock)

    def batches(self, clock: Clock) -> EpisodeBatches:
        return EpisodeBatches(self.episodes, self.idempotency, Subjects(self.subjects), self.values(clock), clock)

    def values(self, clock: Clock) -> LargeValues:
        return LargeValues(lambda: self.bodies, self.tally, clock)

    def uploads(self, clock: Clock) -> Uploads:
        return Uploads(lambda: self.bodies, self.idempotency, clock)

    def agent_runs(self, clock: Clock) -> Runs:
        return Runs(self.runs, Subjects(self.subjects), clock)

    def tool_calls(self, clock: Clock) -> ToolCalls:
        return ToolCalls(self.tools, Subjects(self.subjects), self.idempotency, clock)


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return in_memory()
    return on_dynamodb(request.getfixturevalue("aws"))


@pytest.fixture(params=["memory", "aws"])
def cold(request: pytest.FixtureRequest) -> "Cold":
    """Both tiers."""
    from tests.contract.cold import cold_in_memory, cold_on_aws  # noqa: PLC0415 - it is made of what stands here

    if request.param == "memory":
        return cold_in_memory()
    return cold_on_aws(request.getfixturevalue("aws"), request.getfixturevalue("s3"))


@pytest.fixture
def scene(cold: "Cold", tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> "Scene":
    """An agent's way into the cold tier, where a few episodes fill an object."""
    from tests.contract.archiving import Scene  # noqa: PLC0415 - as above

    monkeypatch.setattr(clusters, "FULL_BYTES", 1000)
    monkeypatch.setattr(noting, "_LOOK_BYTES", 2000)
    return Scene(cold, tenant, clock)


def in_memory() -> Stores:
    idempotency, tally, registry = InMemoryIdempotencyStore(), Tally(), InMemoryAgentRegistry()
    state, episodes = InMemoryStateStore(idempotency, tally), InMemoryEpisodeStore(idempotency, tally)
    subjects, runs = InMemorySubjectStore(), InMemoryRunStore(idempotency, tally)
    tools, jobs = InMemoryToolLedger(idempotency, tally), InMemoryJobStore(idempotency)
    made = Stores(
        state,
        episodes,
        idempotency,
        subjects,
        InMemoryBucketStore(),
        InMemoryApiKeyStore(idempotency),
        InMemoryUsageStore(),
        InMemoryLimitStore(),
        registry,
        runs,
        tools,
        InMemoryFlagStore(),
        jobs,
        Together(state, episodes, subjects, runs, tools),
        registry,
        tally,
        InMemoryBodies(),
        another=lambda: made,
    )
    return made


def on_dynamodb(aws: Aws, bodies: InMemoryBodies | None = None) -> Stores:
    client, tally, bodies = aws.client(), Tally(), bodies or InMemoryBodies()
    idempotency = DynamoIdempotencyStore(client, aws.control_table)
    buckets = DynamoBucketStore(client, aws.control_table)
    registry = DynamoAgentRegistry(client, aws.control_table)
    return Stores(
        DynamoStateStore(client, aws.memory_table, idempotency, tally),
        DynamoEpisodeStore(client, aws.memory_table, buckets, idempotency, tally, HOT_WINDOW),
        idempotency,
        DynamoSubjectStore(client, aws.memory_table),
        buckets,
        DynamoApiKeyStore(client, aws.control_table),
        DynamoUsageStore(client, aws.control_table),
        DynamoLimitStore(client, aws.control_table),
        registry,
        DynamoRunStore(client, aws.memory_table, idempotency, tally),
        DynamoToolLedger(client, aws.memory_table, idempotency, tally),
        DynamoFlagStore(client, aws.control_table),
        DynamoJobStore(client, Tables(aws.memory_table, aws.control_table), idempotency),
        Together(
            DynamoAgentRuns(client, aws.memory_table),
            DynamoAgentRecords(client, aws.memory_table, buckets),
        ),
        registry,
        tally,
        bodies,
        another=lambda: on_dynamodb(aws, bodies),
    )


@pytest.fixture(params=["memory", "data_api", "direct", "proxy"])
def known(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> KnownFacts:
    """Facts in memory, and in PostgreSQL by each connection mode."""
    if request.param == "memory":
        store = InMemoryFactStore()
        return KnownFacts(store, lambda: store, tenant, clock)
    ways, aurora = request.getfixturevalue("ways"), request.getfixturevalue("migrated")

    def reach() -> FactStore:
        return SqlFactStore(ways(request.param, aurora), Tally())

    return KnownFacts(reach(), reach, tenant, clock)


@pytest.fixture(params=["memory", "data_api", "direct", "proxy"])
def memories(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Memories:
    """Semantic memory in memory, and in PostgreSQL by each connection mode."""
    if request.param == "memory":
        store = InMemoryMemoryStore(tally := Tally())
        return Memories(store, lambda: store, tenant, clock, tally=tally, late=InMemoryLateVectors(store))
    ways, aurora = request.getfixturevalue("ways"), request.getfixturevalue("migrated")

    tally = Tally()

    def reach() -> MemoryStore:
        return SqlMemoryStore(ways(request.param, aurora), tally)

    late = SqlLateVectors(ways(request.param, aurora), tally)
    return Memories(reach(), reach, tenant, clock, tally=tally, late=late)


@pytest.fixture(params=["memory", "data_api", "direct", "proxy"])
def handbook(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Handbook:
    """Procedures in memory, and in PostgreSQL by each connection mode."""
    if request.param == "memory":
        store = InMemoryProcedureStore(tally := Tally())
        return Handbook(store, lambda: store, tenant, clock, tally=tally)
    ways, aurora = request.getfixturevalue("ways"), request.getfixturevalue("migrated")

    tally = Tally()

    def reach() -> ProcedureStore:
        return SqlProcedureStore(ways(request.param, aurora), tally)

    return Handbook(reach(), reach, tenant, clock, tally=tally)
