"""The composition root: the only place that builds clients and stores, each once and when first asked for.

Imports stand inside the functions on purpose: a function loads what it serves and no more, which is most of its
cold start (docs/adr/0002-signed-requests-on-the-hot-path.md).
"""
# ruff: noqa: PLC0415

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from agent_memory import logs
from agent_memory.acting import acting_tenant
from agent_memory.config import Settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_memory.adapters.aws_json import AwsJsonClient
    from agent_memory.adapters.data_api import DataApi
    from agent_memory.adapters.dynamodb_control import DynamoBucketStore
    from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
    from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry
    from agent_memory.adapters.dynamodb_state import DynamoStateStore
    from agent_memory.adapters.dynamodb_usage import DynamoUsageStore
    from agent_memory.adapters.lambda_function import LambdaFunction
    from agent_memory.adapters.s3_bodies import S3Bodies
    from agent_memory.adapters.sigv4 import CredentialSource
    from agent_memory.adapters.sqs import SqsJobQueue
    from agent_memory.adapters.tenant_sessions import TenantSessions
    from agent_memory.domain import purge as purged
    from agent_memory.domain.archive import ArchivedObject, ArchiveIndex, ColdObjects
    from agent_memory.domain.context import ContextStore
    from agent_memory.domain.database import Database
    from agent_memory.domain.embedding import Embedders
    from agent_memory.domain.embedding_models import PlanStore, Space
    from agent_memory.domain.fact_store import FactStore
    from agent_memory.domain.jobs import JobStore, JobWork, Kind
    from agent_memory.domain.late_vectors import LateVectors
    from agent_memory.domain.ports import AgentStore, EpisodeStore
    from agent_memory.domain.procedure_store import ProcedureStore
    from agent_memory.domain.semantic_store import MemoryStore
    from agent_memory.domain.usage import Tally
    from agent_memory.service.admission import Admission
    from agent_memory.service.archiving import Archiving
    from agent_memory.service.buckets import AgentBuckets
    from agent_memory.service.context import Context
    from agent_memory.service.credit import Credit
    from agent_memory.service.deliveries import Deliveries
    from agent_memory.service.doing_jobs import DoingJobs
    from agent_memory.service.drafting import Drafting
    from agent_memory.service.embedding import Embeddings, VectorCache
    from agent_memory.service.embedding_models import EmbeddingModels
    from agent_memory.service.enable_login import EnableLogin
    from agent_memory.service.episode_batch import EpisodeBatches
    from agent_memory.service.episodic import EpisodicMemory
    from agent_memory.service.facts import Facts
    from agent_memory.service.flags import TenantFlags
    from agent_memory.service.keys import ApiKeys
    from agent_memory.service.large_values import LargeValues
    from agent_memory.service.late_vectors import EmbedJobs, MissingVectors
    from agent_memory.service.lint import Lint
    from agent_memory.service.maintain import Maintain
    from agent_memory.service.migrate import Migrate
    from agent_memory.service.procedures import Procedures
    from agent_memory.service.purge import AgentRows, Purge
    from agent_memory.service.readiness import Readiness
    from agent_memory.service.redrive import Redrive
    from agent_memory.service.redrive_jobs import RedriveJobs
    from agent_memory.service.reembedding import Reembedding, Worker
    from agent_memory.service.rehydrate import Rehydration
    from agent_memory.service.reservations import Reservations
    from agent_memory.service.runs import Runs
    from agent_memory.service.search_check import SearchCheck
    from agent_memory.service.semantic import SemanticMemory
    from agent_memory.service.semantic_batch import SemanticBatches
    from agent_memory.service.session_end import Summarizer
    from agent_memory.service.sessions import Sessions
    from agent_memory.service.subjects import Subjects
    from agent_memory.service.sweeping import Sweeping
    from agent_memory.service.switch_layout import SwitchLayout
    from agent_memory.service.tenants import TenantLimits
    from agent_memory.service.tool_calls import ToolCalls
    from agent_memory.service.unified import Unified
    from agent_memory.service.uploads import Uploads
    from agent_memory.service.usage import Meter, Usage, Waiting
    from agent_memory.service.working import WorkingMemory

settings = Settings()

_PROBE_TIMEOUT_S = 3.0
# Of functions that serve requests.
_LONGEST_REQUEST_S = 30.0


@cache
def tenant_sessions() -> "TenantSessions | None":
    """Sessions of tenants, for functions that have a role for them."""
    if settings.tenant_role_arn is None:
        return None
    from agent_memory.adapters.sts import TenantRole
    from agent_memory.adapters.tenant_sessions import TenantSessions

    return TenantSessions(TenantRole(settings.region, settings.tenant_role_arn).assume)


def session_metrics() -> dict[str, object]:
    """What the line of a request says of sessions: misses on average are the rate of them."""
    sessions = tenant_sessions()
    if sessions is None:
        return {}
    calls, seconds = sessions.taken()
    values: dict[str, tuple[float, str]] = {"TenantSessionMisses": (calls, "Count")}
    if calls:
        values["TenantSessionLatency"] = (round(seconds / calls * 1000, 1), "Milliseconds")
    return logs.metrics(values)


def _of_the_tenant() -> "CredentialSource":
    """What reaches records: the credentials of the tenant acted for, or without sessions the function's own."""
    from agent_memory.adapters.sigv4 import own_role

    sessions = tenant_sessions()
    return own_role if sessions is None else sessions.credentials_of(acting_tenant)


@cache
def dynamodb() -> "AwsJsonClient":
    """The signed DynamoDB client."""
    from agent_memory.adapters.dynamodb import make_client

    return make_client(settings.region, _of_the_tenant())


@cache
def _dynamodb_beside() -> "AwsJsonClient":
    """As `dynamodb`, for a thread beside the request's own, which may not outlive it for long."""
    from agent_memory.adapters.dynamodb import make_client

    return make_client(settings.region, _of_the_tenant(), patience_s=settings.context_deadline_s)


def data_calls() -> int:
    """Calls to DynamoDB so far, for the log line of a request."""
    beside = _dynamodb_beside().calls if _dynamodb_beside.cache_info().currsize else 0
    return dynamodb().calls + beside


@cache
def api_keys() -> "ApiKeys":
    """API keys and who stands behind them."""
    from agent_memory.adapters import ssm
    from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
    from agent_memory.service.keys import ApiKeys

    pepper = ssm.SsmPepper(ssm.make_client(settings.region), settings.pepper_parameter)
    return ApiKeys(DynamoApiKeyStore(dynamodb(), settings.control_table), pepper, now)


@cache
def tenant_limits() -> "TenantLimits":
    """Limits of tenants."""
    from agent_memory.adapters.dynamodb_limits import DynamoLimitStore
    from agent_memory.domain.limits import Limits
    from agent_memory.service.tenants import TenantLimits

    return TenantLimits(DynamoLimitStore(dynamodb(), settings.control_table), Limits.read(settings.limits))


@cache
def tenant_flags() -> "TenantFlags":
    """Feature flags of tenants."""
    from agent_memory.adapters.dynamodb_flags import DynamoFlagStore
    from agent_memory.service.flags import TenantFlags

    return TenantFlags(DynamoFlagStore(dynamodb(), settings.control_table))


@cache
def tally() -> "Tally":
    """What the request under way has done."""
    from agent_memory.domain.usage import Tally

    return Tally()


@cache
def _usage_store() -> "DynamoUsageStore":
    from agent_memory.adapters.dynamodb_usage import DynamoUsageStore

    return DynamoUsageStore(dynamodb(), settings.control_table)


@cache
def _registry() -> "DynamoAgentRegistry":
    from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry

    return DynamoAgentRegistry(dynamodb(), settings.control_table)


@cache
def meter() -> "Meter":
    """Counts what requests did."""
    from agent_memory.service.marks import Marks
    from agent_memory.service.usage import Meter

    return Meter(_usage_store(), Marks(_registry()), now, _waiting(), _credit())


@cache
def _waiting() -> "Waiting":
    from agent_memory.service.usage import Waiting

    return Waiting()


@cache
def _credit() -> "Credit":
    from agent_memory.service.credit import Credit

    return Credit(now())


@cache
def admission() -> "Admission":
    """Whether one more request may be served."""
    from agent_memory.service.admission import Admission

    return Admission(_usage_store(), _waiting(), _credit(), now)


@cache
def reservations() -> "Reservations":
    """Whether a tenant may do what a request asks for."""
    from agent_memory.service.reservations import Reservations

    return Reservations(_usage_store(), _waiting(), _credit(), now)


@cache
def usage() -> "Usage":
    """What has been counted."""
    from agent_memory.service.usage import Usage

    return Usage(_usage_store(), now)


def counters(tenant_id: str) -> "Mapping[str, int]":
    """What has been counted, by counter."""
    return _usage_store().get(tenant_id)


@cache
def idempotency() -> "DynamoIdempotencyStore":
    """First answers."""
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore

    return DynamoIdempotencyStore(dynamodb(), settings.control_table)


@cache
def job_store() -> "JobStore":
    """Jobs, for whoever leaves work behind and whoever does it."""
    from agent_memory.adapters.dynamodb_jobs import DynamoJobStore, Tables

    return DynamoJobStore(dynamodb(), Tables(settings.memory_table, settings.control_table), idempotency())


@cache
def job_queue() -> "SqsJobQueue":
    """Where jobs are told of."""
    from agent_memory.adapters.sqs import SqsJobQueue, make_client

    return SqsJobQueue(make_client(settings.region), settings.job_queue_url)


@cache
def subjects() -> "Subjects":
    """Whose session it is."""
    from agent_memory.adapters.dynamodb_control import DynamoSubjectStore
    from agent_memory.service.subjects import Subjects

    return Subjects(DynamoSubjectStore(dynamodb(), settings.memory_table))


@cache
def _bodies() -> "S3Bodies":
    """Asked for when a value is large: it brings boto3 along."""
    from agent_memory.adapters.s3_bodies import S3Bodies

    return S3Bodies.of(settings.region, settings.archive_bucket, _of_the_tenant())


@cache
def large_values() -> "LargeValues":
    """Values that have no room in their records."""
    from agent_memory.service.large_values import LargeValues

    return LargeValues(_bodies, tally(), now)


@cache
def uploads() -> "Uploads":
    """Uploads of large values."""
    from agent_memory.service.uploads import Uploads

    return Uploads(_bodies, idempotency(), now)


@cache
def _states() -> "DynamoStateStore":
    from agent_memory.adapters.dynamodb_state import DynamoStateStore

    return DynamoStateStore(dynamodb(), settings.memory_table, idempotency(), tally())


@cache
def working() -> "WorkingMemory":
    """Working memory."""
    from agent_memory.service.working import WorkingMemory

    return WorkingMemory(_states(), subjects(), large_values(), now)


@cache
def runs() -> "Runs":
    """Agent runs."""
    from agent_memory.adapters.dynamodb_runs import DynamoRunStore
    from agent_memory.service.runs import Runs

    store = DynamoRunStore(dynamodb(), settings.memory_table, idempotency(), tally())
    return Runs(store, subjects(), now)


@cache
def tool_calls() -> "ToolCalls":
    """The tool-call ledger."""
    from agent_memory.adapters.dynamodb_tool_calls import DynamoToolLedger
    from agent_memory.service.tool_calls import ToolCalls

    ledger = DynamoToolLedger(dynamodb(), settings.memory_table, idempotency(), tally())
    return ToolCalls(ledger, subjects(), idempotency(), now)


@cache
def _buckets() -> "DynamoBucketStore":
    from agent_memory.adapters.dynamodb_control import DynamoBucketStore

    return DynamoBucketStore(dynamodb(), settings.control_table)


@cache
def agent_buckets() -> "AgentBuckets":
    """How agents are spread."""
    from agent_memory.service.buckets import AgentBuckets

    return AgentBuckets(_buckets(), now)


@cache
def _episodes() -> "DynamoEpisodeStore":
    from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore

    return DynamoEpisodeStore(
        dynamodb(), settings.memory_table, _buckets(), idempotency(), tally(), settings.hot_window
    )


@cache
def timeline() -> "EpisodeStore":
    """Episodes of both tiers. Whoever asks the cold one for nothing does not load the AWS SDK."""
    from agent_memory.adapters.dynamodb_object_rows import DynamoObjectRows
    from agent_memory.service.timeline import TieredEpisodes

    return TieredEpisodes(_episodes(), DynamoObjectRows(dynamodb(), settings.memory_table), cold_objects)


@cache
def rehydration() -> "Rehydration":
    """Archived episodes on their way back."""
    from agent_memory.adapters.dynamodb_object_rows import DynamoObjectRows
    from agent_memory.adapters.dynamodb_rehydration import DynamoRehydratedEpisodes
    from agent_memory.service.rehydrate import Rehydration

    rows = DynamoObjectRows(dynamodb(), settings.memory_table)
    hot = DynamoRehydratedEpisodes(dynamodb(), settings.memory_table, _buckets(), settings.hot_window)
    return Rehydration(archive_index(), rows, cold_objects, hot, _usage_store(), now)


@cache
def episodic() -> "EpisodicMemory":
    """Episodic memory."""
    from agent_memory.service.episodic import EpisodicMemory

    return EpisodicMemory(timeline(), subjects(), large_values(), now)


@cache
def episode_batches() -> "EpisodeBatches":
    """Batches of episodes."""
    from agent_memory.service.episode_batch import EpisodeBatches

    return EpisodeBatches(_episodes(), idempotency(), subjects(), large_values(), now)


def _data_api(secret_arn: str) -> "DataApi":
    from agent_memory.adapters.data_api import DataApi, make_client

    return DataApi(make_client(settings.region), settings.database_cluster_arn, secret_arn, settings.database_name)


@cache
def database() -> "Database":
    """PostgreSQL as the application's role, by the deployment's connection mode."""
    if settings.database_connection == "data_api":
        return _data_api(settings.database_app_secret_arn)

    from agent_memory.adapters.postgres import Postgres, TokenLogin
    from agent_memory.adapters.sigv4 import Credentials, connect_token

    host, port = settings.database_endpoint
    region, user = settings.region, settings.database_user
    # A cluster shows a certificate of RDS's own authorities; a proxy one of Amazon's public authorities.
    own = str(Path(__file__).parent / "rds-ca.pem")
    ca_path = settings.database_ca_path or (own if settings.database_connection == "direct" else _public_authorities())

    def token() -> str:
        return connect_token(Credentials.from_environment(), region=region, host=host, port=port, user=user)

    return Postgres(TokenLogin(token, host, port, user, settings.database_name, ca_path))


def _public_authorities() -> str:
    """The bundle that botocore brings along, found without botocore's import, which takes longer than a login."""
    from importlib.util import find_spec

    found = find_spec("botocore")
    assert found  # noqa: S101 - it is in the zip
    return str(Path(str(found.origin)).parent / "cacert.pem")


@cache
def embedding_plan() -> "PlanStore":
    """Where it stands which models are used: nobody's record, reached with the function's own role."""
    return _plan()


def _plan(patience_s: float | None = None) -> "PlanStore":
    from agent_memory.adapters.dynamodb import make_client
    from agent_memory.adapters.dynamodb_embedding_models import DynamoPlanStore

    return DynamoPlanStore(make_client(settings.region, patience_s=patience_s), settings.control_table)


def deployed_spaces() -> "tuple[Space, ...]":
    """Models that the deployment may call: its own, and the one that it is about to change to."""
    from agent_memory.domain.embedding_models import Space

    own = Space(settings.embedding_model, settings.embedding_dimensions)
    following = settings.embedding_next
    return (own, Space(*following)) if following else (own,)


@cache
def embeddings() -> "EmbeddingModels":
    """The embedding models, with their cache."""
    return _embeddings(embedding_plan(), settings.embedding_timeout_s)


@cache
def _vectors() -> "VectorCache":
    from agent_memory.service.embedding import VectorCache

    return VectorCache()


def _embeddings(plan: "PlanStore", timeout_s: float) -> "EmbeddingModels":
    from agent_memory.adapters.bedrock import TitanEmbedding, make_client
    from agent_memory.domain.usage import Tally
    from agent_memory.service.embedding import Embeddings
    from agent_memory.service.embedding_models import EmbeddingModels, Plans

    client, known = make_client(settings.region), deployed_spaces()

    def make(space: "Space", counted: bool) -> "Embeddings | None":  # noqa: FBT001 - the plan's word
        if space not in known:
            return None
        counts = tally() if counted else Tally()
        return Embeddings(TitanEmbedding(client, *space), counts, timeout_s, acting_tenant, _vectors())

    return EmbeddingModels(Plans(plan, known[0], now), make)


@cache
def _memories() -> "MemoryStore":
    from agent_memory.adapters.sql_memories import SqlMemoryStore

    return SqlMemoryStore(database(), tally())


@cache
def _drafting() -> "Drafting":
    from agent_memory.service.drafting import Drafting
    from agent_memory.service.late_vectors import LaterVectors

    later = LaterVectors(job_store())
    return Drafting(embeddings(), settings.embedding_chunk_tokens, tally(), settings.search_language, later)


@cache
def _late_vectors() -> "LateVectors":
    from agent_memory.adapters.sql_late_vectors import SqlLateVectors

    return SqlLateVectors(database(), tally())


@cache
def _missing_vectors() -> "MissingVectors":
    from agent_memory.service.late_vectors import MissingVectors

    return MissingVectors(_late_vectors(), embeddings(), settings.embedding_chunk_tokens, now)


def embed_jobs() -> "EmbedJobs":
    """Jobs of the kind `embed`."""
    import time

    from agent_memory.service.late_vectors import EmbedJobs

    longest_s = settings.embedding_timeout_s
    return EmbedJobs(_late_vectors(), _missing_vectors(), now, time.sleep, longest_s)


def embedding_work() -> "Worker":
    """What an operator has the function do that does jobs."""
    from agent_memory.adapters.sql_procedure_vectors import SqlProcedureVectors
    from agent_memory.service.embedding_work import EmbeddingWork
    from agent_memory.service.procedure_vectors import AlsoProcedures

    memories = EmbeddingWork(_late_vectors(), _missing_vectors(), now)
    return AlsoProcedures(memories, SqlProcedureVectors(database()), embeddings())


def reembedding(tell: "Callable[[str], object]") -> "Reembedding":
    """A change of the embedding model, as an operator carries it out."""
    import time

    from agent_memory.adapters.dynamodb_tenants import DynamoTenants
    from agent_memory.adapters.embedding_worker import InvokedWorker
    from agent_memory.service.reembedding import Reembedding

    worker = InvokedWorker(_function(settings.ingest_function))
    tenants = DynamoTenants(dynamodb(), settings.control_table)
    return Reembedding(embedding_plan(), deployed_spaces(), tenants, worker, now, time.sleep, tell)


@cache
def semantic() -> "SemanticMemory":
    """Semantic memory."""
    from agent_memory.service.semantic import SemanticMemory

    return SemanticMemory(_memories(), embeddings(), _drafting(), subjects(), now, _search_check())


def _search_check() -> "SearchCheck | None":
    if not settings.search_check_share:
        return None
    import random

    from agent_memory.service.search_check import SearchCheck

    def tell(recall: float) -> None:
        logs.line(level="INFO", **logs.metrics({"SearchRecall": (recall, "None")}))

    return SearchCheck(_memories(), settings.search_check_share, random.random, tell)


@cache
def semantic_batches() -> "SemanticBatches":
    """Batches of texts."""
    from agent_memory.service.semantic_batch import SemanticBatches

    return SemanticBatches(_memories(), _drafting(), subjects(), now)


@cache
def _facts() -> "FactStore":
    from agent_memory.adapters.sql_facts import SqlFactStore

    return SqlFactStore(database(), tally())


@cache
def facts() -> "Facts":
    """Facts."""
    from agent_memory.service.facts import Facts

    return Facts(_facts(), subjects(), now)


@cache
def _procedures() -> "ProcedureStore":
    from agent_memory.adapters.sql_procedures import SqlProcedureStore

    return SqlProcedureStore(database(), tally())


@cache
def procedures() -> "Procedures":
    """Procedural memory."""
    from agent_memory.service.procedures import Procedures

    return Procedures(_procedures(), embeddings(), settings.search_language, tally(), now)


@cache
def sessions() -> "Sessions":
    """Ends of sessions, and their jobs."""
    from agent_memory.service.sessions import Sessions

    return Sessions(job_store(), subjects(), settings.summarizer_input_tokens, now)


def doing_jobs(crash: "Callable[[Exception], None]") -> "DoingJobs":
    """Whoever does jobs."""
    import time
    from datetime import timedelta

    from agent_memory.service.doing_jobs import DoingJobs, Pace

    pace = Pace(settings.job_attempts, timedelta(seconds=settings.job_s))
    return DoingJobs(job_store(), _works(), pace, now, time.sleep, crash)


@cache
def _works() -> "Mapping[Kind, JobWork]":
    from agent_memory.service.session_end import SessionEndWork

    ends = SessionEndWork(job_store(), _memories(), _drafting(), facts(), _states(), _summarizer(), now)
    return {"session_end": ends, "embed": embed_jobs()}


def _summarizer() -> "Summarizer | None":
    if settings.summarizer_model is None:
        return None
    from agent_memory.adapters.bedrock import make_client
    from agent_memory.adapters.bedrock_converse import ConverseModel
    from agent_memory.service.summarizing import TranscriptSummarizer

    client, tokens = make_client(settings.region), settings.summarizer_output_tokens
    return TranscriptSummarizer(ConverseModel(client, settings.summarizer_model, tokens), settings.summarizer_timeout_s)


@cache
def _context_store() -> "ContextStore":
    from agent_memory.adapters.sql_context import SqlContextStore

    return SqlContextStore(database())


@cache
def _context_embeddings() -> "Embedders":
    """Half of a context's time is the model's, and what is not used of it the database's."""
    half = settings.context_deadline_s / 2
    return _embeddings(_plan(half), half)


@cache
def context() -> "Context":
    """Context, of all layers."""
    from agent_memory.adapters.dynamodb_state import DynamoStateStore
    from agent_memory.service.context import Context

    states = DynamoStateStore(_dynamodb_beside(), settings.memory_table, idempotency(), tally())
    return Context(
        states,
        large_values(),
        _context_embeddings(),
        _context_store(),
        settings.search_language,
        now,
        settings.context_deadline_s,
    )


@cache
def unified() -> "Unified":
    """All layers at once."""
    from agent_memory.service.unified import Unified

    return Unified(working(), timeline(), _memories(), semantic(), _registry(), large_values(), now)


@cache
def purge() -> "Purge":
    """Removal of an agent from every store; embeds nothing."""
    from agent_memory.adapters.dynamodb_job_purge import DynamoAgentJobs
    from agent_memory.adapters.dynamodb_purge import DynamoAgentArchive, DynamoAgentRecords
    from agent_memory.adapters.dynamodb_run_purge import DynamoAgentRuns
    from agent_memory.adapters.s3_archive import S3Archive, make_client
    from agent_memory.service.purge import Purge

    table = settings.memory_table
    stores: list[AgentStore] = [
        DynamoAgentArchive(dynamodb(), table),  # before the objects: no reader follows a row into the void
        S3Archive(make_client(settings.region, _of_the_tenant()), settings.archive_bucket),
        DynamoAgentRuns(dynamodb(), table),
        DynamoAgentRecords(dynamodb(), table, _buckets()),
        _registry(),  # last: until everything else is gone, it says that the agent is there
    ]
    rows: dict[purged.Kind, AgentRows] = {"semantic": _memories(), "facts": _facts(), "procedures": _procedures()}
    jobs = DynamoAgentJobs(dynamodb(), settings.control_table, now)
    return Purge(rows, stores, idempotency(), tally(), now, [jobs])


@cache
def archive_index() -> "ArchiveIndex":
    """What stands in the cold tier, and what is on its way there."""
    from agent_memory.adapters.dynamodb_archive import DynamoArchiveIndex

    return DynamoArchiveIndex(dynamodb(), settings.memory_table)


@cache
def cold_objects() -> "ColdObjects":
    """Objects of the archive bucket."""
    from agent_memory.adapters.s3_archive import make_client
    from agent_memory.adapters.s3_objects import S3ColdObjects

    return S3ColdObjects(make_client(settings.region, _of_the_tenant()), settings.archive_bucket)


@cache
def archiving() -> "Archiving":
    """The way into the cold tier."""
    from agent_memory.adapters.dynamodb_hot import DynamoHotEpisodes
    from agent_memory.service.archiving import Archiving, Pace

    hot = DynamoHotEpisodes(dynamodb(), settings.memory_table)
    pace = Pace(settings.hot_window, settings.archive_within)
    return Archiving(archive_index(), cold_objects(), hot, _usage_store(), pace, now)


def deliveries(on_failure: "Callable[[Exception], None]") -> "Deliveries":
    """What the archiver does with records of the stream."""
    from agent_memory.adapters.dynamodb_stream import read_change
    from agent_memory.adapters.dynamodb_sweep import DynamoHotScan
    from agent_memory.service.deliveries import Deliveries
    from agent_memory.service.owned_bodies import OwnedBodies

    bodies = OwnedBodies(cold_objects(), DynamoHotScan(dynamodb(), settings.memory_table))
    return Deliveries(read_change, archiving(), bodies, _usage_store(), on_failure)


@cache
def sweeping() -> "Sweeping":
    """The daily look at all that is stored."""
    import time

    from agent_memory.adapters.dynamodb_hot import DynamoHotEpisodes
    from agent_memory.adapters.dynamodb_sweep import DynamoHotScan, DynamoSweepStore
    from agent_memory.adapters.s3_archive import make_client
    from agent_memory.adapters.s3_sweep import S3Bucket
    from agent_memory.service.compaction import Compaction
    from agent_memory.service.each_agent import EachAgent
    from agent_memory.service.expired_cold import ExpiredCold
    from agent_memory.service.failures import Failures
    from agent_memory.service.orphans import Orphans
    from agent_memory.service.overdue import Overdue
    from agent_memory.service.rewriting import Rewriting
    from agent_memory.service.sound_objects import SoundObjects
    from agent_memory.service.sweeping import Sweeping

    index, objects, within = archive_index(), cold_objects(), settings.archive_within
    scan = DynamoHotScan(dynamodb(), settings.memory_table)
    hot = DynamoHotEpisodes(dynamodb(), settings.memory_table)
    bucket = S3Bucket(make_client(settings.region, _of_the_tenant()), settings.archive_bucket)
    failures = Failures(lambda error: logs.crash("sweep", error))
    rewriting = Rewriting(index, objects, _usage_store())
    sound = SoundObjects(objects, _tell_of_object)
    expired = ExpiredCold(index, sound, rewriting, now, lambda tenant_id: tenant_limits().of(tenant_id).retention)
    compaction = Compaction(index, sound, rewriting, now, within)

    def settle() -> None:
        time.sleep(_LONGEST_REQUEST_S)

    return Sweeping(
        DynamoSweepStore(dynamodb(), settings.control_table),
        {
            "overdue": Overdue(scan, hot, index, archiving().flush, failures, now, within),
            "expired": EachAgent(bucket, expired, rewriting, failures, settle),
            "small": EachAgent(bucket, compaction, rewriting, failures, settle),
            "orphans": Orphans(bucket, index, scan, _usage_store(), failures, now),
        },
        now,
    )


def _tell_of_object(message: str, row: "ArchivedObject") -> None:
    name = row.key.rpartition("/")[2]
    logs.line(level="ERROR", reason=message, tenant_id=row.tenant_id, agent_id=row.agent_id, name=name)


@cache
def redrive() -> "Redrive":
    """Records that the archiver failed to take."""
    from agent_memory.adapters.s3_archive import make_client
    from agent_memory.adapters.s3_failed_records import S3FailedRecords
    from agent_memory.service.redrive import Redrive

    kept = S3FailedRecords(make_client(settings.region), settings.failed_records_bucket)
    return Redrive(kept, _function(settings.archiver_function))


def redrive_jobs() -> "RedriveJobs":
    """Jobs that were given up or forgotten."""
    from agent_memory.adapters.dynamodb_outbox import DynamoOutbox
    from agent_memory.adapters.sqs import SqsJobQueue, make_client
    from agent_memory.service.redrive_jobs import RedriveJobs

    dead = SqsJobQueue(make_client(settings.region), settings.dead_jobs_url)
    outbox = DynamoOutbox(dynamodb(), settings.memory_table)
    return RedriveJobs(job_store(), dead, job_queue(), outbox, now)


def sweeper_function() -> "LambdaFunction":
    """The sweeper, as an operator runs it."""
    return _function(settings.sweeper_function)


def _function(name: str) -> "LambdaFunction":
    from agent_memory.adapters.lambda_function import LambdaFunction, make_client

    return LambdaFunction(make_client(settings.region), name)


@cache
def readiness() -> "Readiness":
    """Whether each store answers. The two tables are asked at the same time, so each has a client of its own."""
    import boto3
    from botocore.config import Config

    from agent_memory.adapters.dynamodb import get, make_client
    from agent_memory.service.readiness import Readiness

    nothing = {"pk": {"S": "readiness"}, "sk": {"S": "readiness"}}
    memory, control = make_client(settings.region), make_client(settings.region)
    limits = Config(connect_timeout=2, read_timeout=_PROBE_TIMEOUT_S, retries={"total_max_attempts": 1})
    s3 = boto3.client("s3", region_name=settings.region, config=limits)
    return Readiness(
        {
            "memory_table": lambda: get(memory, settings.memory_table, nothing),
            "control_table": lambda: get(control, settings.control_table, nothing),
            "archive_bucket": lambda: s3.head_bucket(Bucket=settings.archive_bucket) and None,
            "database": lambda: database().call("readiness", {})[0],
        },
        _PROBE_TIMEOUT_S,
    )


def schema(time_left_s: float) -> "tuple[Migrate, EnableLogin]":
    """What the schema function does, within the time that it has left."""
    import time
    from pathlib import Path

    import boto3

    from agent_memory.adapters.login_secret import SecretsManagerLogin
    from agent_memory.adapters.schema_database import DataApiSchema
    from agent_memory.adapters.sql_scripts import migrations, repeatables
    from agent_memory.service.enable_login import EnableLogin
    from agent_memory.service.migrate import Migrate, Patience

    sql = Path(__file__).parent / "sql"
    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    master = DataApiSchema(_data_api(settings.database_master_secret_arn))
    app = _data_api(settings.database_app_secret_arn)
    secrets = boto3.client("secretsmanager", region_name=settings.region)
    secret = SecretsManagerLogin(secrets, settings.database_app_secret_arn)
    return (
        Migrate(master, migrations(sql), repeatables(sql), patience),
        EnableLogin(master, secret, app.accepts_login, patience),
    )


def maintain(time_left_s: float) -> "Maintain":
    """The daily work on the database."""
    import time

    from agent_memory.adapters.schema_database import DataApiSchema
    from agent_memory.service.maintain import Maintain
    from agent_memory.service.migrate import Patience

    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    return Maintain(DataApiSchema(_data_api(settings.database_master_secret_arn)), patience)


def switch_layout(time_left_s: float) -> "SwitchLayout":
    """What brings the layout of the vectors into force."""
    import time

    from agent_memory.adapters.schema_vector_indexes import DataApiVectorIndexes
    from agent_memory.service.migrate import Patience
    from agent_memory.service.switch_layout import SwitchLayout

    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    return SwitchLayout(DataApiVectorIndexes(_data_api(settings.database_master_secret_arn)), patience)


def lint(time_left_s: float) -> "Lint":
    """What looks whether the schema is as it should be."""
    import time

    from agent_memory.adapters.schema_database import DataApiSchema
    from agent_memory.adapters.sql_scripts import rules
    from agent_memory.service.lint import Lint
    from agent_memory.service.migrate import Patience

    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    master = DataApiSchema(_data_api(settings.database_master_secret_arn))
    return Lint(master, rules(Path(__file__).parent / "sql"), patience)
