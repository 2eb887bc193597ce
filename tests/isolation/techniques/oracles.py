"""Answers that tell by their words or by their time whether something stands behind the wall."""

import statistics

from tests.isolation.arena import Arena, Leak
from tests.isolation.matrix import technique
from tests.isolation.planting import absent
from tests.isolation.routes import Ids, Route
from tests.isolation.wire import Ask

_ROUNDS = 9
# A machine in use is slow now and then, hence both: a ratio that noise does not make, and a difference worth measuring.
_RATIO = 3.0
_DIFFERENCE_S = 0.05


@technique("error text for foreign and absent ids", lambda route: bool(route.ids))
def words(arena: Arena, route: Route) -> None:
    """Word for word the same, whether an id is another tenant's or nobody's."""
    # Another person in the same session is a conflict at home, and must be none here.
    for own in [{}, {"user_id": arena.own.ids["user_id"]}] if "user_id" in route.ids else [{}]:
        victim = arena.fresh(route)
        before = arena.look(victim)
        foreign, nothing = {**victim.ids, **own}, {**absent(), **own}
        for asks in _both(route, foreign, nothing):
            seen = [
                arena.attack(ask).essence(*(ids[name] for name in route.ids))
                for ask, ids in zip(asks, (foreign, nothing), strict=True)
            ]
            if seen[0] != seen[1]:
                raise Leak(f"{route.name} answers differently for another tenant's ids: {seen[0]} or {seen[1]}"[:900])
        arena.unharmed(victim, before)


def _both(route: Route, foreign: Ids, missing: Ids) -> list[tuple[Ask, Ask]]:
    return list(zip(route.asks(foreign), route.asks(missing), strict=True))


@technique("time for foreign and absent ids", lambda route: bool(route.ids) and not route.writes)
def times(arena: Arena, route: Route) -> None:
    """Asked in turns. The median is what is compared; what comes of it is noted in the report."""
    # Under the ids that all attacks share, the attacker has records of its own by now.
    pairs = _both(route, arena.fresh(route).ids, absent())
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for asks in pairs:
            for place, ask in enumerate(asks):
                took[place].append(arena.attack(ask).seconds)
    foreign, missing = (statistics.median(each) for each in took)
    arena.note(f"{route.name}: {foreign * 1000:.1f} ms foreign, {missing * 1000:.1f} ms absent")
    ratio = max(foreign, missing) / max(min(foreign, missing), 1e-9)
    if ratio > _RATIO and abs(foreign - missing) > _DIFFERENCE_S:
        raise Leak(f"{route.name} takes {foreign:.3f} s for foreign ids and {missing:.3f} s for absent ones")
