"""The keys that the stores send: each kind of record is written by its own store to a service that only listens.

A store with a new kind of record gets a line in `KINDS`.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
from agent_memory.adapters.dynamodb_control import DynamoBucketStore, DynamoSubjectStore
from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
from agent_memory.adapters.dynamodb_flags import DynamoFlagStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_limits import DynamoLimitStore
from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry
from agent_memory.adapters.dynamodb_runs import DynamoRunStore
from agent_memory.adapters.dynamodb_state import DynamoStateStore
from agent_memory.adapters.dynamodb_tool_calls import DynamoToolLedger
from agent_memory.adapters.dynamodb_usage import DynamoUsageStore
from agent_memory.domain.api_key import ApiKey
from agent_memory.domain.buckets import Buckets, Growth
from agent_memory.domain.episode import Episode
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.runs import RunKey, Step
from agent_memory.domain.state import State, StateKey
from agent_memory.domain.tool_calls import CallKey, NewClaim, claimed
from agent_memory.domain.usage import Tally
from tests.fakes.control import InMemoryBucketStore
from tests.fakes.episodes import HOT_WINDOW

NOW = datetime(2026, 5, 1, tzinfo=UTC)
Item = dict[str, str]
Key = tuple[str, ...]  # table or index, partition key, sort key


class Listener:
    """DynamoDB as far as a writer can tell: it takes everything, and keeps what has a key."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation in {"BatchGetItem", "Query"}:
            return {}
        batches = request.get("RequestItems", {})
        puts = [{"TableName": table, **each["PutRequest"]} for table, batch in batches.items() for each in batch]
        puts += [write for each in request.get("TransactItems", []) for write in each.values()]
        for write in puts or [request]:
            values = {name[1:]: value for name, value in write.get("ExpressionAttributeValues", {}).items()}
            item = {**values, **write.get("Key", {}), **write.get("Item", {})}
            self.items.append({"table": write["TableName"], **{name: item[name].get("S", "") for name in item}})
        return {}

    aside = AwsJsonClient.aside
    hurry = AwsJsonClient.hurry
    _aside = _hurried = False


def written(write: Callable[[AwsJsonClient], object], begins: str = "") -> Item:
    """The item that was written, of several the one whose sort key begins so (a pattern)."""
    listener = Listener()
    write(cast("AwsJsonClient", listener))
    (item,) = (item for item in listener.items if re.match(begins, item["sk"]))
    return item


def table_key(item: Item) -> Key:
    return item["table"], item["pk"], item["sk"]


def episodes(client: AwsJsonClient) -> DynamoEpisodeStore:
    idempotency = DynamoIdempotencyStore(client, "control")
    return DynamoEpisodeStore(client, "memory", InMemoryBucketStore(), idempotency, Tally(), HOT_WINDOW)


def state(tenant: str, agent: str, session: str) -> Key:
    new = State(StateKey(tenant, agent, session), {}, 1, NOW, NOW, None, {})
    return table_key(
        written(
            lambda client: DynamoStateStore(client, "memory", DynamoIdempotencyStore(client, "control"), Tally()).put(
                new, None
            )
        )
    )


def an_episode(tenant: str, agent: str, session: str = "s", run: str = "r", user: str = "u") -> Episode:
    return Episode(tenant, agent, session, "0" * 26, "message", "x", NOW, NOW, run, None, {"user_id": user})


def episode_item(tenant: str, agent: str, **ids: str) -> Item:
    return written(lambda client: episodes(client).append([an_episode(tenant, agent, **ids)], NOW), "EPISODE")


def marker(by: str) -> Callable[..., Key]:
    def key(tenant: str, agent: str, value: str) -> Key:
        episode = replace(an_episode(tenant, agent, **{by: value}), timestamp=NOW - timedelta(days=1))
        return table_key(written(lambda client: episodes(client).append([episode], NOW), f"LATE#{by}#"))

    return key


def subject_item(tenant: str, agent: str, session: str, user: str = "u") -> Item:
    return written(lambda client: DynamoSubjectStore(client, "memory").bind(tenant, agent, session, user))


def api_key_item(tenant: str, key_id: str) -> Item:
    return written(lambda client: DynamoApiKeyStore(client, "control").add(ApiKey(key_id, tenant, "", 1, (), "", NOW)))


def idempotency(tenant: str, scope: str) -> Key:
    record = IdempotencyRecord(tenant, scope, "", NOW, NOW)
    return table_key(written(lambda client: DynamoIdempotencyStore(client, "control").put(record, NOW)))


def buckets(tenant: str, agent: str) -> Key:
    grown = Buckets((Growth(2, NOW),))
    return table_key(written(lambda client: DynamoBucketStore(client, "control").grow(tenant, agent, Buckets(), grown)))


def mark(tenant: str, agent: str, session: str | None = None) -> Key:
    return table_key(written(lambda client: DynamoAgentRegistry(client, "control").mark(tenant, agent, session)))


def of_step(begins: str) -> Callable[..., Key]:
    def key(tenant: str, run: str, agent: str = "a", number: int = 1) -> Key:
        step = Step(RunKey(tenant, run), number, agent, None, {}, "done", NOW, None, {})
        idempotency = DynamoIdempotencyStore(cast("AwsJsonClient", Listener()), "control")
        return table_key(
            written(lambda client: DynamoRunStore(client, "memory", idempotency, Tally()).put(step, None), begins)
        )

    return key


def of_call(begins: str) -> Callable[..., Key]:
    def key(tenant: str, run: str, call: str = "c", agent: str = "a") -> Key:
        new = NewClaim.model_construct(agent_id=agent, tool="t", arguments_hash="h", lease_s=1)
        made = claimed(None, CallKey(tenant, run, call), new, NOW, "claim")
        idempotency = DynamoIdempotencyStore(cast("AwsJsonClient", Listener()), "control")
        return table_key(
            written(
                lambda client: DynamoToolLedger(client, "memory", idempotency, Tally()).put(made, None, None), begins
            )
        )

    return key


def flags(tenant: str) -> Key:
    return table_key(written(lambda client: DynamoFlagStore(client, "control").change(tenant, {"a": True}, ())))


def usage(tenant: str) -> Key:
    return table_key(written(lambda client: DynamoUsageStore(client, "control").add(tenant, {"a": 1})))


def limits(tenant: str) -> Key:
    return table_key(written(lambda client: DynamoLimitStore(client, "control").change(tenant, {"vectors": 1}, ())))


# Kind of record or index entry -> how many ids it has after the tenant, and the key that they make.
KINDS: dict[str, tuple[int, Callable[..., Key]]] = {
    "state": (2, state),
    "episodes": (1, lambda tenant, agent: table_key(episode_item(tenant, agent))),
    "late by session": (2, marker("session")),
    "late by run": (2, marker("run")),
    "late by user": (2, marker("user")),
    "subject": (2, lambda *ids: table_key(subject_item(*ids))),
    "by_session": (
        2,
        lambda tenant, agent, session: ("by_session", episode_item(tenant, agent, session=session)["session_key"]),
    ),
    "by_run": (1, lambda tenant, run: ("by_run", episode_item(tenant, "a", run=run)["run_key"])),
    "by_user": (1, lambda tenant, user: ("by_user", episode_item(tenant, "a", user=user)["user_key"])),
    "by_tenant": (0, lambda tenant: ("by_tenant", api_key_item(tenant, "k")["tenant_key"])),
    "buckets": (1, buckets),
    "agent": (1, mark),
    "session": (2, mark),
    "idempotency": (1, idempotency),
    "step": (1, of_step("STEP#")),
    "later step": (1, lambda tenant, run: of_step("STEP#")(tenant, run, number=10)),
    "run": (1, of_step("RUN$")),
    "tool call": (2, of_call("TOOL#")),
    "run of an agent": (2, lambda tenant, agent, run: of_step("RUN#")(tenant, run, agent)),
    "tools of an agent": (2, lambda tenant, agent, run: of_call("TOOLS#")(tenant, run, agent=agent)),
    "flags": (0, flags),
    "usage": (0, usage),
    "limits": (0, limits),
}
