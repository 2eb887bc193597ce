"""Every route by every technique that applies to it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.isolation import techniques
from tests.isolation.conftest import Judge
from tests.isolation.matrix import TECHNIQUES, Applies, Pair, anything, pairs
from tests.isolation.routes import Route, Unfilled, routes
from tests.isolation.stores import Ground

assert techniques
PAIRS = pairs()
MANDATORY: dict[str, Applies] = {
    "foreign id in the path": lambda route: bool(route.path_ids),
    "foreign id in the query": lambda route: bool(route.query_ids),
    "foreign id in the body": lambda route: bool(route.body_ids),
    "foreign cursor": lambda route: route.takes_cursor,
    "forged tenant in headers": anything,
    "forged tenant in the body": anything,
    "forged tenant in the query": anything,
    "nobody's key": lambda route: route.scope is not None,
}


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_wall_holds(pair: Pair, ground: Ground, judge: Judge, record_property: Callable[[str, Any], None]) -> None:
    ground.arena.notes.clear()
    judge(pair.route.name, pair.technique.name, lambda: pair.run(ground.arena))
    record_property("notes", ground.arena.notes[:])


def test_the_matrix_is_wide() -> None:
    assert len({str(pair) for pair in PAIRS}) == len(PAIRS)
    assert len(PAIRS) >= 150
    assert all(any(pair.technique is each for pair in PAIRS) for each in TECHNIQUES)


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_no_cell_that_has_to_be_filled_is_empty(route: Route) -> None:
    tried = {pair.technique.name for pair in PAIRS if pair.route == route}

    assert {name for name, applies in MANDATORY.items() if applies(route)} <= tried


@pytest.mark.parametrize("route", [each for each in routes() if each.scope], ids=lambda route: route.name)
def test_a_route_answers_the_tenant_whose_records_they_are(route: Route, ground: Ground) -> None:
    """Else that it tells another tenant nothing would prove nothing."""
    planted = ground.arena.fresh(route)
    for place, _ in enumerate(route.asks(planted.ids)):
        # Anew for each form: what one does may leave the other nothing to do.
        ask = list(route.asks(ground.arena.fresh(route).ids))[place]
        answer = ground.arena.victim.send(ask)
        assert answer.status < 300, f"{ask.method} {ask.target}: {answer.text[:500]}"
        for each in (answer.data or {}).get("results", []) if answer.status == 200 else []:
            assert each.get("status", 200) < 300, each


def test_a_route_that_nobody_knows_the_ids_of_is_not_passed_over() -> None:
    unknown = Route("GET /v1/secrets/{secret_id}", "read", {"parameters": []})

    with pytest.raises(Unfilled, match="secret_id"):
        list(unknown.asks({}))
