"""What has to hold after a run, whatever happened in it: seen through the API, and behind it."""

import gzip
import json
import zlib
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.event_source.expiry import scan
from tests.faults import stores
from tests.faults.clients import AGENTS, SESSIONS
from tests.faults.journal import Agent, Place
from tests.faults.walks import Episodes, Violation, compare, contents, linked, walk
from tests.faults.world import ARCHIVE_WITHIN_S, POISONED, World

Item = dict[str, dict[str, Any]]
_DAYS = 4  # what waits is archived on the first, removed on the second, and what nobody points to is gone by the third
_SWEPT_WITHIN = timedelta(days=2)  # once it is a day old, by the sweep of the next day


def settle(world: World) -> None:
    """Nothing goes wrong any more: the stream is delivered, sweeps run each hour, and days pass."""
    world.faults.is_on, world.is_stream_on = False, True
    for agent, purges in list(world.journal.purges.items()):
        if purges[-1].ended is None and not world.clients.purge(agent):
            raise Violation("without any fault an agent cannot be purged")
    world.driver.drain()
    _objects(world)
    for _ in range(_DAYS * 24):
        world.driver.drain()
        world.redrive()
        world.sweep()
        world.expiry.sweep()
        world.clock.turn(timedelta(hours=1))
    world.driver.drain()
    if world.given_up:
        raise Violation("without any fault the archiver does not take what it could not take before")


def check(world: World) -> None:
    """Look at everything; raise Violation for the first that does not hold."""
    for agent in AGENTS:
        _timeline(world, agent)
        for session in SESSIONS:
            _state(world, Place(agent, session))
    _behind(world)


def _timeline(world: World, agent: Agent) -> None:
    since, before = world.clock(), world.journal.step()
    newest = _all(world, agent, "newest", 100)
    oldest = _all(world, agent, "oldest", 500)
    if _unsigned(newest) != _unsigned(oldest[::-1]):
        raise Violation(f"{agent} reads differently from its two ends")
    compare(world.journal, agent, newest, before, since, world.clock())
    contents(world.journal, agent, newest)
    for session in SESSIONS:
        told = _all(world, agent, "newest", 100, session)
        if _unsigned(told) != _unsigned([each for each in newest if each["session_id"] == session]):
            raise Violation(f"{session} of {agent} is not what its agent's timeline says of it")


def _all(world: World, agent: Agent, order: Any, limit: int, session: str | None = None) -> Episodes:
    found = walk(world.clients, agent, order, limit, lambda: None, session)
    if found is None:
        raise Violation("without any fault a walk finds no end")
    return found


def _unsigned(found: Episodes) -> Episodes:
    """Without what is signed anew for each page."""
    return [{**each, "body_url": str(each.get("body_url")).partition("?")[0]} for each in found]


def _state(world: World, place: Place) -> None:
    path = f"/v1/state/{place.agent.in_path}?session_id={place.session_id}"
    reply = world.clients.edge(place.agent).call("GET", path)
    if reply.status not in {200, 404}:
        raise Violation(f"{place} answers {reply.status}")
    found = None if reply.status == 404 else reply.data["data"]
    if found is None and reply.status == 200:
        found = linked(reply.data)
    if found not in world.journal.may_stand(place, world.clock()):
        raise Violation(f"{place} holds what no client may find there")


def _behind(world: World) -> None:
    items = list(scan(world.stores.dynamodb(), {"TableName": world.stores.aws.memory_table}))
    episodes = [item for item in items if item["sk"]["S"].startswith("EPISODE#") and POISONED not in item["pk"]["S"]]
    limit = (world.clock() - timedelta(seconds=ARCHIVE_WITHIN_S, days=1)).timestamp() * 1_000_000
    forgotten = [item for item in episodes if "evict_at" not in item and int(item["created_at"]["N"]) < limit]
    if forgotten:
        raise Violation(f"{len(forgotten)} episodes were never archived")
    lines = _objects(world)
    bodies = {item["body_key"]["S"] for item in items if "body_key" in item}
    bodies |= {line["body"]["key"] for each in lines.values() for line in each if line.get("body")}
    _bucket(world, set(lines), bodies)


def _objects(world: World) -> dict[str, list[dict[str, Any]]]:
    """The lines of every object of the index."""
    request = {
        "TableName": world.stores.aws.memory_table,
        "FilterExpression": "begins_with(sk, :object)",
        "ExpressionAttributeValues": {":object": {"S": "OBJECT#"}},
    }
    rows = [item["object_key"]["S"] for item in scan(world.stores.dynamodb(), request)]
    lines = {key: _lines(world, key) for key in rows}
    _same_records_once(lines)
    return lines


def _lines(world: World, key: str) -> list[dict[str, Any]]:
    s3 = world.stores.s3
    try:
        raw = s3.get_object(Bucket=world.stores.aws.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(raw).decode().split("\n")[:-1]]
    except (s3.exceptions.NoSuchKey, OSError, EOFError, ValueError, zlib.error) as exc:
        raise Violation(f"the index leads to {key}, which cannot be read: {type(exc).__name__}") from None


def _same_records_once(lines: dict[str, list[dict[str, Any]]]) -> None:
    """Objects may overlap after a kill, but none is there twice under two names."""
    held = Counter(tuple(sorted(line["id"] for line in each)) for each in lines.values())
    if any(times > 1 for times in held.values()):
        raise Violation("two objects of the archive hold the same records")
    for key, each in lines.items():
        places = [(line["timestamp"], line["id"]) for line in each]
        if any(first >= second for first, second in pairwise(places)):
            raise Violation(f"{key} is out of order, or tells an episode twice")


def _bucket(world: World, objects: set[str], bodies: set[str]) -> None:
    there = {each["Key"] for each in stores.versions(world.stores.s3, world.stores.aws.bucket)}
    there = {key for key in there if not key.startswith("!uploads/")}  # a rule of the bucket removes those
    if lost := sorted((objects | bodies) - there):
        raise Violation(f"nothing is at {lost[:3]}, which records point to")
    young = {key for key, at in world.written.items() if world.clock() - at < _SWEPT_WITHIN}
    if orphans := sorted(there - objects - bodies - young):
        raise Violation(f"nobody points to {orphans[:3]} any more, of {len(orphans)}")
