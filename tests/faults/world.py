"""One run's world: stores, workers behind the proxy, the stream's driver, and the clients."""

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from local.ports import Ports
from tests.event_source import discarded
from tests.event_source.driver import Driver, FunctionFailed
from tests.event_source.expiry import Expiry
from tests.event_source.stream import Stream, make_client
from tests.faults import stores
from tests.faults.archiver_mapping import mapping
from tests.faults.clients import Clients
from tests.faults.clock import SharedClock
from tests.faults.journal import Journal
from tests.faults.plan import Faults
from tests.faults.proxy import Client, FaultProxy
from tests.faults.stores import Stores
from tests.faults.workers import HandlerFailed, Nursery, Worker, WorkerDied
from tests.fix_aws import REGION

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HOT_S = 24 * 3600
ARCHIVE_WITHIN_S = 6 * 3600  # sooner than a deployment: a run has few episodes
POISONED = "poisoned"  # an agent of its own
ROLES = ("writer", "reader", "archiver", "sweeper")
_AT_ONCE = 3  # of one role: one that works, one that is asked meanwhile, and one that Lambda starts beside it


@dataclass
class World:
    """Everything of a run; only one thing happens at a time, but for what is done while a worker is held."""

    rng: random.Random
    stores: Stores
    clock: SharedClock
    faults: Faults
    driver: Driver
    expiry: Expiry
    clients: Clients
    workers: dict[str, list[Worker]]
    last_delivery: dict[str, Any] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)
    written: Mapping[str, datetime] = field(default_factory=dict)
    is_stream_on: bool = True

    @property
    def journal(self) -> Journal:
        """What clients know."""
        return self.clients.journal

    def ask(self, role: str, handler: str, event: dict[str, Any]) -> Any:
        """Let a worker of this role answer: the first one that is not busy."""
        worker = next(each for each in self.workers[role] if not each.is_busy)
        return worker.ask(handler, event)

    def serve(self, handler: str, event: dict[str, Any]) -> Any:
        """Answer a client."""
        return self.ask("reader" if event["routeKey"].startswith("GET ") else "writer", handler, event)

    def archive(self, event: dict[str, Any]) -> Any:
        """Answer the stream.

        Raises:
            FunctionFailed: it was killed, or raised.
        """
        self.last_delivery = event
        try:
            return self.ask("archiver", "archiver", event)
        except (WorkerDied, HandlerFailed) as exc:
            raise FunctionFailed(str(exc)) from exc

    def sweep(self) -> Any:
        """Answer the schedule; what failed or died is done by the next sweep."""
        try:
            return self.ask("sweeper", "sweeper", {})
        except (WorkerDied, HandlerFailed) as exc:
            if isinstance(exc, HandlerFailed) and "StoreUnavailable" not in str(exc):
                raise
            return None

    def redrive(self) -> None:
        """Send what Lambda gave up to the archiver again; a batch that fails stays, as with the command for it."""
        for key in list(self.given_up):
            event = json.loads(json.loads(_read(self.stores, key))["payload"])
            with suppress(FunctionFailed):  # a worker that was killed as it ended is only found dead now
                self.archive(event)
                self.given_up.remove(key)

    def is_idle(self, role: str) -> bool:
        """Whether somebody of this role can be asked."""
        return any(not worker.is_busy for worker in self.workers[role])


def _read(of: Stores, key: str) -> bytes:
    return of.s3.get_object(Bucket=of.failed_bucket, Key=key)["Body"].read()


@contextmanager
def made(at: Ports, folder: Path, seed: int, *, heavy: float, lanes: int, mutation: str) -> Iterator[World]:
    """A world, until the block ends."""
    rng, faults = random.Random(seed), Faults()  # noqa: S311 - a seed has to give the same run again
    clock = SharedClock.made(folder / "clock", START)
    nursery = Nursery(folder, folder / "clock", mutation)
    proxy = FaultProxy(at.ministack, faults, clock)
    try:
        with stores.made(at) as kept:
            world = _assembled(rng, kept, clock, faults, heavy, lanes)
            world.written = proxy.written
            for role in ROLES:
                world.workers[role] = [_worker(world, nursery, proxy, role) for _ in range(_AT_ONCE)]
            try:
                yield world
            finally:
                for worker in (each for role in ROLES for each in world.workers[role]):
                    worker.close()
    finally:
        nursery.close()
        proxy.close()


def _assembled(rng: random.Random, kept: Stores, clock: SharedClock, faults: Faults, heavy: float, lanes: int) -> World:
    client, configured = kept.dynamodb(), mapping(kept.stream_arn, kept.failed_bucket, lanes=lanes)
    expiry = Expiry(client, kept.aws.memory_table, clock)
    stream = Stream(kept.aws.client(make_client), kept.stream_arn, clock, expiry.is_its_work)
    s3 = kept.s3

    def give_up(batch: discarded.Discarded) -> None:
        if key := discarded.keep(s3, configured, batch):
            world.given_up.append(key)

    def archive(event: dict[str, Any]) -> Any:
        return world.archive(event)

    def serve(handler: str, event: dict[str, Any]) -> Any:
        return world.serve(handler, event)

    driver = Driver(configured, stream.read, archive, give_up, clock)
    clients = Clients(rng, Journal(), clock, serve, heavy)
    world = World(rng, kept, clock, faults, driver, expiry, clients, {})
    return world


def _worker(world: World, nursery: Nursery, proxy: FaultProxy, role: str) -> Worker:
    environment: dict[str, str] = {}
    worker = Worker(nursery, role, environment)
    endpoint = proxy.open(Client(role, worker.kill, partial(_meanwhile, world)))
    aws = world.stores.aws
    environment |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": role,
        "MEMORY_TABLE": aws.memory_table,
        "CONTROL_TABLE": aws.control_table,
        "ARCHIVE_BUCKET": aws.bucket,
        "HOT_S": str(HOT_S),
        "ARCHIVE_WITHIN_S": str(ARCHIVE_WITHIN_S),
    }
    return worker


def _meanwhile(world: World) -> None:
    from tests.faults.actions import meanwhile  # noqa: PLC0415 - what happens in a world knows the world

    meanwhile(world)
