"""Uploads: announced, put in place by the client, named by a write in place of its value."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest

from agent_memory.domain.bodies import LINK_S
from agent_memory.domain.episode import Episode
from agent_memory.domain.idempotency import AlreadyAnswered, Attempt, begin
from agent_memory.domain.state import NewState, State, StateKey, StatePatch, StateReplacement
from agent_memory.domain.uploads import KEPT, MAX_UPLOAD_BYTES, NewUpload, UploadResponse
from agent_memory.errors import AgentMemoryError, Conflict, InvalidRequest, NotFound, PayloadTooLarge, RateLimited
from agent_memory.service.episode_batch import Outcome
from tests.contract.conftest import Stores
from tests.contract.walks import Walk
from tests.fakes.bodies import incompressible
from tests.fakes.clock import Clock

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
CONTENT = bytes(range(256)) * 20_000  # 5 MB, and no JSON


@dataclass
class Client:
    """One tenant's."""

    stores: Stores
    tenant: str
    clock: Clock
    key: bytes = KEY

    def announce(self, content: bytes = CONTENT, size: int | None = None, attempt: Attempt | None = None) -> Any:
        new = NewUpload(bytes=len(content) if size is None else size, sha256=hashlib.sha256(content).hexdigest())
        return self.stores.uploads(self.clock).announce(self.tenant, new, attempt or Attempt(), self.key)

    def upload(self, content: bytes = CONTENT) -> str:
        announced: UploadResponse = self.announce(content)
        self.stores.bodies.uploaded(announced.url, content)
        return announced.upload_id

    def create(self, upload_id: str, **fields: Any) -> State:
        new = NewState(agent_id="planner", session_id="s", upload_id=upload_id, **fields)
        return self.stores.working(self.clock).create(self.tenant, new, Attempt(), self.key)

    def replace(self, version: int, **fields: Any) -> State:
        new = StateReplacement(session_id="s", version=version, **fields)
        return self.stores.working(self.clock).replace(self.tenant, "planner", new, Attempt(), self.key)

    def batch(self, *items: Any, key: str | None = None) -> list[Outcome]:
        attempt = Attempt(begin(self.tenant, "batch", key, b"", self.clock()) if key else None)
        whole = [{"agent_id": "planner", "session_id": "s", "type": "action"} | item for item in items]
        return self.stores.batches(self.clock).append(self.tenant, whole, attempt, lambda _: {}, self.key)

    def get(self) -> State:
        return self.stores.working(self.clock).get(StateKey(self.tenant, "planner", "s"))

    def shows(self, response: Any, name: str, content: bytes = CONTENT) -> bool:
        told = (response[name], response["sha256"], response["bytes"])
        assert told == (None, hashlib.sha256(content).hexdigest(), len(content))
        return bool(self.stores.bodies.behind(response["body_url"]) == content)

    @property
    def owned(self) -> list[str]:
        return [key for key in self.stores.bodies.objects if not key.startswith("!uploads/")]


@pytest.fixture
def client(stores: Stores, tenant: str, clock: Clock) -> Client:
    return Client(stores, tenant, clock)


def test_an_upload_stands_for_the_data_of_a_state(client: Client) -> None:
    made = client.create(client.upload(), metadata={"of": "planner"})

    assert client.shows(made.response(), "data")
    assert client.shows(client.get().response(), "data")
    assert client.get().annotations == {"metadata": {"of": "planner"}}
    other = CONTENT[::-1]
    assert client.shows(client.replace(1, upload_id=client.upload(other)).response(), "data", other)
    assert client.replace(2, data={"small": 1}).data == client.get().data == {"small": 1}


def test_an_upload_stands_for_the_content_of_episodes(client: Client) -> None:
    upload_id = client.upload()
    outcomes = client.batch({"upload_id": upload_id}, {"content": 1}, {"upload_id": upload_id})

    made = [each.response() for each in outcomes if isinstance(each, Episode)]
    seen = Walk(client.stores, client.tenant, client.clock).page(order="oldest").episodes
    assert [each["id"] for each in made] == [each["id"] for each in seen]
    for response in (*made[::2], *seen[::2]):
        assert client.shows(response, "content")
    assert len(client.owned) == 2


def test_a_link_and_an_id_say_how_long_they_are_good(client: Client) -> None:
    announced = client.announce()

    assert announced.expires_at == client.clock() + timedelta(seconds=LINK_S)
    client.stores.bodies.uploaded(announced.url, CONTENT)
    client.clock.turn(seconds=KEPT.total_seconds() - 1)
    client.create(announced.upload_id)
    client.clock.turn(seconds=1)
    with pytest.raises(NotFound):
        client.create(announced.upload_id)


def test_what_is_unknown_lapsed_or_another_tenants_is_told_in_the_same_words(client: Client) -> None:
    mine = client.upload()
    others = [
        Client(client.stores, client.tenant, client.clock, OTHER_KEY),
        Client(client.stores, f"{client.tenant}-2", client.clock),  # though its key were the same
    ]
    told = set()
    for who, upload_id in [
        *((other, mine) for other in others),
        (client, "no-such-upload"),
        (client, mine[:-2] + ("AA" if not mine.endswith("AA") else "BB")),
        (client, others[0].upload()),
        (client, client.announce().upload_id[:-20]),
    ]:
        with pytest.raises(NotFound) as refused:
            who.create(upload_id)
        told.add((refused.value.message, str(refused.value.details)))

    assert len(told) == 1
    assert client.owned == []


def test_what_was_not_uploaded_as_announced_is_refused_and_nothing_stays(client: Client) -> None:
    nothing, shorter, other = client.announce(), client.announce(), client.announce()
    key = shorter.url.removeprefix("memory://").partition("?")[0]
    client.stores.bodies.put(key, CONTENT[1:])
    client.stores.bodies.uploaded(other.url, CONTENT[::-1])

    for announced, words in ((nothing, "nothing"), (shorter, "length"), (other, "sha256")):
        with pytest.raises(Conflict, match=words):
            client.create(announced.upload_id)
        (outcome,) = client.batch({"upload_id": announced.upload_id})
        assert isinstance(outcome, Conflict)
    assert client.owned == []
    assert client.stores.tally.s3_bytes == 0
    with pytest.raises(NotFound):
        client.get()


def test_an_upload_that_a_refused_write_named_can_be_used_again(client: Client) -> None:
    upload_id = client.upload()
    with pytest.raises(NotFound):
        client.replace(1, upload_id=upload_id)
    assert client.owned == []

    client.create(upload_id)
    with pytest.raises(Conflict):
        client.replace(7, upload_id=upload_id)
    assert len(client.owned) == 1


def test_what_was_uploaded_cannot_be_patched(client: Client) -> None:
    small = b'{"x":1}'  # though it could be read
    client.create(client.upload(small))

    with pytest.raises(Conflict, match="replace it"):
        client.stores.working(client.clock).patch(
            client.tenant, "planner", StatePatch(session_id="s", data={}), Attempt()
        )
    assert client.shows(client.get().response(), "data", small)


@pytest.mark.parametrize("size", [MAX_UPLOAD_BYTES + 1, 10**15])
def test_more_than_100_mb_is_too_large(client: Client, size: int) -> None:
    with pytest.raises(PayloadTooLarge):
        client.announce(size=size)
    assert client.announce(size=MAX_UPLOAD_BYTES).upload_id


def test_the_uploads_of_a_batch_are_limited_together(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_memory.service.episode_bodies.MAX_UPLOAD_BYTES", 2 * len(CONTENT))
    upload_id = client.upload()

    outcomes = client.batch(*[{"upload_id": upload_id}] * 3, {"content": 1})

    assert [type(each).__name__ for each in outcomes] == ["Episode", "Episode", "PayloadTooLarge", "Episode"]
    assert len(client.owned) == 2


def test_exactly_one_of_value_and_upload_is_given(client: Client) -> None:
    upload_id = client.upload()
    for fields, field in (({"data": {}, "upload_id": upload_id}, "upload_id"), ({}, "data")):
        with pytest.raises(InvalidRequest) as refused:
            client.replace(1, **fields)
        assert [each["field"] for each in cast("list[Any]", refused.value.details)] == [field]
    both, neither, null = client.batch({"content": None, "upload_id": upload_id}, {}, {"content": None})
    assert [isinstance(each, InvalidRequest) for each in (both, neither)] == [True, True]
    assert isinstance(null, Episode)
    assert "body_url" not in null.response()


def test_an_announcement_sent_again_is_the_first_one(client: Client) -> None:
    attempt = Attempt(begin(client.tenant, "POST /v1/uploads", "k", b"", client.clock()))
    first = client.announce(attempt=attempt)

    with pytest.raises(AlreadyAnswered) as again:
        client.announce(attempt=attempt)
    answer = again.value.stored.answer
    assert answer
    assert first.upload_id in str(answer.body)


def test_a_batch_with_large_items_sent_again_is_the_same_episodes(client: Client) -> None:
    items = [{"content": incompressible(600_000)}, {"content": incompressible(1_100_000)}, {"content": 1}]
    items.append({"upload_id": client.upload()})
    first = client.batch(*items, key="k")
    again = client.batch(*items, key="k")

    def told(outcomes: list[Outcome]) -> list[Any]:
        assert not any(isinstance(each, AgentMemoryError) for each in outcomes)
        return [each.response() | {"body_url": None} for each in outcomes if isinstance(each, Episode)]

    assert told(first) == told(again)
    assert len(client.owned) == 3
    assert [len(client.stores.bodies.objects[key]) for key in client.owned] == [1, 1, 1]
    seen = Walk(client.stores, client.tenant, client.clock).page(order="oldest").episodes
    assert [each["id"] for each in seen] == [each["id"] for each in told(first)]
    assert client.shows(seen[3], "content")


def test_a_batch_sent_again_and_refused_takes_nothing_from_the_first(client: Client) -> None:
    """A limit that has been lowered since, for one: what the first attempt committed points there."""

    class Full:
        def reserve(self, *_: object) -> int:
            raise RateLimited("stored_bytes", 1, 60)

    items = [{"content": incompressible(600_000)}, {"upload_id": client.upload()}]
    client.batch(*items, key="k")
    client.stores.tally.taken()
    client.stores.tally.begin(Full(), client.clock())
    with pytest.raises(RateLimited):
        client.batch(*items, key="k")

    seen = Walk(client.stores, client.tenant, client.clock).page(order="oldest").episodes
    assert seen[0]["content"] == items[0]["content"]
    assert client.shows(seen[1], "content")
