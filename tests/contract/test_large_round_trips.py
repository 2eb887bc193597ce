"""Large values over every store come back byte for byte."""

from typing import Any

import pytest

from agent_memory.domain.bodies import MAX_INLINE_ANSWER_BYTES
from agent_memory.domain.json_document import dumps
from tests.contract.conftest import Stores
from tests.contract.large_values import FRAME, Scene
from tests.fakes.bodies import incompressible
from tests.fakes.clock import Clock

# Around the item's limit after compression (which makes these three fourths of what they are), around what is answered
# inline, and around what a request holds.
SIZES = [389_000, 399_000, 400_000, 401_000, 515_000, 520_000, 525_000, 999_999, 1_000_000, 1_000_001, 2_400_000]


@pytest.fixture
def scene(stores: Stores, tenant: str, clock: Clock) -> Scene:
    return Scene(stores, tenant, clock)


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_a_state_comes_back_byte_for_byte(scene: Scene, size: int, keyed: bool) -> None:
    data = {"x": incompressible(size - FRAME)}
    assert len(dumps(data)) == size

    for given in (scene.create(data, attempt=scene.attempt() if keyed else None), scene.get()):
        response: Any = given.response()
        if size <= MAX_INLINE_ANSWER_BYTES:
            assert response["data"] == data
            assert "body_url" not in response
        else:
            assert response["data"] is None
            assert scene.behind(response) == dumps(data).encode()


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_an_episode_comes_back_byte_for_byte(scene: Scene, size: int, keyed: bool) -> None:
    content = incompressible(size - 2)

    made: Any = scene.append(content, scene.attempt() if keyed else None).response()
    (seen,) = scene.pages()

    for response in (made, seen):
        if size <= MAX_INLINE_ANSWER_BYTES:
            assert response["content"] == content
            assert "body_url" not in response
        else:
            assert response["content"] is None
            assert scene.behind(response) == dumps(content).encode()
    assert seen["id"] == made["id"]


def test_what_compresses_well_stays_in_its_record_up_to_what_is_answered(scene: Scene) -> None:
    scene.create({"x": "a" * (1_000_000 - FRAME)})
    scene.append("a" * 999_998)
    assert scene.bodies == {}

    scene.create({"x": "a" * (1_000_001 - FRAME)})
    scene.append("a" * 999_999)
    assert len(scene.bodies) == 2


def test_a_walk_gets_past_a_value_that_is_gone(scene: Scene) -> None:
    """One lost value must not hide every other episode of its page for ever."""
    before, lost, after = (scene.append({"x": incompressible(600_000, seed)}) for seed in range(3))
    assert lost.body
    del scene.bodies[lost.body.key]

    shown = scene.pages()

    assert {each["id"]: each["content"] for each in shown} == {
        before.id: before.content,
        lost.id: None,
        after.id: after.content,
    }
    (told,) = (each for each in shown if each["id"] == lost.id)
    assert (told["sha256"], told["bytes"]) == (lost.body.sha256, lost.body.size)
    assert told["body_url"]
