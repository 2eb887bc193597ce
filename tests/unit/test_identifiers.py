"""Ids have one spelling in a path, and two ids never share a path or a key."""

import time
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.adapters.dynamodb_item import key
from agent_memory.domain.identifiers import MAX_ID_BYTES, check_id, from_path, new_ulid, time_ordered_uuid, to_path

ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: len(text.encode()) <= MAX_ID_BYTES
)
# What escaping could get wrong: separators, escapes, the mark of a hash, and the length at which hashing begins.
tricky = st.lists(
    st.sampled_from(["#", "%", "%h", "%23", "%25", "a", "🦄", "של", "x" * 199, "x" * 200, "é" * 100, "#" * 67]),
    min_size=1,
    max_size=4,
).map("".join)
parts = st.lists(st.one_of(ids, tricky), min_size=1, max_size=4)


@given(ids)
def test_an_id_comes_back_from_a_path(value: str) -> None:
    path = to_path(value)

    assert from_path(path) == value
    assert path.isascii()
    assert not set(path) & set("/?#% ")


@given(ids, ids)
def test_two_ids_never_share_a_path(one: str, other: str) -> None:
    assert (to_path(one) == to_path(other)) == (one == other)


@given(st.text())
def test_a_path_is_the_only_spelling_of_its_id_or_refused(segment: str) -> None:
    try:
        value = from_path(segment)
    except ValueError:
        return
    assert to_path(value) == segment


@given(parts, parts)
def test_two_records_never_share_a_key(one: list[str], other: list[str]) -> None:
    assert (key(*one) == key(*other)) == (one == other)


@given(parts)
def test_a_key_fits_into_a_sort_key_and_keeps_its_parts_apart(some: list[str]) -> None:
    assert all(len(part.encode()) <= 200 for part in key(*some).split("#"))
    assert len(key(*some).split("#")) == len(some)


def test_the_hash_of_a_long_part_is_not_the_key_of_the_id_that_spells_it() -> None:
    long = "x" * 201

    assert key(key(long)) != key(long)


@pytest.mark.parametrize("value", ["a" * 256, "é" * 128, "🦄" * 64, " ", "~", "a/b", "a#b", "\u202ertl", "." * 256])
def test_any_id_of_up_to_256_bytes_is_taken(value: str) -> None:
    assert check_id(value) == value
    assert from_path(to_path(value)) == value


@pytest.mark.parametrize("value", ["", "a" * 257, "é" * 128 + "a", "a\0", "a\n", "\x7f", "\x85", "\ud800"])
def test_an_empty_or_long_id_or_one_with_control_characters_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must"):
        check_id(value)


@pytest.mark.parametrize("segment", ["", "a b", "~", "~YWJj", "~YSBi=", "~YSBi!", "~_w", "~AA", "é", "~YSBj\n"])
def test_a_path_that_is_neither_plain_nor_canonical_base64_is_refused(segment: str) -> None:
    with pytest.raises(ValueError, match="must"):
        from_path(segment)


moments = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, moments)
def test_ulids_sort_as_their_times_do(one: datetime, other: datetime) -> None:
    earlier, later = sorted([one, other])
    if later - earlier >= timedelta(milliseconds=1):
        assert new_ulid(earlier) < new_ulid(later)


def test_a_ulid_has_26_characters_of_crockfords_alphabet() -> None:
    at = datetime(2016, 7, 30, 23, 54, 10, 259000, tzinfo=UTC)

    assert new_ulid(at, bytes(10)) == "01ARZ3NDEK" + "0" * 16
    assert new_ulid(at, b"\xff" * 10) == "01ARZ3NDEK" + "Z" * 16
    assert len({new_ulid(at) for _ in range(1000)}) == 1000


def test_ids_of_memories_come_in_the_order_of_time_and_cannot_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for moment in range(100):
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: 1_790_000_000_000_000_000 + moment * 1_000_000)
        ids += sorted(time_ordered_uuid() for _ in range(3))

    assert ids == sorted(ids)
    assert len({each[15:] for each in ids}) == 300  # nothing but time and version is shared
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {(7, RFC_4122)}
