"""The stores on AWS, through the application's own adapters: the attacker's context with the victim's ids.

Every adapter is asked for what the victim has, and to change it. What holds here is that no key is made without the
tenant; that a tenant-bound session could not do it either is for IAM to say (docs/security.md).
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3

from agent_memory.adapters import dynamodb, s3_archive
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_control import DynamoBucketStore, DynamoSubjectStore
from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_purge import DynamoAgentRecords
from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry
from agent_memory.adapters.dynamodb_state import DynamoStateStore
from agent_memory.adapters.dynamodb_usage import DynamoUsageStore
from agent_memory.domain.idempotency import begin
from agent_memory.domain.state import StateChange, StateKey, VersionMismatch
from agent_memory.domain.timeline import Span
from agent_memory.domain.usage import Tally
from agent_memory.service.paging import PageBudget
from tests.isolation.arena import Leak
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Ground, store_attack

REGION = "us-east-1"
_KEYS = ("pk", "session_key", "user_key", "run_key", "tenant_key")


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def reach(ground: Ground) -> Iterator[AwsJsonClient]:
    """A client of the stores of the deployment under attack."""
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": str(ground.stores.aws_endpoint)}):
        client = dynamodb.make_client(REGION)
    try:
        yield client
    finally:
        client._close()


def _items(ground: Ground, table: str) -> list[dict[str, Any]]:
    """All items of a table, as an operator sees them."""
    with closing(boto3.client("dynamodb", endpoint_url=ground.stores.aws_endpoint, region_name=REGION)) as client:
        pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [dict(item) for page in pages for item in page["Items"]]


@store_attack("dynamodb", "keys and index keys without their tenant", "aws_endpoint")
def keys_begin_with_the_tenant(ground: Ground) -> None:
    victim = ground.arena.fresh()
    agent, found = victim.ids["agent_id"], 0
    for table in (ground.stores.memory_table, ground.stores.control_table):
        for item in _items(ground, table):
            if agent not in str(item):
                continue
            found += 1
            for name in _KEYS:
                if name in item and not item[name]["S"].startswith(f"{ground.victim}#"):
                    raise Leak(f"{table}: {name} {item[name]['S']} does not begin with its tenant")
    if not found:
        raise Unfilled("no item names the victim's agent")


@store_attack("dynamodb state", "the victim's keys in the attacker's context", "aws_endpoint")
def state(ground: Ground) -> None:
    victim, now = ground.arena.fresh(), _now()
    before = ground.arena.look(victim)
    key = StateKey(ground.attacker, victim.ids["agent_id"], victim.ids["session_id"])
    with reach(ground) as client:
        store = DynamoStateStore(
            client, ground.stores.memory_table, DynamoIdempotencyStore(client, ground.stores.control_table), Tally()
        )
        seen = store.get(key, now)
        listed = list(store.sessions(ground.attacker, victim.ids["agent_id"], None, now, PageBudget()))
        deleted = store.delete(key, now, None)
        try:
            store.update(StateChange(key=key, data={}, version=1, updated_at=now, expires_at=None, annotations={}))
            changed = True
        except VersionMismatch as exc:
            changed = exc.current is not None
    if seen or listed or deleted or changed:
        raise Leak(f"state of another tenant: read {seen}, listed {listed}, deleted {deleted}, changed {changed}")
    ground.arena.unharmed(victim, before)


@store_attack("dynamodb episodes", "the victim's ids in the attacker's context", "aws_endpoint")
def episodes(ground: Ground) -> None:
    victim = ground.arena.fresh().ids
    with reach(ground) as client:
        table, control = ground.stores.memory_table, ground.stores.control_table
        store = DynamoEpisodeStore(
            client,
            table,
            DynamoBucketStore(client, control),
            DynamoIdempotencyStore(client, control),
            Tally(),
            timedelta(days=7),
        )
        for tenant, expected in ((ground.attacker, 0), (ground.victim, 2)):
            for narrowed in ("agent_id", "session_id", "user_id", "run_id"):
                by: dict[str, Any] = {narrowed: victim[narrowed]}
                span = replace(Span(tenant, victim["agent_id"], True, _now(), _now()), **by)
                found = [episode for _, episode in store.timeline(span, PageBudget()) if episode]
                if len(found) != expected:
                    raise (Leak if not expected else Unfilled)(f"{len(found)} episodes by {narrowed} as {tenant}")


@store_attack("dynamodb idempotency", "the victim's key in the attacker's context", "aws_endpoint")
def idempotency(ground: Ground) -> None:
    """The same route, the same key, the same request: another record."""
    now = _now()
    with reach(ground) as client:
        store = DynamoIdempotencyStore(client, ground.stores.control_table)
        key = f"attack-{ground.victims['agent_id']}-{now.isoformat()}"
        for tenant in (ground.victim, ground.attacker):  # the second would raise AlreadyAnswered
            try:
                store.put(begin(tenant, "POST /v1/state", key, b"{}", now).answered(201, '{"mine": 1}'), now)
            except Exception as exc:
                raise Leak(f"an idempotency key of one tenant is another's: {type(exc).__name__}") from exc


@store_attack("dynamodb subjects", "the victim's session in the attacker's context", "aws_endpoint")
def subjects(ground: Ground) -> None:
    victim = ground.arena.fresh().ids
    with reach(ground) as client:
        store = DynamoSubjectStore(client, ground.stores.memory_table)
        known = store.bound(ground.attacker, victim["agent_id"], victim["session_id"])
        bound = store.bind(ground.attacker, victim["agent_id"], victim["session_id"], "attack-user")
        DynamoAgentRecords(client, ground.stores.memory_table, DynamoBucketStore(client, ground.stores.control_table))
        ground.arena.attacker.agents.add(victim["agent_id"])
    if known is not None or bound != "attack-user":
        raise Leak(f"told whose session it is: {known or bound}")


@store_attack("dynamodb registry and usage", "lists and counters", "aws_endpoint")
def registry(ground: Ground) -> None:
    with reach(ground) as client:
        store, usage = (
            DynamoAgentRegistry(client, ground.stores.control_table),
            DynamoUsageStore(client, ground.stores.control_table),
        )
        victim = ground.arena.fresh().ids
        listed = store.agents(ground.attacker, 500)
        if victim["agent_id"] in listed:
            raise Leak("the agents of another tenant are listed")
        if victim["agent_id"] not in store.agents(ground.victim, 1000):
            raise Unfilled("the victim's own agent is not listed")
        # Under load what the attacker itself did waits for whose request comes next: that comes to an end.
        for _ in range(6):
            counted = usage.get(ground.attacker)
            ground.arena.fresh()
            if usage.get(ground.attacker) == counted:
                return
        raise Leak("another tenant's work moves the attacker's counters")


@store_attack("dynamodb purge", "the victim's agent in the attacker's context", "aws_endpoint")
def purge(ground: Ground) -> None:
    victim = ground.arena.fresh()
    before = ground.arena.look(victim)
    with reach(ground) as client:
        table, control = ground.stores.memory_table, ground.stores.control_table
        for store in (
            DynamoAgentRecords(client, table, DynamoBucketStore(client, control)),
            DynamoAgentRegistry(client, control),
        ):
            removed = list(store.purge(ground.attacker, victim.ids["agent_id"]))
            if removed:
                raise Leak(f"{type(store).__name__} removed {removed}")
    ground.arena.unharmed(victim, before)


@store_attack("s3 archive", "the victim's agent, purged by the attacker", "aws_endpoint")
def archive(ground: Ground) -> None:
    """An object of the victim's outlives what the attacker does to an agent of the same name, or of a path-like one."""
    agent = ground.arena.fresh().ids["agent_id"]
    with closing(boto3.client("s3", endpoint_url=ground.stores.aws_endpoint, region_name=REGION)) as client:
        object_ = {"Bucket": ground.stores.bucket, "Key": s3_archive.agent_prefix(ground.victim, agent) + "attack"}
        client.put_object(**object_, Body=b"planted")
        store = s3_archive.S3Archive(client, ground.stores.bucket)
        for name in (agent, f"../{ground.victim}/{agent}", f"{ground.victim}/{agent}", "..", "", "/"):
            list(store.purge(ground.attacker, name)) if name else None
        there = client.list_objects_v2(Bucket=ground.stores.bucket, Prefix=object_["Key"])["KeyCount"]
        list(store.purge(ground.victim, agent))
        left = client.list_objects_v2(Bucket=ground.stores.bucket, Prefix=object_["Key"])["KeyCount"]
    if not there:
        raise Leak("the attacker's purge removed another tenant's object")
    if left:
        raise Unfilled("the victim's own purge removes nothing, so another's proves nothing")
