"""What happens in a run, one thing after the other, each chosen by the seed."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from tests.event_source.driver import FunctionFailed
from tests.faults.clients import AGENTS
from tests.faults.walks import ORDERS, Order, compare, walk
from tests.faults.world import POISONED, World

Action = Callable[[World], object]


def act(world: World) -> None:
    """One thing."""
    actions, weights = zip(*_ACTIONS, strict=True)
    world.rng.choices(actions, weights)[0](world)


def meanwhile(world: World) -> None:
    """What is done while a worker waits in the middle of something: the shorter things, without turning the clock."""
    was_on, world.faults.is_on = world.faults.is_on, False
    try:
        for _ in range(world.rng.randint(1, 3)):
            actions, weights = zip(*_MEANWHILE, strict=True)
            world.rng.choices(actions, weights)[0](world)
    finally:
        world.faults.is_on = was_on


def deliver(world: World) -> None:
    """The stream reaches the archiver: some lanes, in any order, if it is on."""
    world.driver.take()
    due = world.driver.due()
    if not world.is_stream_on or not due or not world.is_idle("archiver"):
        return
    for lane in world.rng.sample(due, world.rng.randint(1, len(due))):
        world.driver.deliver(lane)


def deliver_again(world: World) -> None:
    """What was delivered comes again."""
    lanes = [lane for lane in world.driver.lanes.values() if lane.delivered and not lane.is_busy]
    if world.is_stream_on and lanes:
        world.driver.rewind(world.rng.choice(lanes), world.rng.randint(1, 5))


def deliver_twice(world: World) -> None:
    """Lambda did not hear of the last delivery, and sends it once more while it is worked at."""
    if world.last_delivery and world.is_idle("archiver"):
        with suppress(FunctionFailed):
            world.archive(world.last_delivery)


def poison(world: World) -> None:
    """A record that nobody can read stands in the table, among those of a healthy agent's tenant."""
    item = {"pk": {"S": f"{AGENTS[0].tenant_id}#{POISONED}#0"}, "sk": {"S": f"EPISODE#never#{world.journal.step()}"}}
    world.stores.dynamodb().call("PutItem", {"TableName": world.stores.aws.memory_table, "Item": item})


def switch_stream(world: World) -> None:
    """The mapping is disabled for a while, or enabled again, which is done sooner."""
    world.is_stream_on = not world.is_stream_on or world.rng.random() < 0.7


def sweep(world: World) -> None:
    """The schedule asks; not while a reader is held: a sweep waits longer than any request takes."""
    if world.is_idle("sweeper") and not any(worker.is_busy for worker in world.workers["reader"]):
        world.sweep()


def expire(world: World) -> None:
    """DynamoDB removes some of what may go."""
    share = world.rng.choice([0.2, 1.0])
    world.expiry.sweep(lambda: world.rng.random() < share)


def purge(world: World) -> None:
    """Somebody has an agent removed."""
    world.clients.purge(world.rng.choice(AGENTS))


def read(world: World) -> None:
    """A walk, with other things between its pages."""
    agent, since, before = world.rng.choice(AGENTS), world.clock(), world.journal.step()
    order: Order = world.rng.choice(ORDERS)
    limit = world.rng.choice([5, 20, 100])

    def between() -> None:
        if world.rng.random() < 0.3:
            world.rng.choice((deliver, expire, sweep, lambda each: each.clients.write_one()))(world)

    found = walk(world.clients, agent, order, limit, between)
    if found is not None:
        compare(world.journal, agent, found, before, since, world.clock())


def turn(world: World) -> None:
    """The clock jumps, seldom back."""
    world.driver.take()  # so that records know when they came
    hours = world.rng.choices(
        [world.rng.uniform(0, 0.2), world.rng.uniform(0, 3), world.rng.uniform(3, 40)], [4, 5, 1.5]
    )
    back = world.rng.random() < 0.05
    world.clock.turn(timedelta(seconds=-world.rng.uniform(0, 30)) if back else timedelta(hours=hours[0]))


_ACTIONS: list[tuple[Action, float]] = [
    (lambda world: world.clients.write_one(), 40),
    (lambda world: world.clients.write_many(), 5),
    (lambda world: world.clients.write_state(), 8),
    (lambda world: world.clients.write_large(), 1.6),
    (lambda world: world.clients.write_uploaded(), 0.8),
    (turn, 8),
    (deliver, 12),
    (deliver_again, 1),
    (expire, 2),
    (sweep, 2),
    (read, 1),
    (switch_stream, 1),
    (purge, 0.3),
    (poison, 0.1),
]
_MEANWHILE: list[tuple[Action, float]] = [
    (lambda world: world.clients.write_one(), 4),
    (lambda world: world.clients.write_many(), 1),
    (deliver, 2),
    (deliver_twice, 4),
    (expire, 2),
    (sweep, 1),
    (purge, 0.3),
]
