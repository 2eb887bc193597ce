"""A stream of one shard that tests write, and a function that does what it is told."""

from typing import TYPE_CHECKING, Any

from tests.event_source.driver import Driver, FunctionFailed
from tests.event_source.mapping import Mapping
from tests.event_source.stream import Record, Shards, sequence
from tests.fakes.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.event_source.discarded import Discarded

SHARD = "shardId-1"
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/memory/stream/2026-11-20T09:30:00.000"
MAPPING = Mapping(uuid="m", function_arn="arn:aws:lambda:us-east-1:000000000000:function:archiver", stream_arn=ARN)


class Bench:
    """A driver under test, what it was given, and what it passed on; a batch is told by its sequence numbers."""

    def __init__(self, mapping: Mapping = MAPPING) -> None:
        self.clock = Clock()
        self.invoked: list[list[str]] = []
        self.given_up: list[Discarded] = []
        self.answer: Callable[[list[str]], Any] = lambda _: None
        self.driver = Driver(mapping, self._read, self._invoke, self.given_up.append, self.clock)
        self._new: list[Record] = []
        self._written = 0

    def write(self, *keys: str, **fields: Any) -> None:
        """Append a record of each key's item; sequence numbers go on from 1."""
        for key in keys:
            self._written += 1
            told = {"SequenceNumber": f"{self._written:03}", "ApproximateCreationDateTime": self.clock().timestamp()}
            self._new.append({"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": key}}, **told}, **fields})

    def poison(self, *numbers: str, reports: bool = False) -> None:
        """The function fails whenever it meets one of these, or reports them."""

        def answer(batch: list[str]) -> Any:
            met = [number for number in batch if number in numbers]
            if met and not reports:
                raise FunctionFailed
            return {"batchItemFailures": [{"itemIdentifier": number} for number in met]}

        self.answer = answer

    def step(self) -> None:
        """Take what is new, and deliver one batch of each lane that is due."""
        self.driver.take()
        for lane in self.driver.due():
            self.driver.deliver(lane)

    def _read(self) -> Shards:
        records, self._new = self._new, []
        return {SHARD: records}

    def _invoke(self, event: dict[str, Any]) -> Any:
        self.invoked.append([sequence(record) for record in event["Records"]])
        return self.answer(self.invoked[-1])
