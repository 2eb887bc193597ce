"""No two id tuples have one key, in DynamoDB or S3, and what is one tenant's share of the keys holds no other's.

The keys are those that the stores send: each kind of record is written by its own store to a service that only listens.
A store with a new kind of record gets a line in `KINDS`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import example, given
from hypothesis import strategies as st

from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
from agent_memory.adapters.dynamodb_control import DynamoBucketStore, DynamoSubjectStore
from agent_memory.adapters.dynamodb_episode_item import index_of, marker_prefix
from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry
from agent_memory.adapters.dynamodb_state import DynamoStateStore
from agent_memory.adapters.dynamodb_usage import DynamoUsageStore
from agent_memory.adapters.s3_archive import agent_prefix
from agent_memory.domain.api_key import ApiKey
from agent_memory.domain.buckets import Buckets, Growth
from agent_memory.domain.episode import Episode
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.identifiers import MAX_ID_BYTES
from agent_memory.domain.state import State, StateKey
from agent_memory.domain.timeline import Span
from agent_memory.domain.times import format_time
from agent_memory.domain.usage import Tally
from tests.fakes.control import InMemoryBucketStore

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LONG = "x" * 201
Item = dict[str, str]
Record = tuple[str, ...]  # kind, tenant, ids
Key = tuple[str, ...]  # table or index, partition key, sort key


class Listener:
    """DynamoDB as far as a writer can tell: it takes everything, and keeps what has a key."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def call(self, _: str, request: dict[str, Any]) -> dict[str, Any]:
        batches = request.get("RequestItems", {})
        puts = [{"TableName": table, **each["PutRequest"]} for table, batch in batches.items() for each in batch]
        for write in puts or [request]:
            values = {name[1:]: value for name, value in write.get("ExpressionAttributeValues", {}).items()}
            item = {**values, **write.get("Key", {}), **write.get("Item", {})}
            self.items.append({"table": write["TableName"], **{name: item[name].get("S", "") for name in item}})
        return {}

    hurry = AwsJsonClient.hurry
    _hurried = False


def written(write: Callable[[AwsJsonClient], object], begins: str = "") -> Item:
    """The item that was written, of several the one whose sort key begins so."""
    listener = Listener()
    write(cast("AwsJsonClient", listener))
    (item,) = (item for item in listener.items if item["sk"].startswith(begins))
    return item


def table_key(item: Item) -> Key:
    return item["table"], item["pk"], item["sk"]


def episodes(client: AwsJsonClient) -> DynamoEpisodeStore:
    idempotency = DynamoIdempotencyStore(client, "control")
    return DynamoEpisodeStore(client, "memory", InMemoryBucketStore(), idempotency, Tally())


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


def usage(tenant: str) -> Key:
    return table_key(written(lambda client: DynamoUsageStore(client, "control").add(tenant, {"a": 1})))


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
    "usage": (0, usage),
}
tenants = st.one_of(
    st.sampled_from(["a", "a-", "acme", "acme-2", "key", "agents", "0"]),
    st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True),
)
# What a builder could get wrong: separators, escapes, words of its own, hashes, and the length at which hashing begins.
PIECES = [
    *("#", "%", "%h", "%23", "%25", "0", "a", "~", "!", "/", "..", ".", "KEYS", "AGENT", "AGENTS", "SESSION#", "LATE#"),
    *("IDEMPOTENCY", "USAGE", "acme", "acme-2", "🦄", "של", "x" * 199, "x" * 200, LONG, "é" * 100, "#" * 67),
    *("%h" + hashlib.sha256(each.encode()).hexdigest() for each in (LONG, "#" * 67)),
]
ids = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
).filter(lambda value: len(value.encode()) <= MAX_ID_BYTES)


@st.composite
def records(draw: st.DrawFn) -> Record:
    kind = draw(st.sampled_from(sorted(KINDS)))
    return (kind, draw(tenants), *(draw(ids) for _ in range(KINDS[kind][0])))


@st.composite
def shifted(draw: st.DrawFn) -> tuple[Record, Record]:
    """Two records of one kind whose ids, written one after the other, are the same text cut at different places."""
    kind = draw(st.sampled_from(sorted(kind for kind in KINDS if KINDS[kind][0] == 2)))
    text = draw(st.lists(st.sampled_from(["#", "%", "%23", "a", "0"]), min_size=3, max_size=6))
    cuts = draw(st.lists(st.integers(1, len(text) - 1), min_size=2, max_size=2))
    one, other = ((kind, "acme", "".join(text[:cut]), "".join(text[cut:])) for cut in cuts)
    return one, other


def key_of(record: Record) -> Key:
    kind, *parts = record
    return KINDS[kind][1](*parts)


@given(st.one_of(st.tuples(records(), records()), shifted()))
@example((("state", "a", LONG, "s"), ("state", "a", "%h" + hashlib.sha256(LONG.encode()).hexdigest(), "s")))
@example((("agent", "a", "x"), ("buckets", "a", "x")))
def test_two_records_never_have_one_key(pair: tuple[Record, Record]) -> None:
    one, other = pair

    assert (key_of(one) == key_of(other)) == (one == other)


@given(records(), tenants)
def test_a_key_is_in_its_tenant_s_share_and_in_no_other_s(record: Record, tenant: str) -> None:
    """IAM compares the partition key with `<tenant>#*` (dynamodb:LeadingKeys), for tables and indexes."""
    _, partition_key, *_ = key_of(record)

    assert partition_key.startswith(f"{record[1]}#")
    assert partition_key.startswith(f"{tenant}#") == (tenant == record[1])
    assert len(partition_key.encode()) <= 2048
    assert len("".join(key_of(record)[2:]).encode()) <= 1024


@given(tenants, st.from_regex(r"[0-9A-Za-z]{16}", fullmatch=True))
def test_the_record_of_an_api_key_is_in_no_tenant_s_share(tenant: str, key_id: str) -> None:
    """It is read before anybody knows whose it is, by the authorizer alone."""
    item = api_key_item(tenant, key_id)

    assert item["pk"] == f"KEY#{key_id}"
    assert not item["pk"].startswith(f"{tenant}#")


@given(tenants, ids, ids)
def test_what_is_looked_for_is_what_was_written(tenant: str, agent: str, value: str) -> None:
    for by in ("session", "run", "user"):
        span = Span(tenant, agent, True, NOW, NOW, **{f"{by}_id": value})  # type: ignore[arg-type]
        assert index_of(span) == (by, f"{by}_key", episode_item(tenant, agent, **{by: value})[f"{by}_key"])
    subject = subject_item(tenant, agent, "s", value)
    assert subject["key"] == episode_item(tenant, agent, user=value)["user_key"]


@given(
    st.tuples(st.sampled_from(["session", "run", "user"]), ids),
    st.tuples(st.sampled_from(["session", "run", "user"]), ids),
)
def test_markers_of_one_are_never_among_those_of_another(one: tuple[str, str], other: tuple[str, str]) -> None:
    """They are read by their prefix."""
    read = marker_prefix(*one)

    assert (marker_prefix(*other) + format_time(NOW)).startswith(read) == (one == other)


@given(st.tuples(tenants, ids), st.tuples(tenants, ids))
def test_two_agents_never_share_a_place_in_the_archive(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Neither an object nor a prefix: what lists or deletes all of one reaches none of another's."""
    assert agent_prefix(*other).startswith(agent_prefix(*one)) == (one == other)
    assert agent_prefix(*other).startswith(f"{one[0]}/") == (one[0] == other[0])
    assert agent_prefix(*one).count("/") == 2
    assert not {".", ".."} & set(agent_prefix(*one).split("/"))
    assert len(agent_prefix(*one).encode()) <= 500  # of the 1,024 that a name of an object may have
