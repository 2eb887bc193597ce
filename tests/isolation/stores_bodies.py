"""Large values in S3: each under a key of its tenant, of its record, and of nobody else."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import boto3
import httpx

from tests.isolation.arena import Leak, Tenant
from tests.isolation.planting import Planted, mark
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Ground, store_attack
from tests.isolation.wire import Ask

REGION = "us-east-1"
_LARGE = 1_100_000


def _keep(tenant: Tenant, ids: Mapping[str, str], word: str) -> Ask:
    """A large state of the tenant's; how to read it."""
    data = {"note": (word + " ") * (_LARGE // len(word))}
    made = tenant.send(
        Ask("POST", "/v1/state", body={"agent_id": ids["agent_id"], "session_id": "large", "data": data})
    )
    if made.status != 201:
        raise Unfilled(f"no large value could be planted: {made.status} {made.text[:300]}")
    return Ask("GET", f"/v1/state/{ids['agent_id']}", (("session_id", "large"),))


def _reads(tenant: Tenant, ask: Ask, word: str) -> bool:
    answer: Any = tenant.send(ask).data
    link = (answer or {}).get("body_url")
    return link is not None and word in httpx.get(link, timeout=60, trust_env=False).text


@store_attack("s3 bodies", "keys without their tenant", "aws_endpoint")
def keys_begin_with_the_tenant(ground: Ground) -> None:
    victim: Planted = ground.arena.fresh()
    agent = victim.ids["agent_id"]
    _keep(ground.arena.victim, victim.ids, mark("large"))
    with closing(boto3.client("s3", endpoint_url=ground.stores.aws_endpoint, region_name=REGION)) as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=ground.stores.bucket)
        keys = [each["Key"] for page in pages for each in page.get("Contents", []) if agent in each["Key"]]
    if not keys:
        raise Unfilled("no object names the victim's agent")
    for key in keys:
        if not key.startswith(f"{ground.victim}/{agent}/bodies/"):
            raise Leak(f"{key} does not begin with its tenant")


@store_attack("s3 bodies", "the same ids in both tenants, written over and purged by the attacker", "aws_endpoint")
def one_beside_the_other(ground: Ground) -> None:
    """Where two records shared a body, what one tenant writes or removes would be the other's."""
    victim = ground.arena.fresh().ids
    word, other = mark("large"), mark("other")
    theirs = _keep(ground.arena.victim, victim, word)
    if not _reads(ground.arena.victim, theirs, word):
        raise Unfilled("the victim cannot read its own large value, so keeping it proves nothing")
    for said in (word, other):
        mine = _keep(ground.arena.attacker, victim, said)
        if not _reads(ground.arena.victim, theirs, word):
            raise Leak("the attacker wrote over another tenant's large value")
    if _reads(ground.arena.attacker, mine, word):
        raise Leak("the attacker reads another tenant's large value")
    ground.arena.attacker.send(Ask("DELETE", f"/v1/memory/{victim['agent_id']}"))
    if not _reads(ground.arena.victim, theirs, word):
        raise Leak("the attacker's purge removed another tenant's large value")
