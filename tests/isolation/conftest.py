"""The deployment under attack, and the report of a run."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.isolation import report, target
from tests.isolation.arena import Arena, Leak, Tenant
from tests.isolation.in_process import deployed
from tests.isolation.report import HELD, LEAKED, NOT_RUN, UNPROVEN, Result
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Ground, Stores
from tests.isolation.wire import Door, HttpDoor

Judge = Callable[[str, str, Callable[[], None]], None]


@pytest.fixture(scope="module")
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Two tenants of the deployment that the environment names, or of handlers in this process."""
    chosen = target.named()
    if chosen is None:
        with deployed(request.getfixturevalue("moto"), request.getfixturevalue("migrated")) as deployment:
            yield stand(deployment.door, deployment.tenants, deployment.keys, deployment.stores)
        return
    with closing(HttpDoor(chosen.api_url)) as door:
        made = stand(door, chosen.tenants, chosen.keys, chosen.stores)
        yield made
        made.arena.attacker.remove()
        made.arena.victim.remove()


def stand(door: Door, tenants: tuple[str, str], keys: tuple[str, str], stores: Stores) -> Ground:
    """Let both tenants have something to find."""
    attacker, victim = (Tenant(name, key, door) for name, key in zip(tenants, keys, strict=True))
    return Ground(stores, Arena(attacker, victim))


@pytest.fixture
def judge(record_property: Callable[[str, Any], None]) -> Judge:
    """Run one pair and note what came of it."""

    def run(place: str, technique: str, attack: Callable[[], None]) -> None:
        record_property("place", place)
        record_property("technique", technique)
        try:
            attack()
        except Leak as exc:
            record_property("said", str(exc)[:500])
            record_property("verdict", LEAKED)
            raise
        except Unfilled as exc:
            record_property("said", str(exc)[:500])
            record_property("verdict", UNPROVEN)
            raise
        record_property("verdict", HELD)

    return run


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table."""
    told = [
        (dict(each.user_properties), each)
        for reports in terminalreporter.stats.values()
        for each in reports
        if getattr(each, "when", None) == "call"
    ]
    results = [
        Result(
            properties["place"],
            properties["technique"],
            properties.get("verdict", NOT_RUN if each.skipped else UNPROVEN),
            properties.get("said", _why(each)),
        )
        for properties, each in told
        if "place" in properties
    ]
    if results:
        terminalreporter.section("the tenant wall")
        for line in report.table(results):
            terminalreporter.write_line(line)
    for properties, _ in told:
        for line in properties.get("notes", []):
            terminalreporter.write_line(f"median: {line}")


def _why(outcome: Any) -> str:
    """Why something was not run, or the end of what went wrong."""
    told = outcome.longrepr
    return str(told[2] if isinstance(told, tuple) else told or "")[-300:]
