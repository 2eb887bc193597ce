"""A thousand random histories agree with the model on every as-of and known-at query: in memory, and in PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.domain.fact_store import FactsAsked
from agent_memory.domain.facts import TRUST
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.usage import Tally
from tests.contract.facts import KnownFacts, fact
from tests.facts_model import DAYS, NEVER, PURPOSES, Holds, Restore, Retract, Say, Step, histories, holds, replay
from tests.fakes.clock import Clock
from tests.fakes.facts import InMemoryFactStore
from tests.fix_debian import Ways
from tests.fix_postgres import Aurora

START = datetime(2020, 1, 1, tzinfo=UTC)
THOUSAND = settings(
    max_examples=1000, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
USERS = count()
Seen = list[Holds]


class Query(NamedTuple):
    """One question: what held on a day, as far as it was known, for a purpose or none."""

    day: int
    known_at: datetime
    purpose: str | None


Ask = Callable[[str, list[Query]], list[Seen]]


def check(known: KnownFacts, ask: Ask, steps: list[Step], cardinality: str) -> None:
    """Take the steps, then ask for every day after every step, for each purpose and for none."""
    user, times = f"user {next(USERS)}", []
    taken: list[str] = []
    said = 0
    for step in steps:
        before = known.clock()
        known.clock.turn(seconds=1)
        if isinstance(step, Say):
            say(known, user, step, cardinality, said)
            said += 1
        elif isinstance(step, Restore):
            if taken:
                known.restore(taken.pop())
        elif there := known_on(known, user, step.day):
            known.retract(there)
            taken.append(there)
        assert known.clock() > before
        times.append(known.clock())
    queries = [Query(day, at, purpose) for at in times for day in range(DAYS) for purpose in PURPOSES]
    for query, seen in zip(queries, ask(user, queries), strict=True):
        after = times.index(query.known_at) + 1
        expected = holds(replay(steps, after, cardinality), query.day, cardinality, query.purpose)
        assert seen == expected, (query, after)


def say(known: KnownFacts, user: str, step: Say, cardinality: str, number: int) -> None:
    """What only who hears these words may know: their number."""
    new = fact(
        step.value,
        user_id=user,
        cardinality=cardinality,
        trust=TRUST[step.rank],
        purposes=sorted(step.purposes),
        metadata={"said": number},
        source={"kind": "step", "id": str(number)},
        valid_from=(START + timedelta(days=step.start)).isoformat(),
        valid_to=None if step.end == NEVER else (START + timedelta(days=step.end)).isoformat(),
    )
    known.facts.put(known.tenant, new, Attempt())


def known_on(known: KnownFacts, user: str, day: int) -> str | None:
    asked = FactsAsked(user, known.clock(), as_of=START + timedelta(days=day), purpose="care")
    facts = known.store.facts(known.tenant, asked).facts
    return min((str(each.value), each.id) for each in facts)[1] if facts else None


def day_of(moment: datetime | None) -> int:
    return NEVER if moment is None else (moment - START).days


def in_memory(known: KnownFacts) -> Ask:
    def ask(user: str, queries: list[Query]) -> list[Seen]:
        return [seen_of(known, user, query) for query in queries]

    return ask


def seen_of(known: KnownFacts, user: str, query: Query) -> Seen:
    asked = FactsAsked(
        user, known.clock(), as_of=START + timedelta(days=query.day), known_at=query.known_at, purpose=query.purpose
    )
    return sorted(
        held(
            each.value, each.valid_from, each.valid_to, each.purposes, each.metadata["said"], (each.source or {})["id"]
        )
        for each in known.store.facts(known.tenant, asked).facts
    )


def held(
    value: object,
    start: datetime | None,
    end: datetime | None,
    purposes: Iterable[str],
    said: int,
    source: str,
) -> Holds:
    assert str(said) == source
    return Holds(str(value), day_of(start), day_of(end), frozenset(purposes), said)


ALL_AT_ONCE = """
SELECT place, CAST((k.fact).value AS jsonb) AS value, (k.version).valid_from, nullif((k.version).valid_to, 'infinity'),
    (k.version).purposes, CAST((k.fact).metadata AS jsonb) -> 'said', (k.fact).source_id
FROM unnest(%(days)s::timestamptz[], %(times)s::timestamptz[], %(purposes)s::text[])
    WITH ORDINALITY AS q (as_of, known_at, purpose, place)
CROSS JOIN LATERAL memory.facts_at(%(tenant)s, %(user)s, jsonb_build_object(
    'now', %(now)s::timestamptz, 'as_of', q.as_of, 'known_at', q.known_at, 'purpose', q.purpose, 'limit', 50)) AS k
"""


def in_sql(known: KnownFacts, connection: "psycopg.Connection[tuple[object, ...]]") -> Ask:
    """By the function that every reader goes through, all questions in one call."""

    def ask(user: str, queries: list[Query]) -> list[Seen]:
        found: list[Seen] = [[] for _ in queries]
        days = [START + timedelta(days=query.day) for query in queries]
        asked = {"tenant": known.tenant, "user": user, "now": known.clock(), "days": days}
        connection.execute("SELECT memory.enter_tenant(%s)", (known.tenant,))
        asked |= {"times": [query.known_at for query in queries], "purposes": [query.purpose for query in queries]}
        rows = connection.execute(ALL_AT_ONCE, asked).fetchall()
        connection.rollback()
        for place, *columns in rows:
            found[int(str(place)) - 1].append(held(*columns))  # type: ignore[arg-type]
        return [sorted(each) for each in found]

    return ask


CARDINALITIES = st.sampled_from(["one", "one", "many"])
BETWEEN: list[Step] = [Say("A", 1, NEVER, 3), Say("A", 5, NEVER, 3), Say("B", 3, NEVER, 3), Retract(3), Restore()]


@THOUSAND
@given(histories(9), CARDINALITIES)
@example(BETWEEN, "one")
def test_the_rule_in_python_agrees_with_the_model(steps: list[Step], cardinality: str) -> None:
    store = InMemoryFactStore()
    known = KnownFacts(store, lambda: store, "acme", Clock())
    check(known, in_memory(known), steps, cardinality)


@pytest.fixture(scope="module")
def connection(migrated: Aurora) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(migrated.app_dsn()) as opened:
        yield opened


@THOUSAND
@given(histories(6), CARDINALITIES)
@example(BETWEEN, "one")
def test_postgresql_agrees_with_the_model(
    ways: Ways,
    migrated: Aurora,
    connection: "psycopg.Connection[tuple[object, ...]]",
    steps: list[Step],
    cardinality: str,
) -> None:
    store = SqlFactStore(ways("direct", migrated), Tally())
    known = KnownFacts(store, lambda: store, "acme", Clock())
    check(known, in_sql(known, connection), steps, cardinality)
