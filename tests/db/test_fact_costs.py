"""What a change of facts reads: its own predicate, whatever else the tenant, the user or the past holds."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.domain.fact_store import MAX_STATEMENTS
from agent_memory.domain.usage import Tally
from agent_memory.errors import Conflict
from tests.contract.facts import KnownFacts, fact
from tests.db.in_transaction import InTransaction
from tests.fakes.clock import Clock
from tests.fix_postgres import Aurora

Connection = psycopg.Connection[Any]

OTHERS = 20_000  # facts of other users
OFTEN = 5_000  # statements of one predicate
START = datetime(2010, 1, 1, tzinfo=UTC)
# One statement, said of many users, or of one user many times, with its belief: as if each had been put by itself.
_SAID = """
INSERT INTO memory.facts (tenant_id, fact_id, owner_id, user_id, subject, predicate, subject_key, predicate_key,
    cardinality, value, value_key, valid_from, valid_to, said, trust, metadata, purposes, recorded_at)
SELECT f.tenant_id, made.id, made.id, %(user)s || made.n / %(each)s, f.subject, f.predicate, f.subject_key,
    CASE WHEN %(each)s < %(rows)s THEN made.id ELSE f.predicate_key END, f.cardinality, CAST(made.n AS text), made.id,
    %(start)s + made.n * interval '1 hour', 'infinity', 1000 + made.n %% %(each)s, f.trust, f.metadata, f.purposes,
    %(start)s
FROM memory.facts AS f
CROSS JOIN (SELECT n, gen_random_uuid() AS id FROM generate_series(0, %(rows)s - 1) AS n) AS made
WHERE f.tenant_id = %(tenant)s AND f.user_id = 'seed'
"""
_BELIEVED = """
INSERT INTO memory.fact_versions (tenant_id, fact_id, known_from, user_id, valid_from, valid_to, why, by_id, said_by,
    purposes)
SELECT tenant_id, fact_id, recorded_at, user_id, valid_from,
    coalesce(lead(valid_from) OVER following, 'infinity'), 'asserted', lead(fact_id) OVER following, fact_id, '{}'
FROM memory.facts AS f
WHERE tenant_id = %(tenant)s AND NOT EXISTS (
    SELECT FROM memory.fact_versions AS v WHERE v.tenant_id = f.tenant_id AND v.fact_id = f.fact_id)
WINDOW following AS (PARTITION BY user_id, predicate_key ORDER BY valid_from)
"""


@pytest.fixture(scope="module", params=[False, True], ids=["never analysed", "analysed"])
def filled(migrated: Aurora, request: pytest.FixtureRequest) -> Iterator[Aurora]:
    """A tenant of many users of whom much is known, and one of whom one thing was said 5,000 times."""
    with migrated.superuser() as superuser:
        store = SqlFactStore(InTransaction(superuser), Tally())
        KnownFacts(store, lambda: store, "acme", Clock()).say("seed", user_id="seed")
        said = {"tenant": "acme", "start": START}
        superuser.execute(_SAID, said | {"user": "user ", "rows": OTHERS, "each": 20})
        superuser.execute(_SAID, said | {"user": "often ", "rows": OFTEN, "each": OFTEN})
        superuser.execute(_BELIEVED, said)
        superuser.execute("INSERT INTO memory.fact_bundles VALUES ('acme', 'often 0', 100, %s)", (START,))
        if request.param:
            superuser.execute("ANALYZE memory.facts, memory.fact_versions, memory.fact_bundles")
    yield migrated
    with migrated.superuser() as superuser:
        superuser.execute("TRUNCATE memory.facts, memory.fact_bundles, memory.answers CASCADE")


@pytest.fixture
def app(filled: Aurora) -> Iterator[Connection]:
    with psycopg.connect(filled.app_dsn(), row_factory=dict_row, prepare_threshold=None) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(params=["auto", "force_generic_plan"])
def acme(app: Connection, request: pytest.FixtureRequest) -> KnownFacts:
    app.execute("SELECT set_config('plan_cache_mode', %s, true)", (request.param,))
    store = SqlFactStore(InTransaction(app), Tally())
    return KnownFacts(store, lambda: store, "acme", Clock())


def read(app: Connection) -> dict[str, int]:
    """Rows and index entries of facts that this transaction has read, by table and index."""
    rows = app.execute("""
        SELECT relname, pg_stat_get_xact_tuples_returned(oid) AS tuples FROM pg_class
        WHERE relnamespace = CAST('memory' AS regnamespace) AND relkind IN ('i', 'r') AND relname LIKE 'fact%'
    """).fetchall()
    return {row["relname"]: row["tuples"] for row in rows if row["tuples"]}


def steps(plan: dict[str, Any]) -> Iterator[float]:
    """Rows that each step of a plan has seen, all its loops together."""
    seen = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    yield plan["Actual Loops"] * sum(plan.get(name, 0) for name in seen)
    for each in plan.get("Plans", []):
        yield from steps(each)


def check_at_most(app: Connection, most: int) -> None:
    """No more was read of any index, and nothing of a table as a whole."""
    reads = read(app)
    assert not {"facts", "fact_versions"} & reads.keys(), reads
    assert max(reads.values()) <= most, reads


def test_a_fact_is_written_without_a_look_at_those_of_other_users(app: Connection, acme: KnownFacts) -> None:
    paris = acme.say("Paris", 1, user_id="new")
    berlin = acme.say("Berlin", 5, user_id="new")

    assert berlin.superseded == (paris.fact.id,)
    check_at_most(app, 30)


def test_a_bundle_is_written_without_a_look_at_those_of_other_users(app: Connection, acme: KnownFacts) -> None:
    acme.say_all([fact("Paris", 1, predicate=f"predicate {number}") for number in range(100)])
    told = acme.say_all([fact("Berlin", 5, predicate=f"predicate {number}") for number in range(100)])

    assert all(len(each.superseded) == 1 for each in told)
    check_at_most(app, 100 * 20)


def test_a_fact_is_taken_back_and_read_without_a_look_at_those_of_other_users(
    app: Connection, acme: KnownFacts
) -> None:
    berlin = acme.say("Berlin", 5, user_id="new").fact.id
    acme.retract(berlin)
    acme.restore(berlin)

    assert len(acme.history(berlin)) == 3
    assert acme.values(6, user_id="new") == acme.values(6, user_id="new", known_at=acme.clock()) == ["Berlin"]
    assert acme.values(6, user_id="new", subject="Ana", predicate="lives in") == ["Berlin"]
    check_at_most(app, 60)


def test_what_has_expired_leaves_without_a_look_at_those_of_other_users(app: Connection, acme: KnownFacts) -> None:
    acme.say("Paris", 1, user_id="new")
    acme.say("Berlin", 5, user_id="new", ttl_hours=1)
    acme.clock.turn(hours=2)

    acme.say("tea", 1, user_id="new", predicate="likes")

    assert acme.values(4, user_id="new", predicate="lives in") == ["Paris"]
    assert acme.values(6, user_id="new", predicate="lives in") == []
    check_at_most(app, 60)


def test_a_predicate_of_5000_statements_takes_another_one(app: Connection, acme: KnownFacts) -> None:
    late = (START + timedelta(hours=OFTEN // 2, minutes=1)).isoformat()
    told = acme.say("new", user_id="often 0", valid_from=late)

    assert len(told.superseded) == 1
    assert told.fact.valid_to == START + timedelta(hours=OFTEN // 2 + 1)
    check_at_most(app, 6 * OFTEN)


def test_of_one_predicate_so_many_statements_stand_and_the_next_is_a_conflict_that_says_so(
    app: Connection, acme: KnownFacts
) -> None:
    acme.values(user_id="often 0")
    more = {"tenant": "acme", "start": START + timedelta(hours=OFTEN), "user": "often ", "rows": MAX_STATEMENTS - OFTEN}
    app.execute(_SAID.replace("1000 + made.n", "9000 + made.n"), more | {"each": MAX_STATEMENTS - OFTEN})
    app.execute("UPDATE memory.facts SET retracted_by = fact_id WHERE user_id = 'often 0' AND said = 1000")
    last = acme.say("last", user_id="often 0", valid_from=START.isoformat())
    with pytest.raises(Conflict) as refused:
        acme.say_all([fact("tea", predicate="likes", user_id="often 0"), fact("too many", user_id="often 0")])

    rule = "must have at most 10,000 statements that stand, of one subject and agent"
    assert refused.value.details == [{"field": "items.1.predicate", "rule": rule}]
    assert acme.values(user_id="often 0", predicate="likes") == []
    acme.retract(last.fact.id)
    assert acme.say("again", user_id="often 0").fact.value == "again"


def test_what_follows_from_5000_statements_is_one_walk(app: Connection, acme: KnownFacts) -> None:
    """The steps of the very statement in the function see each statement a few times, and not each with each."""
    assert acme.values(user_id="often 0")  # as whom the statement is explained, too
    scope = app.execute("""
        SELECT subject_key, predicate_key FROM memory.facts WHERE user_id = 'often 0' LIMIT 1
    """).fetchone()
    function = app.execute("""
        SELECT proconfig, prosrc FROM pg_proc
        WHERE pronamespace = CAST('memory' AS regnamespace) AND proname = 'fact_beliefs'
    """).fetchone()
    assert scope
    assert function
    for setting, _, value in (each.partition("=") for each in function["proconfig"]):
        app.execute("SELECT set_config(%s, %s, true)", (setting, value))
    statement = function["prosrc"].partition("RETURN QUERY")[2].rpartition(";")[0]
    given = {"tenant": "acme", "user": "often 0", "subject": scope["subject_key"], "predicate": scope["predicate_key"]}
    for name in ("tenant", "of_user", "of_subject", "of_predicate", "of_agent", "of_value"):
        statement = re.sub(rf"\b{name}\b", f"%({name.removeprefix('of_')})s", statement)
    row = (
        psycopg.ClientCursor(app)
        .execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement, given | {"agent": None, "value": None})
        .fetchone()
    )

    assert row
    work = list(steps(row["QUERY PLAN"][0]["Plan"]))
    assert max(work) >= OFTEN
    assert sum(work) <= 40 * OFTEN
