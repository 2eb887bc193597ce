"""The proxy does to requests what is planned, and tells the harness's time of objects."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.errors import StoreUnavailable
from local.ports import Ports
from tests.fakes.clock import Clock
from tests.faults import stores
from tests.faults.plan import Effect, Fault, Faults, When
from tests.faults.proxy import Client, FaultProxy
from tests.faults.stores import Stores
from tests.fix_aws import REGION, Aws

KEY = "acme/planner/2026-11-20/ab.jsonl.gz"
EPISODE = {"pk": {"S": "acme#planner#0"}, "sk": {"S": "EPISODE#1"}}


class Under:
    """A worker's way through the proxy, and what became of the worker."""

    def __init__(self, made: Stores) -> None:
        self.stores, self.faults, self.clock = made, Faults(), Clock()
        self.done: list[str] = []
        self._proxy = FaultProxy(int(made.aws.endpoint.rpartition(":")[2]), self.faults, self.clock)
        client = Client("archiver", lambda: self.done.append("killed"), lambda: self.done.append("meanwhile"))
        self.endpoint = self._proxy.open(client)
        once = Config(retries={"total_max_attempts": 1})
        self.s3: Any = boto3.client("s3", region_name=REGION, endpoint_url=self.endpoint, config=once)
        self.table = Aws(self.endpoint).client()

    def plan(self, name: str, when: When, effect: Effect) -> None:
        self.faults.waiting.append(Fault(f"archiver.{name}", when, effect))

    def put(self) -> None:
        self.s3.put_object(Bucket=self.stores.aws.bucket, Key=KEY, Body=b"0123456789")

    def stored(self) -> bytes | None:
        try:
            return bytes(self.stores.s3.get_object(Bucket=self.stores.aws.bucket, Key=KEY)["Body"].read())
        except ClientError:
            return None

    def close(self) -> None:
        self.s3.close()
        self.table._close()
        self._proxy.close()


@pytest.fixture
def under(stand_in: Ports) -> Iterator[Under]:
    with stores.made(stand_in) as made, closing(Under(made)) as opened:
        yield opened


def fails(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (BotoCoreError, ClientError, StoreUnavailable):
        return True
    return False


def test_without_faults_requests_pass_and_are_seen(under: Under) -> None:
    under.put()

    assert under.stored() == b"0123456789"
    assert under.faults.seen == {"archiver.put_object": 1}


@pytest.mark.parametrize(("when", "stored"), [("before", None), ("after", b"0123456789")])
@pytest.mark.parametrize(("effect", "done"), [("kill", ["killed"]), ("lose", []), ("error 500", []), ("throttle", [])])
def test_a_request_fails_before_or_after_it_took_effect(
    under: Under, when: When, effect: Effect, stored: bytes | None, done: list[str]
) -> None:
    under.plan("put_object", when, effect)

    assert fails(under.put)
    assert (under.stored(), under.done) == (stored, done)


def test_what_is_written_can_be_something_else_and_nobody_is_told(under: Under) -> None:
    under.plan("put_object", "before", "corrupt")

    under.put()

    stored = under.stored()
    assert stored is not None
    assert (len(stored), stored == b"0123456789") == (10, False)


def test_something_happens_while_a_request_waits(under: Under) -> None:
    under.plan("put_object", "before", "meanwhile")

    under.put()

    assert (under.done, under.stored()) == (["meanwhile"], b"0123456789")


def test_a_table_in_trouble_answers_in_its_own_words(under: Under) -> None:
    under.plan("put_episode", "before", "throttle")

    under.table.call("PutItem", {"TableName": under.stores.aws.memory_table, "Item": EPISODE})

    assert under.faults.met == {"throttle archiver.put_episode before": 1}
    assert under.faults.seen["archiver.put_episode"] == 2, "the client tried again"


def test_listings_tell_when_an_object_was_written_by_the_clock_of_the_run(under: Under) -> None:
    under.put()
    under.clock.turn(days=3)

    (version,) = under.s3.list_object_versions(Bucket=under.stores.aws.bucket)["Versions"]

    assert version["LastModified"] == Clock().now
