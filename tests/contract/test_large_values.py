"""Large values over every store: byte for byte, each body owned by one version of one record, none left behind."""

from dataclasses import replace
from typing import Any

import pytest

from agent_memory.domain.bodies import MAX_INLINE_ANSWER_BYTES, name_of
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.scan import ScanBudgetSpent
from agent_memory.domain.state import State
from agent_memory.domain.timeline import Span
from agent_memory.domain.usage import Tally
from agent_memory.errors import Conflict, InProgress, NotFound, PayloadTooLarge, RateLimited, StoreUnavailable
from tests.contract.conftest import Stores
from tests.contract.large_values import FRAME, Scene
from tests.fakes.bodies import incompressible
from tests.fakes.clock import Clock
from tests.fakes.paging import Unlimited


@pytest.fixture
def scene(stores: Stores, tenant: str, clock: Clock) -> Scene:
    return Scene(stores, tenant, clock)


def test_versions_of_a_state_own_a_body_each_and_small_ones_none(scene: Scene) -> None:
    large = [{"x": incompressible(600_000, seed)} for seed in range(3)]
    scene.create(large[0])
    second = scene.replace(large[1], 1)
    assert (second.data, scene.get().data) == (large[1], large[1])

    third = scene.replace({"small": 1}, 2)
    assert (third.response().get("body_url"), scene.get().data) == (None, {"small": 1})
    assert scene.get().body is None

    fourth = scene.replace(large[2], 3)
    assert (fourth.version, scene.get().data) == (4, large[2])
    assert len(scene.bodies) == 3  # the stream takes the first two away


def test_records_with_equal_values_share_nothing(scene: Scene) -> None:
    data = {"x": incompressible(600_000)}
    states: list[Any] = [scene.create(data, session) for session in ("a", "b")]
    episodes: list[Any] = [scene.append(data) for _ in range(2)]

    keys = [each.body.key for each in (*states, *episodes)]
    assert len(set(keys)) == 4 == len(scene.bodies)
    for gone in (states[0], episodes[0]):
        del scene.bodies[gone.body.key]
    assert scene.get("b").data == data
    assert scene.bodies[episodes[1].body.key]


@pytest.mark.parametrize("keyed", [False, True])
def test_a_refused_write_leaves_no_body(scene: Scene, keyed: bool) -> None:
    scene.create({"small": 1})
    large = {"x": incompressible(600_000)}
    with pytest.raises(Conflict):
        scene.replace(large, 7, scene.attempt() if keyed else None)
    with pytest.raises(PayloadTooLarge):
        scene.create(large, metadata={"x": incompressible(600_000, 1)})

    assert scene.bodies == {}
    assert scene.stores.tally.s3_bytes == 0


def test_a_repeated_write_leaves_the_first_body_alone(scene: Scene) -> None:
    large = {"x": incompressible(1_200_000)}
    for write in (scene.create, scene.append):
        first: Any = write(large, attempt=scene.attempt(write.__name__))
        with pytest.raises(AlreadyAnswered) as again:
            write(large, attempt=scene.attempt(write.__name__))
        kept = again.value.stored.answer
        assert kept
        assert kept.body_kept == replace(first.body, url=None)
        assert first.body.key in scene.bodies
    assert len(scene.bodies) == 2


def test_a_repeated_answer_has_the_value_or_a_new_link(scene: Scene) -> None:
    values = scene.stores.values(scene.clock)
    for size in (600_000, 1_200_000):
        first: Any = scene.create({"x": incompressible(size)}, attempt=scene.attempt(str(size)))
        with pytest.raises(AlreadyAnswered) as again:
            scene.create({"x": incompressible(size)}, attempt=scene.attempt(str(size)))
        kept = again.value.stored.answer
        assert kept
        assert kept.body_kept
        assert parse(values.told_again(str(kept.body), kept.body_kept)) == parse(dumps(first.response()))

        scene.bodies.clear()
        told = parse(values.told_again(str(kept.body), kept.body_kept))
        if size < MAX_INLINE_ANSWER_BYTES:
            assert (told["data"], told["body_url"], told["bytes"]) == (None, None, size + FRAME)


def test_a_patch_of_a_large_state_merges_into_all_of_it(scene: Scene) -> None:
    big = incompressible(1_100_000)
    scene.create({"big": big})
    patched = scene.patch({"small": 1})

    assert parse(scene.behind(patched.response()).decode()) == {"big": big, "small": 1}
    assert scene.patch({"big": None}).data == {"small": 1}
    assert scene.get().body is None


def test_a_value_that_is_not_what_was_written_is_never_shown(scene: Scene) -> None:
    made = scene.create({"x": incompressible(600_000)})
    assert made.body
    (receipt,) = scene.bodies[made.body.key]
    scene.bodies[made.body.key][receipt] = b'{"x":"another"}'

    with pytest.raises(StoreUnavailable):
        scene.get()
    with pytest.raises(StoreUnavailable):
        scene.patch({"y": 1})


def test_a_state_whose_value_went_while_it_was_read_is_read_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.create({"x": incompressible(600_000)})
    read = scene.stores.bodies.read

    def replaced_meanwhile(key: str) -> bytes | None:
        monkeypatch.setattr(scene.stores.bodies, "read", read)
        scene.replace({"x": incompressible(600_000, 2)}, 1)
        del scene.bodies[key]
        return read(key)

    monkeypatch.setattr(scene.stores.bodies, "read", replaced_meanwhile)

    assert scene.get().data == {"x": incompressible(600_000, 2)}


def test_a_page_reads_values_within_its_budget_and_the_first_in_any_case(scene: Scene) -> None:
    class NoObjects(Unlimited):
        def open_object(self) -> bool:
            return False

    for size in (600_000, 700_000, 1_100_000):
        scene.append(incompressible(size))
    span = Span(scene.tenant, "planner", False, scene.clock(), scene.clock())
    raw = {each.body.size: each for _, each in scene.stores.episodes.timeline(span, Unlimited()) if each and each.body}
    opener = scene.stores.values(scene.clock).opener(NoObjects())

    assert opener.open(raw[600_002]).content == incompressible(600_000)
    with pytest.raises(ScanBudgetSpent):
        opener.open(raw[700_002])
    assert opener.open(raw[1_100_002]).response()["body_url"]  # a link costs no read


def test_bytes_count_where_they_are_written_and_a_limit_holds_for_them(scene: Scene) -> None:
    class Full:
        def reserve(self, work: str, amount: int) -> int:
            if work == "s3_bytes":
                raise RateLimited("stored_bytes", 1000, 60)
            return amount

    made = scene.create({"x": incompressible(600_000)})
    assert made.body
    assert scene.stores.tally.s3_bytes == made.body.size == 600_008
    assert scene.stores.tally.dynamo_bytes < 2000

    scene.stores.tally.begin(Full(), scene.clock())
    with pytest.raises(RateLimited):
        scene.create({"x": incompressible(600_000)}, "another")
    assert len(scene.bodies) == 1
    with pytest.raises(NotFound):
        scene.get("another")
    scene.stores.tally.taken()
    assert scene.stores.tally == Tally()


class Killed(BaseException):
    """The function is gone: nothing after this line runs."""


@pytest.mark.parametrize("write", ["state", "episode"])
def test_a_crash_between_body_and_pointer_leaves_one_object_that_names_its_owner(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    def dies(*written: Any) -> Any:
        if first(written).body is None:
            return commit(*written)
        raise Killed

    def first(written: Any) -> Any:
        return written[0][0] if isinstance(written[0], list) else written[0]

    store: Any = scene.stores.state if write == "state" else scene.stores.episodes
    method = "put" if write == "state" else "append"
    commit = getattr(store, method)
    monkeypatch.setattr(store, method, dies)
    large = {"x": incompressible(600_000)}

    with pytest.raises(Killed):
        scene.create(large) if write == "state" else scene.append(large)

    monkeypatch.undo()
    (key,) = scene.bodies
    named = name_of(key)
    assert named
    assert (named.tenant_id, named.agent_path, named.kind) == (scene.tenant, "planner", write)
    with pytest.raises(NotFound):
        scene.get()
    assert scene.pages() == []
    made: Any = scene.create(large) if write == "state" else scene.append(large)
    if write == "state":  # an episode that is written again is another one
        assert name_of(made.body.key) == named
    assert made.body.key != key


def test_a_write_that_meets_its_own_answer_keeps_its_body(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's answer was lost on its way, the write was sent again, and found that its key had been used: by it."""
    commit = scene.stores.state.put

    def lost(state: State, answer: IdempotencyRecord | None) -> None:
        commit(state, answer)
        if answer is not None and state.body is not None:
            raise AlreadyAnswered(answer)

    monkeypatch.setattr(scene.stores.state, "put", lost)
    large = {"x": incompressible(600_000)}

    with pytest.raises(AlreadyAnswered):
        scene.create(large, attempt=scene.attempt())

    assert scene.get().data == large


@pytest.mark.parametrize("failure", [StoreUnavailable("no answer"), InProgress("colliding", retry_after_s=1)])
def test_a_write_of_which_nobody_knows_whether_it_was_done_keeps_its_body(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    commit = scene.stores.state.put

    def lost(state: State, answer: IdempotencyRecord | None) -> None:
        commit(state, answer)
        raise failure

    monkeypatch.setattr(scene.stores.state, "put", lost)

    with pytest.raises(type(failure)):
        scene.create({"x": incompressible(600_000)})
    assert scene.get().data == {"x": incompressible(600_000)}
