"""Walks over an agent's whole timeline, page by page, and what they must and may find."""

import hashlib
import json
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from agent_memory.domain.times import parse_time
from tests.faults.clients import Bug, Clients
from tests.faults.journal import Agent, Journal, Write
from tests.faults.workers import WorkerDied

Order = Literal["newest", "oldest"]
ORDERS: tuple[Order, ...] = ("newest", "oldest")
Episodes = list[dict[str, Any]]
_TRIES = 8


class Violation(AssertionError):
    """An invariant does not hold."""


def walk(
    clients: Clients, agent: Agent, order: Order, limit: int, between: Callable[[], None], session: str | None = None
) -> Episodes | None:
    """All pages of an agent's timeline, or of one of its sessions; something may happen between two of them.

    None when the stores are in too much trouble for the walk to end.
    """
    found: Episodes = []
    query = f"/v1/memory/episodic/{agent.in_path}?order={order}&limit={limit}"
    query += f"&session_id={session}" if session else ""
    cursor: str | None = None
    while True:
        page = _page(clients, agent, query + (f"&cursor={quote(cursor, safe='')}" if cursor else ""))
        if page is None:
            return None
        found += page["episodes"]
        cursor = page["next_cursor"]
        if cursor is None:
            _in_order(found, order)
            return found
        between()


def _page(clients: Clients, agent: Agent, path: str) -> dict[str, Any] | None:
    for _ in range(_TRIES):
        try:
            reply = clients.edge(agent).call("GET", path)
        except WorkerDied:
            continue
        if reply.status == 200:
            page: dict[str, Any] = reply.data
            return page
        if reply.status != 503:
            raise Bug(f"GET {path}: {reply.status} {reply.text}")
    return None


def _in_order(found: Episodes, order: Order) -> None:
    places = [(parse_time(each["timestamp"]), each["id"]) for each in found]
    if places != sorted(set(places), reverse=order == "newest"):
        raise Violation(f"a walk from the {order} is out of order, or tells an episode twice")


def compare(journal: Journal, agent: Agent, found: Episodes, before: int, since: datetime, until: datetime) -> None:
    """Whether a walk found what it must, and nothing that it must not.

    It began at step `before`, and lasted from `since` to `until`.
    """
    by_marker: dict[str, Episodes] = {}
    for each in found:
        by_marker.setdefault(each["metadata"]["w"], []).append(each)
    writes = {write.marker: write for write in journal.of(agent)}
    if strangers := by_marker.keys() - writes.keys():
        raise Violation(f"nobody wrote {sorted(strangers)[:5]}")
    for marker, write in writes.items():
        there = by_marker.get(marker, [])
        if len(there) > write.made:
            raise Violation(f"{marker} is there {len(there)} times after {write.made} attempts that may have made one")
        if there and journal.must_be_gone(write, before):
            raise Violation(f"{marker} is there after its agent was purged")
        _acknowledged(journal, write, there, before, since, until)


def _acknowledged(
    journal: Journal, write: Write, there: Episodes, before: int, since: datetime, until: datetime
) -> None:
    answer = write.answer
    if answer is None:
        return
    told = [each for each in there if each["id"] == answer["id"]]
    if told and not write.is_live(since):
        raise Violation(f"{write.marker} is there after it expired")
    wanted = journal.must_be_there(write) and write.ended is not None and write.ended < before and write.is_live(until)
    if wanted and not told:
        raise Violation(f"{write.marker} was acknowledged as {answer['id']} and is missing")
    for each in told:
        if (each["timestamp"], each["expires_at"]) != (answer["timestamp"], answer["expires_at"]):
            raise Violation(f"{write.marker} has other times than was told")


def contents(journal: Journal, agent: Agent, found: Episodes) -> None:
    """Compare the content of each episode with what was written, byte for byte."""
    writes = {write.marker: write for write in journal.of(agent)}
    for each in found:
        content = linked(each) if each["content"] is None else each["content"]
        if content != writes[each["metadata"]["w"]].content:
            raise Violation(f"{each['metadata']['w']} reads back as something else")


def linked(record: dict[str, Any]) -> Any:
    """The value that a record leads to."""
    if not record.get("body_url"):
        raise Violation("a value is gone")
    with urllib.request.urlopen(record["body_url"], timeout=30) as answer:  # noqa: S310 - the stand-in's address
        raw = answer.read()
    if (len(raw), hashlib.sha256(raw).hexdigest()) != (record["bytes"], record["sha256"]):
        raise Violation("a body is not what its record says")
    return json.loads(raw)
