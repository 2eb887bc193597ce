"""A deployment in this process: the real authorizer and handlers over PostgreSQL and moto's DynamoDB, S3 and SSM.

Nothing of ours is replaced but two wires: PostgreSQL is reached without TLS, and texts are embedded without Bedrock.
It exists so that guards can be taken away one by one (`test_mutations.py`); a real deployment is attacked over HTTP.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

from psycopg.conninfo import make_conninfo

from agent_memory.adapters import ssm
from agent_memory.adapters.postgres import Postgres
from agent_memory.bootstrap.tenants import api_keys
from agent_memory.domain.api_key import SCOPES
from agent_memory.entrypoints import authorizer
from tests.edge import Edge
from tests.fakes.embedding import WordEmbedder
from tests.fix_aws import Aws, make_bucket, make_tables
from tests.fix_edge import forget_clients
from tests.fix_postgres import Aurora
from tests.isolation.stores import Stores
from tests.isolation.stores_pool import close
from tests.isolation.wire import Answer, Ask, patiently

_PEPPER = "/attack/pepper"


class EdgeDoor:
    """The functions themselves, behind the gateway's own manners: 401 without a key, else the authorizer first."""

    def __init__(self) -> None:
        self._edge = Edge()

    def send(self, authorization: str | None, ask: Ask) -> Answer:
        """See `Door.send`; comes back later when the deployment asks for it."""
        return patiently(lambda: self._once(authorization, ask))

    def _once(self, authorization: str | None, ask: Ask) -> Answer:
        if authorization is None and ask.path != "/v1/health":
            return Answer(401, {}, '{"message":"Unauthorized"}')
        began = time.perf_counter()
        path, _, query = ask.target.partition("?")
        event = self._edge.event(ask.method, f"{path}?{query}", ask.body)
        event["headers"] |= {name.lower(): value for name, value in ask.headers.items()}
        if event["requestContext"].get("authorizer") is not None:
            asked = {"headers": event["headers"] | {"authorization": authorization}}
            event["requestContext"]["authorizer"] = {"lambda": authorizer.handler(asked, None)["context"]}
        answer = self._edge.invoke(event)
        took = time.perf_counter() - began
        return Answer(answer["statusCode"], answer["headers"], answer.get("body") or "", took)


@dataclass
class Deployment:
    """What is deployed: two tenants with keys, and the way to every store."""

    door: EdgeDoor
    stores: Stores
    tenants: tuple[str, str]
    keys: tuple[str, str]


@contextlib.contextmanager
def deployed(moto: str, aurora: Aurora, database: str = "memory") -> Iterator[Deployment]:
    """Deploy over a migrated database; all of it is taken away at the end."""
    aws = Aws(moto, memory_table="attack-memory", control_table="attack-control", bucket="attack-archive")
    dsn = make_conninfo(aurora.app_dsn(), dbname=database)
    settings = {
        "AWS_ENDPOINT_URL": moto,
        "MEMORY_TABLE": aws.memory_table,
        "CONTROL_TABLE": aws.control_table,
        "ARCHIVE_BUCKET": aws.bucket,
        "EMBEDDING_CHUNK_TOKENS": "200",
        "CONTEXT_DEADLINE_S": "20",
        "PEPPER_PARAMETER": _PEPPER,
    }
    postgres, embedder = Postgres(lambda: dsn), WordEmbedder()
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.dict("os.environ", settings))
        stack.enter_context(make_tables(aws))
        stack.enter_context(make_bucket(aws))
        stack.enter_context(patch("agent_memory.bootstrap.database.database", lambda: postgres))
        for models in ("embeddings", "context_embeddings"):
            stack.enter_context(patch(f"agent_memory.bootstrap.models.{models}", lambda: embedder))
        forget_clients()
        stack.callback(forget_clients)
        _set_pepper(aws)
        tenants = f"attacker-{secrets.token_hex(4)}", f"victim-{secrets.token_hex(4)}"
        keys = tuple(api_keys().create(tenant, SCOPES, "attack", None)[0] for tenant in tenants)
        master = make_conninfo(aurora.superuser_dsn, dbname=database, user="root1", password="correct horse")
        stores = Stores(dsn, master, aws.endpoint, aws.memory_table, aws.control_table, aws.bucket)
        yield Deployment(EdgeDoor(), stores, tenants, (keys[0], keys[1]))
        close(postgres)


def _set_pepper(aws: Aws) -> None:
    client = aws.client(ssm.make_client)
    pepper = {"Name": _PEPPER, "Value": secrets.token_hex(32), "Type": "SecureString", "Overwrite": True}
    client.call("PutParameter", pepper)
    client._close()
