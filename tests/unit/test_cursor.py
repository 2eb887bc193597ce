"""A cursor goes on with the walk it was made for and with no other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.cursor import seal, unseal
from agent_memory.errors import InvalidRequest

KEY, WALK = b"key of acme", '["episodes","acme","planner",{}]'
POSITION = [1763631000000000, "01JD0000000000000000000000", 1763631000000001]

positions = st.lists(st.one_of(st.none(), st.integers(), st.text()), min_size=1, max_size=4)


@given(positions, st.binary(min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_position_comes_back(position: list[Any], key: bytes, walk: str) -> None:
    cursor = seal(key, walk, position)

    assert unseal(key, walk, cursor) == position
    assert cursor.isascii()
    assert "=" not in cursor


def test_a_cursor_of_another_tenant_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        unseal(b"key of globex", WALK, seal(KEY, WALK, POSITION))


def test_a_cursor_of_another_query_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        unseal(KEY, WALK.replace("planner", "critic"), seal(KEY, WALK, POSITION))


def test_a_cursor_with_any_changed_bit_is_refused() -> None:
    cursor = seal(KEY, WALK, POSITION)
    for place in range(len(cursor)):
        for bit in range(7):
            changed = cursor[:place] + chr(ord(cursor[place]) ^ 1 << bit) + cursor[place + 1 :]
            with pytest.raises(InvalidRequest):
                unseal(KEY, WALK, changed)


def test_a_cut_cursor_is_refused() -> None:
    cursor = seal(KEY, WALK, POSITION)
    for length in range(len(cursor)):
        with pytest.raises(InvalidRequest):
            unseal(KEY, WALK, cursor[:length])


@given(st.text())
def test_text_that_was_never_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        unseal(KEY, WALK, text)


@pytest.mark.parametrize("addition", ["=", "A", "!", " ", "\n", "é"])
def test_a_cursor_with_an_addition_is_refused(addition: str) -> None:
    with pytest.raises(InvalidRequest):
        unseal(KEY, WALK, seal(KEY, WALK, POSITION) + addition)
