"""`python -m bench.archive.month FIRST LAST`: the month of some tenants, in a process and a stand-in of its own.

Everything goes through the handlers of the deployed functions, on a clock that goes as fast as the machine can; the
archiver is fed by the tests' event source, and DynamoDB's time to live does its work once a day. Prints JSON.
"""

import contextlib
import importlib
import io
import json
import os
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agent_memory.adapters import dynamodb
from agent_memory.entrypoints import http
from bench.archive.traffic import HOURS, Session, sessions
from tests.composition import timed_parts
from tests.edge import Edge
from tests.event_source.driver import Driver
from tests.event_source.expiry import scan
from tests.event_source.stream import Stream, make_client
from tests.faults import stores
from tests.faults.archiver_mapping import mapping
from tests.faults.clock import passing
from tests.faults.plan import Faults
from tests.faults.proxy import Client, FaultProxy
from tests.faults.worker import Context

START = datetime(2026, 11, 1, tzinfo=UTC)
_QUIET_DAYS = 16  # after the month: until all of it is archived, evicted and compacted
_PAGE = 50
Log = dict[tuple[str, str], list[tuple[str, int]]]


class Clock:
    """Goes on by a millisecond whenever somebody looks."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        self.turn(timedelta(milliseconds=1))
        return self.at

    def turn(self, by: timedelta) -> None:
        """Go on."""
        self.at += by


class Month:
    """The deployment under load."""

    def __init__(self, made: stores.Stores, counted: Counter[str], clock: Clock) -> None:
        self.log: Log = {}
        self._made = made
        self._counted = counted
        self._clock = clock
        self._client = made.dynamodb()
        stream = Stream(made.aws.client(make_client), made.stream_arn, clock)
        configured = mapping(made.stream_arn, made.failed_bucket)
        self._driver = Driver(configured, stream.read, self._archive, _never, clock)

    def run(self, planned: list[Session]) -> dict[str, Any]:
        """Write, archive and read; the figures."""
        waiting = iter(planned)
        session = next(waiting, None)
        for hour in range(HOURS):
            self._clock.at = max(self._clock.at, START + timedelta(hours=hour))
            while session and session.hour == hour:
                self._write(session)
                session = next(waiting, None)
            self._hour(hour)
        mixed = self._walk("newest")
        for hour in range(HOURS, HOURS + _QUIET_DAYS * 24):
            self._clock.at = max(self._clock.at, START + timedelta(hours=hour))
            if hour % 24 == 0:
                self._hour(hour)
        cold = [self._walk("newest"), self._walk("oldest")]
        return self._figures([mixed, *cold])

    def _write(self, session: Session) -> None:
        self._clock.at += timedelta(seconds=20)
        told = Edge(session.tenant_id).call("POST", "/v1/memory/episodic/batch", {"items": session.items}).data
        log = self.log.setdefault((session.tenant_id, session.agent_id), [])
        for item, result in zip(session.items, told["results"], strict=True):
            log.append((result["data"]["id"], _sum(item["content"])))

    def _hour(self, hour: int) -> None:
        self._driver.drain()
        if hour % 24 == 0:
            _handler("sweeper")({}, Context(840))
            self._driver.drain()
            self._evict()

    def _archive(self, event: dict[str, Any]) -> Any:
        return _handler("archiver")(event, Context(300))

    def _evict(self) -> None:
        request = {
            "TableName": self._made.aws.memory_table,
            "FilterExpression": "evict_at <= :now",
            "ProjectionExpression": "pk, sk",
            "ExpressionAttributeValues": {":now": {"N": str(int(self._clock.at.timestamp()))}},
        }
        dynamodb.delete_all(self._client, self._made.aws.memory_table, list(scan(self._client, request)))

    def _walk(self, order: str) -> tuple[int, int, int]:
        """Walk every timeline: pages, objects read, and the most that one page read."""
        pages = gets = most = 0
        for (tenant_id, agent_id), log in self.log.items():
            found: list[tuple[str, int]] = []
            cursor = ""
            while True:
                before = self._counted["s3.get_object"]
                path = f"/v1/memory/episodic/{agent_id}?order={order}&limit={_PAGE}{cursor}"
                page = Edge(tenant_id).call("GET", path).data
                spent = self._counted["s3.get_object"] - before
                pages, gets, most = pages + 1, gets + spent, max(most, spent)
                found += [(each["id"], _sum(each["content"])) for each in page["episodes"]]
                if page["next_cursor"] is None:
                    break
                cursor = f"&cursor={quote(page['next_cursor'], safe='')}"
            if found != (log if order == "oldest" else log[::-1]):
                sys.exit(f"{order} first, {tenant_id} {agent_id} reads back as something else")
        return pages, gets, most

    def _figures(self, walks: list[tuple[int, int, int]]) -> dict[str, Any]:
        items = list(scan(self._client, {"TableName": self._made.aws.memory_table}))
        rows = [item for item in items if item["sk"]["S"].startswith("OBJECT#")]
        return {
            "episodes": sum(map(len, self.log.values())),
            "hot": sum(item["sk"]["S"].startswith("EPISODE#") for item in items),
            "puts": self._counted["s3.put_object"],
            "sizes": [int(row["size"]["N"]) for row in rows],
            "walks": walks,
        }


def _never(_: object) -> None:
    sys.exit("the archiver gave up a record")


def _sum(content: Any) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())


def _handler(name: str) -> Callable[[dict[str, Any], Any], Any]:
    handler: Callable[[dict[str, Any], Any], Any] = importlib.import_module(f"agent_memory.entrypoints.{name}").handler
    return handler


def main(first: int, last: int) -> None:
    """Run the month of tenants `first` to `last`, without the last."""
    clock = Clock()
    for module in (*timed_parts(), http):
        vars(module)["now"] = clock
    vars(time)["sleep"] = passing(clock.turn, time.sleep)
    faults = Faults()
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, stores.stand_in(Path(folder)) as at, stores.made(at) as made:
        proxy = FaultProxy(at.ministack, faults, clock)
        os.environ |= {
            "AWS_ENDPOINT_URL": made.aws.endpoint,
            "AWS_ENDPOINT_URL_S3": proxy.open(Client("s3", lambda: None, lambda: None)),
            "MEMORY_TABLE": made.aws.memory_table,
            "CONTROL_TABLE": made.aws.control_table,
            "ARCHIVE_BUCKET": made.aws.bucket,
        }
        with contextlib.redirect_stdout(said):  # the handlers' logs
            figures = Month(made, faults.seen, clock).run(sessions(range(first, last)))
        proxy.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    main(int(sys.argv[1]), int(sys.argv[2]))
