"""The handlers, wired to stores in memory or to moto's DynamoDB."""

from collections.abc import Iterator

import pytest

from agent_memory.bootstrap import clients, counting, models
from agent_memory.domain.usage import Tally
from agent_memory.entrypoints import http, keys
from agent_memory.service.admission import Admission
from agent_memory.service.context import Context
from agent_memory.service.credit import Credit
from agent_memory.service.drafting import Drafting
from agent_memory.service.episode_batch import EpisodeBatches
from agent_memory.service.episodic import EpisodicMemory
from agent_memory.service.facts import Facts
from agent_memory.service.flags import TenantFlags
from agent_memory.service.keys import ApiKeys
from agent_memory.service.large_values import LargeValues
from agent_memory.service.late_vectors import LaterVectors
from agent_memory.service.marks import Marks
from agent_memory.service.procedures import Procedures
from agent_memory.service.purge import Purge
from agent_memory.service.reservations import Reservations
from agent_memory.service.runs import Runs
from agent_memory.service.semantic import SemanticMemory
from agent_memory.service.semantic_batch import SemanticBatches
from agent_memory.service.sessions import Sessions
from agent_memory.service.subjects import Subjects
from agent_memory.service.tool_calls import ToolCalls
from agent_memory.service.unified import Unified
from agent_memory.service.uploads import Uploads
from agent_memory.service.usage import Meter, Usage, Waiting
from agent_memory.service.working import WorkingMemory
from tests.composition import parts, timed_parts
from tests.edge import Edge
from tests.fakes.bodies import InMemoryBodies
from tests.fakes.clock import Clock
from tests.fakes.context import InMemoryContextStore
from tests.fakes.control import InMemoryApiKeyStore, InMemorySubjectStore, RotatingPepper
from tests.fakes.embedding import WordEmbedder
from tests.fakes.episodes import InMemoryEpisodeStore
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.jobs import InMemoryJobStore
from tests.fakes.memories import InMemoryMemoryStore
from tests.fakes.procedures import InMemoryProcedureStore
from tests.fakes.runs import InMemoryFlagStore, InMemoryRunStore, InMemoryToolLedger
from tests.fakes.state import InMemoryStateStore
from tests.fakes.usage import InMemoryAgentRegistry, InMemoryUsageStore
from tests.fix_aws import Aws

CHUNK_TOKENS = 200
CONTEXT_DEADLINE_S = 20.0  # a loaded machine is slow


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the edge and of every use case that is built after this."""
    made = Clock()
    for module in (*timed_parts(), http, keys):
        monkeypatch.setattr(module, "now", made)
    return made


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Edge:
    """The API over stores in memory."""
    idempotency, tally = InMemoryIdempotencyStore(), Tally()
    bound, states = InMemorySubjectStore(), InMemoryStateStore(idempotency, tally)
    subjects, episodes = Subjects(bound), InMemoryEpisodeStore(idempotency, tally)
    usage, registry = InMemoryUsageStore(), InMemoryAgentRegistry()
    runs, tools = InMemoryRunStore(idempotency, tally), InMemoryToolLedger(idempotency, tally)
    memories, embedder = InMemoryMemoryStore(tally), WordEmbedder(tally=tally)
    procedures, jobs = InMemoryProcedureStore(tally), InMemoryJobStore(idempotency)
    facts = InMemoryFactStore(tally)
    store = InMemoryContextStore(memories, facts, procedures)
    drafting = Drafting(embedder, CHUNK_TOKENS, tally, later=LaterVectors(jobs))
    waiting, credit = Waiting(), Credit(clock())
    bodies = InMemoryBodies()
    values = LargeValues(lambda: bodies, tally, clock)
    working = WorkingMemory(states, subjects, values, clock)
    semantic = SemanticMemory(memories, embedder, drafting, subjects, clock)
    built = {
        "records.idempotency": idempotency,
        "counting.tally": tally,
        "counting.meter": Meter(usage, Marks(registry), clock, waiting, credit),
        "counting.admission": Admission(usage, waiting, credit, clock),
        "counting.reservations": Reservations(usage, waiting, credit, clock),
        "tenants.api_keys": ApiKeys(InMemoryApiKeyStore(idempotency), RotatingPepper(), clock),
        "records.large_values": values,
        "records.uploads": Uploads(lambda: bodies, idempotency, clock),
        "counting.usage": Usage(usage, clock),
        "records.working": working,
        "records.runs": Runs(runs, subjects, clock),
        "records.tool_calls": ToolCalls(tools, subjects, idempotency, clock),
        "tenants.tenant_flags": TenantFlags(InMemoryFlagStore()),
        "episodes.episodic": EpisodicMemory(episodes, subjects, values, clock),
        "episodes.episode_batches": EpisodeBatches(episodes, idempotency, subjects, values, clock),
        "memories.semantic": semantic,
        "memories.semantic_batches": SemanticBatches(memories, drafting, subjects, clock),
        "knowledge.facts": Facts(facts, subjects, clock),
        "knowledge.procedures": Procedures(procedures, embedder, "english", tally, clock),
        "jobs.sessions": Sessions(jobs, subjects, None, clock),
        "knowledge.context": Context(states, values, embedder, store, "english", clock, CONTEXT_DEADLINE_S),
        "layers.unified": Unified(working, episodes, memories, semantic, registry, values, clock),
        "layers.purge": Purge(
            {"semantic": memories, "facts": facts, "procedures": procedures},
            [states, episodes, runs, tools, bound, registry],
            idempotency,
            tally,
            clock,
            [jobs],
        ),
    }
    for name, part in built.items():
        monkeypatch.setattr(f"agent_memory.bootstrap.{name}", lambda part=part: part)
    return Edge()


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, aws: Aws, clock: Clock, tenant: str) -> Iterator[Edge]:
    """The API as it is deployed, with moto behind it; the database and the embedding model are in memory."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("MEMORY_TABLE", aws.memory_table)
    monkeypatch.setenv("CONTROL_TABLE", aws.control_table)
    monkeypatch.setenv("ARCHIVE_BUCKET", aws.bucket)
    monkeypatch.setenv("EMBEDDING_CHUNK_TOKENS", str(CHUNK_TOKENS))
    monkeypatch.setenv("CONTEXT_DEADLINE_S", str(CONTEXT_DEADLINE_S))
    forget_clients()
    # A loaded machine is slow: what waits for another request because of it would be missed here.
    monkeypatch.setattr("agent_memory.adapters.aws_json._HURRIED_S", 10.0)
    memories, embedder = InMemoryMemoryStore(counting.tally()), WordEmbedder(tally=counting.tally())
    monkeypatch.setattr("agent_memory.bootstrap.memories.memory_store", lambda: memories)
    facts = InMemoryFactStore(counting.tally())
    monkeypatch.setattr("agent_memory.bootstrap.knowledge.fact_store", lambda: facts)
    procedures = InMemoryProcedureStore(counting.tally())
    monkeypatch.setattr("agent_memory.bootstrap.knowledge.procedure_store", lambda: procedures)
    store = InMemoryContextStore(memories, facts, procedures)
    monkeypatch.setattr("agent_memory.bootstrap.knowledge.context_store", lambda: store)
    for name in ("embeddings", "context_embeddings"):
        monkeypatch.setattr(models, name, lambda: embedder)
    yield Edge(tenant)
    forget_clients()


def forget_clients() -> None:
    """Make the next call build everything again, as a cold start does."""
    if clients.dynamodb.cache_info().currsize:
        clients.dynamodb()._close()
    for part in parts():
        for built in vars(part).values():
            if hasattr(built, "cache_clear"):
                built.cache_clear()
