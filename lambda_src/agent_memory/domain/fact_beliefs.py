"""What is believed of facts, by the rule of `timeline`, and what of that is told to whom.

SQL does the same (109_fact_views.sql, 111_settle_facts.sql), and tests compare the two.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from agent_memory.domain.fact_requests import Why
from agent_memory.domain.facts import Run, Statement


class View(NamedTuple):
    """What a reader for one purpose knows of a fact, for a stretch of its time."""

    purpose: str
    valid_from: datetime
    valid_to: datetime
    said_by: str
    purposes: tuple[str, ...]
    expires_at: datetime | None


class Belief(NamedTuple):
    """What is believed of a fact: `why` is None for one that holds.

    Where it was said for different purposes `views` has for each what was said for it, the last words last.
    """

    id: str
    valid_from: datetime | None
    valid_to: datetime | None
    why: Why | None
    by: str | None
    said_by: str
    purposes: tuple[str, ...]
    expires_at: datetime | None
    views: tuple[View, ...] = ()


def seen(belief: Belief, heard: frozenset[str], as_of: datetime | None = None) -> Belief | None:
    """A belief as those may see it who hear what was said for these purposes; None when they may not.

    At a valid time, or else by the last words that they hear.
    """
    if not belief.views:
        return belief if not belief.purposes or heard & {*belief.purposes} else None
    for view in reversed(belief.views):
        if view.purpose in heard and (as_of is None or view.valid_from <= as_of < view.valid_to):
            words, purposes = view.said_by, view.purposes
            return Belief(
                belief.id, view.valid_from, view.valid_to, belief.why, belief.by, words, purposes, view.expires_at
            )
    return None


def kept_until(belief: Belief, heard: frozenset[str]) -> datetime | None:
    """When it expires for those who hear what was said for these purposes; None is never."""
    return next((view.expires_at for view in belief.views if view.purpose in heard), belief.expires_at)


def beliefs(runs: Sequence[Run]) -> Iterator[Belief]:
    """What is believed of each statement's fact, that of those that say what another says included."""
    for run in runs:
        owner, last = run.owner.id, max(run.joined, key=lambda each: each.said)
        purposes = tuple(sorted({purpose for each in run.joined for purpose in each.purposes}))
        start, by = run.joined[0].valid_from, None if run.cut_by is None else run.cut_by.owner.id
        end, upto = min(run.end, run.cut), _latest(run.kept)
        yield Belief(owner, start, end, None, by, last.id, purposes, upto, tuple(_views(run, purposes)))
        yield from _merged(run.same)
        for without_effect in run.ruled_out.values():
            first, newest = without_effect[0][0], without_effect[-1][0]
            why: Why = "outranked" if all(less_trusted for _, less_trusted in without_effect) else "superseded"
            yield Belief(first.id, None, None, why, owner, newest.id, newest.purposes, newest.expires_at)
            yield from _merged([each for each, _ in without_effect])


def _views(run: Run, purposes: Sequence[str]) -> list[View]:
    """For each purpose the stretches of which something was said for it; none where all was said for the same ones."""
    if len({each.purposes for each in run.kept}) == 1:
        return []
    views: list[tuple[int, View]] = []
    for purpose in purposes:
        kept, joined = (
            [each for each in some if not each.purposes or purpose in each.purposes] for some in (run.kept, run.joined)
        )
        for stretch in _stretches(joined):
            last = max(stretch, key=lambda each: each.said)
            end = min(run.cut, max(each.valid_to for each in stretch))
            beside = tuple(sorted({purpose}.union(*(each.purposes for each in stretch))))
            views.append((last.said, View(purpose, stretch[0].valid_from, end, last.id, beside, _latest(kept))))
    return [view for _, view in sorted(views, key=lambda each: (each[0], each[1].purpose, each[1].valid_from))]


def _stretches(joined: Sequence[Statement]) -> list[list[Statement]]:
    """Statements, in the order in which they begin, parted where between them nothing holds."""
    parts: list[list[Statement]] = []
    for each in joined:
        if parts and each.valid_from <= max(other.valid_to for other in parts[-1]):
            parts[-1].append(each)
        else:
            parts.append([each])
    return parts


def _latest(statements: Sequence[Statement]) -> datetime | None:
    """Until when all is kept; None is for ever."""
    expiries = [each.expires_at for each in statements]
    return None if None in expiries else max(filter(None, expiries))


def _merged(statements: Sequence[Statement]) -> Iterator[Belief]:
    owner = min(statements, key=lambda each: each.said)
    for each in statements:
        if each is not owner:
            yield Belief(each.id, None, None, "merged", owner.id, each.id, each.purposes, each.expires_at)
