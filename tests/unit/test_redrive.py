"""Records that failed are sent again, and kept until they are taken."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from agent_memory.domain.failed_records import event_in
from agent_memory.errors import StoreUnavailable
from agent_memory.service.redrive import Redrive

RECORD = {"eventID": "1", "dynamodb": {"SequenceNumber": "111", "NewImage": {"pk": {"S": "acme#planner#0"}}}}
EVENT = {"Records": [RECORD, {**RECORD, "eventID": "2"}]}
KEPT = json.dumps({"version": "1.0", "DDBStreamBatchInfo": {"batchSize": 2}, "payload": json.dumps(EVENT)}).encode()


class Kept:
    """`FailedRecords` in memory."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents

    def names(self) -> Iterator[str]:
        yield from sorted(self.contents)

    def get(self, name: str) -> bytes | None:
        return self.contents.get(name)

    def remove(self, name: str) -> None:
        del self.contents[name]


class Archiver:
    """`Function` that answers as it is told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.events: list[Mapping[str, Any]] = []

    def invoke(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        self.events.append(event)
        answer = self.answers.pop(0) if self.answers else {"batchItemFailures": []}
        if isinstance(answer, Exception):
            raise answer
        return answer


def counts(**given: int) -> dict[str, int]:
    return {"batches_taken": 0, "records_taken": 0, "batches_failed": 0, "batches_unreadable": 0} | given


def test_each_batch_is_sent_as_it_was_and_removed_once_it_is_taken() -> None:
    kept, archiver = Kept(a=KEPT, b=KEPT), Archiver()

    assert Redrive(kept, archiver).run() == counts(batches_taken=2, records_taken=4)

    assert archiver.events == [EVENT, EVENT]
    assert kept.contents == {}


def test_what_fails_again_is_kept_whole() -> None:
    kept = Kept(a=KEPT, b=KEPT, c=KEPT)
    archiver = Archiver({"batchItemFailures": [{"itemIdentifier": "111"}]}, {"batchItemFailures": []}, {"unlike": "us"})

    assert Redrive(kept, archiver).run() == counts(batches_taken=1, records_taken=2, batches_failed=2)

    assert kept.contents == {"a": KEPT, "c": KEPT}


def test_when_the_archiver_is_away_a_repetition_goes_on() -> None:
    kept, archiver = Kept(a=KEPT, b=KEPT), Archiver({"batchItemFailures": []}, StoreUnavailable("away"))

    with pytest.raises(StoreUnavailable):
        Redrive(kept, archiver).run()

    assert kept.contents == {"b": KEPT}
    assert Redrive(kept, archiver).run() == counts(batches_taken=1, records_taken=2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b"null",
        b"{}",
        b'{"payload": null}',
        b'{"payload": "not json"}',
        b'{"payload": "[]"}',
        b'{"payload": {"Records": []}}',
        b'{"payload": {"Records": ["x"]}}',
        b'{"DDBStreamBatchInfo": {"startSequenceNumber": "1"}}',
    ],
)
def test_what_is_no_batch_is_kept_and_counted(content: bytes) -> None:
    kept, archiver = Kept(a=content, b=KEPT), Archiver()

    assert Redrive(kept, archiver).run() == counts(batches_taken=1, records_taken=2, batches_unreadable=1)

    assert kept.contents == {"a": content}


@pytest.mark.parametrize("content", [EVENT, {"payload": EVENT}, {"payload": json.dumps(EVENT)}])
def test_a_batch_is_read_in_each_shape_that_it_may_have(content: object) -> None:
    assert event_in(json.dumps(content).encode()) == EVENT
