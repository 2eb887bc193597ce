"""What holds on the way into the cold tier whatever goes wrong, in memory and on DynamoDB and S3."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from agent_memory.domain.archive import ColdObjects, Key
from agent_memory.errors import StoreUnavailable
from tests.contract.archiving import FILL, Scene, of
from tests.contract.interrupted import Killed, Leg, Points, Recalled, die, interrupted
from tests.contract.walks import Walk


def runs(scene: Scene, happens: Any) -> Iterable[Points]:
    """The same delivery once for each point between its calls, at which something happens."""
    chosen = 1
    while True:
        points = Points(chosen, happens)
        yield points
        if points.is_over:
            assert chosen > 5, "there were some"
            return
        chosen += 1


def test_whenever_it_is_killed_doing_it_again_ends_the_same(scene: Scene) -> None:
    for points in runs(scene, die):
        scene.tenant = f"{scene.tenant[:21]}-{points._chosen}"
        first, second = scene.write(FILL), scene.write(2)

        try:
            scene.deliver([*first, *second], scene.archiving(interrupted(scene.cold, points)))
        except Killed:
            archived = {each.id for each in scene.archived()}
            hot = {each.id for each in scene.unmarked([*first, *second])}
            assert archived | hot == {each.id for _, each in [*first, *second]}, "in one tier at least"
        scene.deliver([*first, *second])

        assert sorted(each.id for each in scene.archived()) == [each.id for _, each in [*first, *second]]
        assert scene.unmarked([*first, *second]) == []
        assert scene.pending() == []


def test_a_purge_at_any_point_leaves_nothing_behind(scene: Scene) -> None:
    for points in runs(scene, scene.purge):
        scene.tenant = f"{scene.tenant[:21]}-{points._chosen}"
        written = scene.write(FILL)

        scene.deliver(written, scene.archiving(interrupted(scene.cold, points)))

        if not points.is_over:
            assert scene.rows == []
            assert scene.unmarked(written) == []
            assert Walk(scene.cold.stores, scene.tenant, scene.clock).ids() == []
            assert everything(scene) == []


def test_what_was_read_at_any_point_of_a_purge_is_not_committed_after_it(scene: Scene) -> None:
    keys: list[Key] = []
    read: list[Recalled] = []
    for points in runs(scene, lambda: read.append(Recalled(scene.cold, scene.tenant, "planner", keys))):
        scene.tenant = f"{scene.tenant[:21]}-{points._chosen}"
        written = scene.write(FILL)
        keys[:] = [key for key, _ in written]
        scene.archiving().note(scene.tenant, "planner", scene.arrivals(written))

        scene.purge([Leg(each, points) for each in scene.cold.purged])
        if not points.is_over:
            late: Any = read[-1]
            scene.archiving(replace(scene.cold, index=late, hot=late)).flush(scene.tenant, "planner", keys)

        assert scene.rows == []
        assert scene.unmarked(written) == []
        assert everything(scene) == []


def everything(scene: Scene) -> list[str]:
    """Every object that there is of the tenant, whether or not a row leads to it."""
    fake = getattr(scene.cold.objects, "versions", None)
    if fake is not None:
        return [key for key in fake if key.startswith(scene.tenant)]
    real: Any = scene.cold.objects
    listed = real._client.list_object_versions(Bucket=real._bucket, Prefix=f"{scene.tenant}/")
    return [each["Key"] for each in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))]


class Corrupting:
    """Objects of which some are not stored as they were sent."""

    def __init__(self, objects: ColdObjects, times: int) -> None:
        self._objects = objects
        self._times = times

    def put_once(self, key: str, content: bytes) -> None:
        self._objects.put_once(key, self._stored(content))

    def put_over(self, key: str, content: bytes) -> None:
        self._objects.put_over(key, self._stored(content))

    def get(self, key: str) -> bytes | None:
        return self._objects.get(key)

    def remove(self, key: str) -> int:
        return self._objects.remove(key)

    def _stored(self, content: bytes) -> bytes:
        self._times -= 1
        return content[:-1] if self._times >= 0 else content


def test_an_object_that_was_stored_broken_is_written_over(scene: Scene) -> None:
    written = scene.write()

    scene.deliver(written, scene.archiving(objects=Corrupting(scene.cold.objects, times=1)))

    assert scene.objects() == [of(written)]
    assert scene.unmarked(written) == []


def test_nothing_is_evicted_while_its_object_is_broken(scene: Scene) -> None:
    written = scene.write()

    with pytest.raises(StoreUnavailable):
        scene.deliver(written, scene.archiving(objects=Corrupting(scene.cold.objects, times=2)))

    assert scene.rows == []
    assert scene.unmarked(written) == of(written)
    scene.deliver(written)
    assert scene.objects() == [of(written)]
