"""Where workers are killed, and what else goes wrong: each seed draws its share."""

import random

from tests.faults.plan import ANYWHERE, Effect, Fault, Faults, When

KILL_POINTS = (
    "writer.put_episode",
    "writer.put_state",
    "writer.put_body",
    "writer.copy_body",
    "writer.commit_pointer",
    "writer.begin_epoch",
    "archiver.note_pending",
    "archiver.read_pending",
    "archiver.read_epoch",
    "archiver.read_hot",
    "archiver.put_object",
    "archiver.get_object",
    "archiver.commit_index",
    "archiver.evict",
    "archiver.forget_pending",
    "archiver.remove_body",
    "sweeper.scan",
    "sweeper.get_object",
    "sweeper.put_object",
    "sweeper.swap",
    "sweeper.remove_object",
    "sweeper.list_objects",
)
RARE = (
    "writer.copy_body",
    "writer.begin_epoch",
    "writer.begin_epoch",
    "archiver.remove_body",
    "archiver.remove_body",
    "archiver.evict",
    "archiver.get_object",
    "sweeper.get_object",
    "sweeper.swap",
    "sweeper.swap",
    "sweeper.remove_object",
    "sweeper.remove_object",
    "sweeper.scan",
    "writer.put_body",
)
WHENS: tuple[When, ...] = ("before", "after")
_KILLED = 0.6
_WAITING = 10
_GIVEN_UP = 0.1
_RARE_ONES = 7
_TROUBLE: tuple[Effect, ...] = ("lose", "error 500", "error 503", "throttle", "delay", "meanwhile", "meanwhile")
_ROLES = ("writer", "writer", "archiver", "archiver", "sweeper", "reader")


def prepare(faults: Faults, dice: random.Random) -> None:
    """Let kills wait at some of the points that a run comes to once or twice."""
    for point in dice.sample(RARE, _RARE_ONES):
        faults.waiting.append(Fault(point, dice.choice(WHENS), "kill", patient=True))


def arm(faults: Faults, dice: random.Random) -> None:
    """Let some faults wait at all times; now and then one that nobody comes by is given up."""
    waiting = [fault for fault in faults.waiting if not fault.patient]
    if len(waiting) == _WAITING and dice.random() < _GIVEN_UP:
        faults.waiting.remove(waiting.pop(0))
    for _ in range(_WAITING - len(waiting)):
        faults.waiting.append(_kill(dice) if dice.random() < _KILLED else _trouble(dice))


def _kill(dice: random.Random) -> Fault:
    if dice.random() < 0.15:
        return Fault(f"{dice.choice(_ROLES)}.{ANYWHERE}", dice.choice(WHENS), "kill", dice.randrange(30))
    return Fault(dice.choice(KILL_POINTS), dice.choice(WHENS), "kill", dice.randrange(3))


def _trouble(dice: random.Random) -> Fault:
    if dice.random() < 0.25:
        return Fault(dice.choice(("archiver.put_object", "sweeper.put_object")), "before", "corrupt")
    if dice.random() < 0.5:
        return Fault(dice.choice(KILL_POINTS), dice.choice(WHENS), dice.choice(_TROUBLE), dice.randrange(3))
    return Fault(f"{dice.choice(_ROLES)}.{ANYWHERE}", dice.choice(WHENS), dice.choice(_TROUBLE), dice.randrange(30))


def kills() -> list[str]:
    """What coverage calls each kill point."""
    return [Fault(point, when, "kill").covered for point in KILL_POINTS for when in WHENS]
