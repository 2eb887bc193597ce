"""The composition root: the only place that builds clients and stores, each once and when first asked for.

Imports stand inside the functions on purpose: a function loads what it serves and no more, which is most of its
cold start (docs/adr/0002-signed-requests-on-the-hot-path.md).
"""
# ruff: noqa: PLC0415

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from agent_memory.config import Settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.adapters.aws_json import AwsJsonClient
    from agent_memory.adapters.data_api import DataApi
    from agent_memory.adapters.dynamodb_control import DynamoBucketStore
    from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
    from agent_memory.domain.database import Database
    from agent_memory.service.buckets import AgentBuckets
    from agent_memory.service.enable_login import EnableLogin
    from agent_memory.service.episode_batch import EpisodeBatches
    from agent_memory.service.episodic import EpisodicMemory
    from agent_memory.service.keys import ApiKeys
    from agent_memory.service.migrate import Migrate
    from agent_memory.service.readiness import Readiness
    from agent_memory.service.subjects import Subjects
    from agent_memory.service.working import WorkingMemory

settings = Settings()

_PROBE_TIMEOUT_S = 3.0
_STATEMENT_TIMEOUT_S = 60.0  # the Data API ends a statement after 45 s


@cache
def dynamodb() -> "AwsJsonClient":
    """The signed DynamoDB client."""
    from agent_memory.adapters.dynamodb import make_client

    return make_client(settings.region)


def data_calls() -> int:
    """Calls to DynamoDB so far, for the log line of a request."""
    return dynamodb().calls


@cache
def api_keys() -> "ApiKeys":
    """API keys and who stands behind them."""
    from agent_memory.adapters import ssm
    from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
    from agent_memory.service.keys import ApiKeys

    pepper = ssm.SsmPepper(ssm.make_client(settings.region), settings.pepper_parameter)
    return ApiKeys(DynamoApiKeyStore(dynamodb(), settings.control_table), pepper, now)


@cache
def idempotency() -> "DynamoIdempotencyStore":
    """First answers."""
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore

    return DynamoIdempotencyStore(dynamodb(), settings.control_table)


@cache
def subjects() -> "Subjects":
    """Whose session it is."""
    from agent_memory.adapters.dynamodb_control import DynamoSubjectStore
    from agent_memory.service.subjects import Subjects

    return Subjects(DynamoSubjectStore(dynamodb(), settings.memory_table))


@cache
def working() -> "WorkingMemory":
    """Working memory."""
    from agent_memory.adapters.dynamodb_state import DynamoStateStore
    from agent_memory.service.working import WorkingMemory

    return WorkingMemory(DynamoStateStore(dynamodb(), settings.memory_table, idempotency()), subjects(), now)


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

    return DynamoEpisodeStore(dynamodb(), settings.memory_table, _buckets(), idempotency())


@cache
def episodic() -> "EpisodicMemory":
    """Episodic memory."""
    from agent_memory.service.episodic import EpisodicMemory

    return EpisodicMemory(_episodes(), subjects(), now)


@cache
def episode_batches() -> "EpisodeBatches":
    """Batches of episodes."""
    from agent_memory.service.episode_batch import EpisodeBatches

    return EpisodeBatches(_episodes(), idempotency(), subjects(), now)


def _data_api(secret_arn: str, read_timeout_s: float) -> "DataApi":
    """Sends each statement once: one that is sent again inside a transaction would meet its own effect."""
    import boto3
    from botocore.config import Config

    from agent_memory.adapters.data_api import DataApi

    limits = Config(connect_timeout=2, read_timeout=read_timeout_s, retries={"total_max_attempts": 1})
    client = boto3.client("rds-data", region_name=settings.region, config=limits)
    return DataApi(client, settings.database_cluster_arn, secret_arn, settings.database_name)


@cache
def database() -> "Database":
    """PostgreSQL as the application's role, by the deployment's connection mode."""
    if settings.database_connection == "data_api":
        return _data_api(settings.database_app_secret_arn, _PROBE_TIMEOUT_S)

    import boto3
    from botocore.httpsession import get_cert_path

    from agent_memory.adapters.postgres import Postgres, TokenLogin

    host, port = settings.database_endpoint
    user = settings.database_user
    rds = boto3.client("rds", region_name=settings.region)
    # A cluster shows a certificate of RDS's own authorities; a proxy one of Amazon's public authorities.
    own = str(Path(__file__).parent / "rds-ca.pem")
    public = str(get_cert_path(True))  # noqa: FBT003 (botocore's own signature)
    ca_path = settings.database_ca_path or (own if settings.database_connection == "direct" else public)
    return Postgres(
        TokenLogin(
            lambda: rds.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user),
            host,
            port,
            user,
            settings.database_name,
            ca_path,
        )
    )


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
    master = DataApiSchema(_data_api(settings.database_master_secret_arn, _STATEMENT_TIMEOUT_S))
    app = _data_api(settings.database_app_secret_arn, _STATEMENT_TIMEOUT_S)
    secrets = boto3.client("secretsmanager", region_name=settings.region)
    secret = SecretsManagerLogin(secrets, settings.database_app_secret_arn)
    return (
        Migrate(master, migrations(sql), repeatables(sql), patience),
        EnableLogin(master, secret, app.accepts_login, patience),
    )
