"""No two id tuples have one key, in DynamoDB or S3, and what is one tenant's share of the keys holds no other's."""

import hashlib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_memory.adapters.dynamodb_episode_item import index_of, marker_prefix
from agent_memory.adapters.s3_archive import agent_prefix
from agent_memory.domain.identifiers import MAX_ID_BYTES
from agent_memory.domain.timeline import Span
from agent_memory.domain.times import format_time
from tests.stored_keys import KINDS, NOW, Key, api_key_item, episode_item, subject_item

LONG = "x" * 201
Record = tuple[str, ...]  # kind, tenant, ids
tenants = st.one_of(
    st.sampled_from(["a", "a-", "acme", "acme-2", "key", "agents", "0"]),
    st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True),
)
# What a builder could get wrong: separators, escapes, words of its own, hashes, and the length at which hashing begins.
PIECES = [
    *("#", "%", "%h", "%23", "%25", "0", "a", "~", "!", "/", "..", ".", "KEYS", "AGENT", "AGENTS", "SESSION#", "LATE#"),
    *("IDEMPOTENCY", "USAGE", "acme", "acme-2", "🦄", "של", "x" * 199, "x" * 200, LONG, "é" * 100, "#" * 67),
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
    """Two records whose ids are one text, separators included, cut at different places."""
    kind = draw(st.sampled_from(sorted(kind for kind in KINDS if KINDS[kind][0] == 2)))
    words = draw(st.lists(st.sampled_from(["a", "0", "%", "%23", ""]), min_size=3, max_size=4))
    cuts = draw(st.tuples(*[st.integers(1, len(words) - 1)] * 2))
    one, other = ((kind, "acme", "#".join(words[:cut]), "#".join(words[cut:])) for cut in cuts)
    return one, other


@st.composite
def forged(draw: st.DrawFn) -> tuple[Record, Record]:
    """A record with an id so long that its hash stands in the key, and one whose id spells what may stand there."""
    kind = draw(st.sampled_from(sorted(kind for kind in KINDS if KINDS[kind][0])))
    long = draw(st.sampled_from([LONG, "#" * 67, "é" * 101]))
    short = draw(st.sampled_from(["", "%h", "%25h", "h"])) + hashlib.sha256(long.encode()).hexdigest()
    others = ["a"] * (KINDS[kind][0] - 1)
    return (kind, "acme", *others, long), (kind, "acme", *others, short)


def key_of(record: Record) -> Key:
    kind, *parts = record
    return KINDS[kind][1](*parts)


@settings(max_examples=600)
@given(st.one_of(st.tuples(records(), records()), shifted(), forged()))
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
