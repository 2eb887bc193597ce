"""Delivers a stream to a function as Lambda's event source mapping does.

What AWS documents, and the stand-in's own poller does not do: each shard is read in as many lanes as the mapping says,
a partition key always in the same one; a lane waits for its batch; of a batch that failed only what lies at and past
the lowest reported record is tried again; a batch may be halved, which is no retry; what was tried too often or is
too old goes to the destination, whole; and what is older than a day is not in the stream any more.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.event_source.discarded import Condition, Discarded
from tests.event_source.filters import matches
from tests.event_source.mapping import Mapping
from tests.event_source.stream import Record, Shards, arrived, sequence

Invoke = Callable[[dict[str, Any]], Any]
RETENTION = timedelta(days=1)
_MOST_BYTES = 6 * 1024 * 1024
_REMEMBERED = 50


class FunctionFailed(Exception):
    """The function raised, timed out or was killed."""


@dataclass
class Batch:
    """Records that are delivered together."""

    records: list[Record]
    invoked: int = 0


@dataclass
class Lane:
    """What of a shard is delivered one batch after the other."""

    shard: str
    waiting: deque[Record] = field(default_factory=deque)
    failed: deque[Batch] = field(default_factory=deque)  # to be tried before anything that waits
    delivered: deque[list[Record]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    is_busy: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether all is delivered."""
        return not self.waiting and not self.failed


class Driver:
    """One mapping at work; nothing happens but in `take` and `deliver`."""

    def __init__(
        self,
        mapping: Mapping,
        read: Callable[[], Shards],
        invoke: Invoke,
        discard: Callable[[Discarded], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._mapping = mapping
        self._read = read
        self._invoke = invoke
        self._discard = discard
        self._clock = clock
        self.lanes: dict[tuple[str, int], Lane] = {}
        self.lost: list[Record] = []

    def take(self) -> int:
        """Read what is new in the stream; how many records passed the filters."""
        taken = 0
        for shard, records in self._read().items():
            for record in filter(self._is_wanted, records):
                place = (shard, _lane_of(record, self._mapping.lanes))
                self.lanes.setdefault(place, Lane(shard)).waiting.append(record)
                taken += 1
        return taken

    def due(self) -> list[Lane]:
        """Lanes that have a batch to deliver: a full one, one that failed, or one whose window is over."""
        return [lane for lane in self.lanes.values() if self._is_due(lane)]

    def deliver(self, lane: Lane) -> None:
        """Invoke the function once, with the lane's next batch, if it has one."""
        self._lose_the_oldest(lane)
        batch = self._next(lane)
        if batch is None:
            return
        lane.is_busy = True
        try:
            from_here = self._failed_from(batch)
        except FunctionFailed:
            from_here = 0
        finally:
            lane.is_busy = False
        batch.invoked += 1
        done, left = batch.records[:from_here], batch.records[from_here:]
        if done:
            lane.delivered.append(done)
        if left:
            self._again(lane, Batch(left, batch.invoked), is_cut=bool(done))

    def drain(self, most: int = 10_000) -> None:
        """Deliver until nothing is left, whatever the windows."""
        for _ in range(most):
            self.take()
            busy = [lane for lane in self.lanes.values() if not lane.is_idle]
            if not busy:
                return
            for lane in busy:
                self.deliver(lane)
        raise AssertionError("the function goes on failing")

    def rewind(self, lane: Lane, batches: int) -> int:
        """Deliver the last batches again, in order, as after a checkpoint that was lost; how many records."""
        back = [lane.delivered.pop() for _ in range(min(batches, len(lane.delivered)))]
        for records in back:
            lane.failed.appendleft(Batch(records))
        return sum(map(len, back))

    def _is_wanted(self, record: Record) -> bool:
        return not self._mapping.patterns or any(matches(each, record) for each in self._mapping.patterns)

    def _is_due(self, lane: Lane) -> bool:
        if lane.is_busy:
            return False
        if lane.failed or len(lane.waiting) >= self._mapping.batch_size:
            return True
        oldest = lane.waiting[0] if lane.waiting else None
        return oldest is not None and self._clock().timestamp() - arrived(oldest) >= self._mapping.window_s

    def _lose_the_oldest(self, lane: Lane) -> None:
        horizon = (self._clock() - RETENTION).timestamp()
        while lane.waiting and arrived(lane.waiting[0]) < horizon:
            self.lost.append(lane.waiting.popleft())

    def _next(self, lane: Lane) -> Batch | None:
        batch = lane.failed.popleft() if lane.failed else self._from_waiting(lane)
        if batch is None or self._mapping.max_age_s < 0:
            return batch
        limit = self._clock().timestamp() - self._mapping.max_age_s
        old = [record for record in batch.records if arrived(record) < limit]
        self._give_up(lane, old, "MaximumRecordAgeExceeded", batch.invoked)
        batch.records = batch.records[len(old) :]
        return batch if batch.records else None

    def _from_waiting(self, lane: Lane) -> Batch | None:
        records: list[Record] = []
        size = 0
        while lane.waiting and len(records) < self._mapping.batch_size:
            size += len(json.dumps(lane.waiting[0]))
            if records and size > _MOST_BYTES:
                break
            records.append(lane.waiting.popleft())
        return Batch(records) if records else None

    def _failed_from(self, batch: Batch) -> int:
        """Where the batch has to be taken up again: 0 for all of it, its length for nothing."""
        answer = self._invoke({"Records": batch.records})
        if not self._mapping.reports_items or not answer or not answer.get("batchItemFailures"):
            return len(batch.records)
        places = {sequence(record): place for place, record in enumerate(batch.records)}
        # A name that is empty, null, misspelt or unknown fails the whole batch.
        return min(places.get(each.get("itemIdentifier") or "", 0) for each in answer["batchItemFailures"])

    def _again(self, lane: Lane, batch: Batch, *, is_cut: bool) -> None:
        if self._mapping.bisects and (is_cut or len(batch.records) > 1):
            batch.invoked -= 1  # cutting a batch is no retry
        if self._mapping.bisects and not is_cut and len(batch.records) > 1:
            middle = len(batch.records) // 2
            halves = (batch.records[:middle], batch.records[middle:])
            lane.failed.extendleft(Batch(half, batch.invoked) for half in reversed(halves))
        elif 0 <= self._mapping.max_retries < batch.invoked:
            self._give_up(lane, batch.records, "RetryAttemptsExhausted", batch.invoked)
        else:
            lane.failed.appendleft(batch)

    def _give_up(self, lane: Lane, records: Sequence[Record], condition: Condition, invoked: int) -> None:
        if records:
            self._discard(Discarded(lane.shard, tuple(records), condition, invoked, self._clock()))


def _lane_of(record: Record, lanes: int) -> int:
    """By partition key, so that the order of an item's changes is kept."""
    key = json.dumps(record["dynamodb"]["Keys"]["pk"], sort_keys=True)
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % lanes
