"""Facts: what is believed of a user, and the rule by which it follows from what was said.

What was said is a `Statement`, and stays. Which values hold when follows from all statements that stand, by a walk
through valid time (`timeline`); SQL does the same (110_fact_timeline.sql), and tests compare the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from agent_memory.domain.fact_requests import Cardinality, NewFact, Why
from agent_memory.domain.fields import JsonObject

TRUST = ("tool_external", "tool_internal", "inference", "direct_user")
FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fact:
    """A belief: see `FactResponse`."""

    id: str
    user_id: str
    agent_id: str | None
    subject: str
    predicate: str
    cardinality: Cardinality
    value: object
    valid_from: datetime | None
    valid_to: datetime | None
    known_from: datetime
    known_to: datetime | None
    why: Why
    by: str | None
    trust: str
    session_id: str | None
    source: JsonObject | None
    metadata: JsonObject
    purposes: tuple[str, ...]
    expires_at: datetime | None

    def response(self) -> JsonObject:
        """`FactResponse`, with the source where one was given."""
        told: JsonObject = {name: getattr(self, name) for name in self.__slots__}
        if self.source is None:
            del told["source"]
        return told


class Saying(NamedTuple):
    """A fact on its way into the store: the request, the id it gets unless it says what another one says."""

    id: str
    new: NewFact
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a saying."""

    fact: Fact
    superseded: tuple[str, ...]

    def response(self) -> JsonObject:
        """`ToldFactResponse`."""
        return {"fact": self.fact.response(), "superseded": list(self.superseded)}


class Statement(NamedTuple):
    """What was said, as far as the rule looks at it; `said` is the order in which."""

    id: str
    said: int
    value_key: str
    valid_from: datetime
    valid_to: datetime
    rank: int
    purposes: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(slots=True)
class Run:
    """Statements of one value that follow each other: one fact, which holds from the first until the last ends."""

    value_key: str
    joined: list[Statement] = field(default_factory=list)
    same: list[Statement] = field(default_factory=list)  # that say it too
    kept: list[Statement] = field(default_factory=list)  # of these, those that say how long it is kept
    # Of other values, by value, in the order in which they were said; and whether less trusted.
    ruled_out: dict[str, list[tuple[Statement, bool]]] = field(default_factory=dict)
    cut: datetime = FOREVER
    cut_by: "Run | None" = None

    @property
    def owner(self) -> Statement:
        """The one that was said first: its id is the fact's."""
        return min(self.same, key=lambda each: each.said)

    @property
    def end(self) -> datetime:
        """Where it ends, as far as it was said."""
        return max(each.valid_to for each in self.joined)

    def in_force(self, at: datetime) -> Statement | None:
        """The statement that holds at a time behind all of them: the one that began last."""
        return next((each for each in reversed(self.joined) if each.valid_to > at), None)


def timeline(statements: Iterable[Statement]) -> list[Run]:
    """What follows from statements about one (user, agent, subject, predicate), and one value where it may have many.

    Of statements that begin at one time the most trusted stands, of those the last said. One that begins while a more
    trusted one holds has no effect. Otherwise it closes what holds, for good, or goes on with it if it says the same.
    """
    runs: list[Run] = []
    ordered = sorted(statements, key=lambda each: (each.valid_from, -each.rank, -each.said))
    for start, together in groupby(ordered, key=lambda each: each.valid_from):
        best, *others = together
        run = runs[-1] if runs else None
        holds = run.in_force(start) if run else None
        joins = holds is None or best.rank >= holds.rank
        if joins:
            if run is None or run.value_key != best.value_key or start > run.end:
                new = Run(best.value_key)
                if run is not None and holds is not None:
                    run.cut, run.cut_by = start, new
                run = new
                runs.append(run)
            run.joined.append(best)
        assert run is not None  # noqa: S101 - what has no effect has something before it
        _place(run, best, less_trusted=True)
        for other in others:
            _place(run, other, less_trusted=not joins or other.rank < best.rank)
        if best.value_key == run.value_key:
            run.kept.append(best)
    return runs


def _place(run: Run, statement: Statement, *, less_trusted: bool) -> None:
    if statement.value_key == run.value_key:
        run.same.append(statement)
    else:
        alike = run.ruled_out.setdefault(statement.value_key, [])
        alike.append((statement, less_trusted))
        alike.sort(key=lambda each: each[0].said)
