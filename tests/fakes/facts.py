"""Facts in memory: statements, and versions that follow the rule of `domain/facts.py`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from agent_memory.domain.fact_beliefs import Belief, beliefs, kept_until, seen
from agent_memory.domain.fact_names import predicate_key, subject_key
from agent_memory.domain.fact_requests import Why
from agent_memory.domain.fact_store import (
    MAX_STATEMENTS,
    CardinalityDiffers,
    Change,
    Changed,
    FactAnswered,
    FactPage,
    FactPosition,
    FactsAsked,
    PredicateCrowded,
)
from agent_memory.domain.facts import FOREVER, TRUST, Fact, Saying, Statement, Told, timeline
from agent_memory.domain.idempotency import KEEP, IdempotencyRecord
from agent_memory.domain.metadata import value_key
from agent_memory.domain.usage import Tally

_TICK = timedelta(microseconds=1)
Scope = tuple[str | None, str, str]


@dataclass
class Said:
    """What was said, and what became of it."""

    saying: Saying
    statement: Statement
    scope: Scope
    cardinality: str
    owner: str
    closed_at: datetime = FOREVER
    retracted_by: str | None = None

    @property
    def stands(self) -> bool:
        return self.retracted_by is None and self.closed_at > self.statement.valid_from


@dataclass
class Version:
    """A belief for as long as it was held."""

    belief: Belief
    why: Why
    known_from: datetime
    known_to: datetime = FOREVER

    def live(self, now: datetime) -> bool:
        return self.belief.expires_at is None or self.belief.expires_at > now


class Bundle:
    """All that is known of a user."""

    def __init__(self) -> None:
        self.version = 0
        self.known_at: datetime | None = None
        self.said: dict[str, Said] = {}
        self.versions: dict[str, list[Version]] = {}

    def next(self, now: datetime) -> datetime:
        self.version += 1
        self.known_at = now if self.known_at is None else max(now, self.known_at + _TICK)
        return self.known_at

    def settle(self, scope: Scope, value: str | None, known: datetime, cause: Why) -> None:
        """Let beliefs follow what stands."""
        standing = [
            replace_end(each)
            for each in self.said.values()
            if each.scope == scope and each.stands and value in (None, each.statement.value_key)
        ]
        runs = timeline(standing)
        for run in runs:
            for each in run.same:
                self.said[each.id].owner = run.owner.id
            for alike in run.ruled_out.values():
                for each, _ in alike:
                    self.said[each.id].owner = alike[0][0].id
        for belief in beliefs(runs):
            last = self.last(belief.id)
            if belief.why == "merged" and last is None:
                continue
            if last is None or last.belief._replace(why=None) != belief._replace(why=None):
                self.believe(belief, belief.why or _why(belief, last, cause), known)

    def believe(self, belief: Belief, why: Why, known: datetime) -> None:
        if last := self.last(belief.id):
            last.known_to = known
        self.versions.setdefault(belief.id, []).append(Version(belief, why, known))

    def without_hidden(self, belief: Belief, heard: frozenset[str]) -> Belief:
        """The belief; the fact that closed it is named to those who see that one."""
        other = self.last(belief.by) if belief.by else None
        hides = other is None or (other.belief.purposes and not heard & {*other.belief.purposes})
        return belief._replace(by=None) if hides else belief

    def last(self, fact_id: str) -> Version | None:
        versions = self.versions.get(fact_id)
        return versions[-1] if versions else None

    def remove_expired(self, now: datetime) -> None:
        expired = [each for each, versions in self.versions.items() if not versions[-1].live(now)]
        for gone in expired:
            for other, versions in self.versions.items():
                belief = versions[-1].belief
                if belief.by == gone and versions[-1].why != "merged":
                    for said in self.said.values():
                        if said.owner == other and said.owner != gone:
                            said.closed_at = min(said.closed_at, belief.valid_to or said.statement.valid_from)
            self.remove([each for each, said in self.said.items() if gone in (each, said.owner)])

    def remove(self, ids: Sequence[str]) -> None:
        for each in ids:
            self.said.pop(each, None)
            self.versions.pop(each, None)


def replace_end(said: Said) -> Statement:
    return said.statement._replace(valid_to=min(said.statement.valid_to, said.closed_at))


def _why(belief: Belief, last: Version | None, cause: Why) -> Why:
    was = last.belief if last else None
    assert belief.valid_from is not None
    assert belief.valid_to is not None
    if was is not None and cause != "asserted" and (was.valid_to is None or belief.valid_to > was.valid_to):
        return "restored"
    if was is None or was.valid_to is None or was.valid_from is None:
        return "asserted"
    if belief.by is not None and (belief.valid_to < was.valid_to or (was.by is not None and belief.by != was.by)):
        return "superseded"
    if belief.valid_to < was.valid_to or belief.valid_from > was.valid_from or cause == "retracted":
        return "corrected"
    return cause


class InMemoryFactStore:
    """`FactStore`."""

    def __init__(self, tally: Tally | None = None) -> None:
        self._tally = tally or Tally()
        self._bundles: dict[tuple[str, str], Bundle] = {}
        self._answers: dict[tuple[str, str], tuple[IdempotencyRecord, list[Told]]] = {}
        self._lock = Lock()

    def put(
        self, tenant_id: str, user_id: str, sayings: Sequence[Saying], now: datetime, answer: IdempotencyRecord | None
    ) -> list[Told]:
        with self._lock:
            return self._put(tenant_id, user_id, sayings, now, answer)

    def _put(
        self, tenant_id: str, user_id: str, sayings: Sequence[Saying], now: datetime, answer: IdempotencyRecord | None
    ) -> list[Told]:
        self._replay(tenant_id, answer, now)
        bundle = self._bundles.setdefault((tenant_id, user_id), Bundle())
        known = bundle.next(now)
        bundle.remove_expired(now)
        said = list(_said(bundle, sayings, known))
        _check_room(bundle, said)
        bundle.said |= {each.statement.id: each for each in said}
        for scope, value in dict.fromkeys(_group(each) for each in said):
            bundle.settle(scope, value, known, "asserted")
        told = [_told(bundle, each.owner, known, each.statement) for each in said]
        if answer is not None:
            self._answers[tenant_id, answer.scope] = answer, told
        for saying in sayings:
            if saying.new.agent_id is not None:
                self._tally.stored(saying.new.agent_id, saying.new.session_id)
        return told

    def change(
        self, tenant_id: str, fact_id: str, change: Change, now: datetime, answer: IdempotencyRecord | None
    ) -> Told | Changed:
        self._replay(tenant_id, answer, now)
        bundle = self._bundle_of(tenant_id, fact_id)
        last = bundle.last(fact_id) if bundle else None
        if bundle is None or last is None or not last.live(now):
            return "absent"
        known, said = bundle.next(now), bundle.said[fact_id]
        in_scope = [each for each in bundle.said.values() if each.scope == said.scope]
        if change == "retract":
            meant = [e for e in in_scope if e.retracted_by is None and fact_id in (e.owner, e.statement.id)]
        elif any(each.retracted_by is None and each.cardinality != said.cardinality for each in in_scope):
            return "clash"
        else:
            meant = [each for each in in_scope if each.retracted_by == fact_id]
        if not meant:
            return "already"
        for each in meant:
            each.retracted_by = fact_id if change == "retract" else None
        if change == "retract":
            bundle.believe(last.belief._replace(valid_from=None, valid_to=None, by=None, views=()), "retracted", known)
        bundle.settle(*_group(said), known, "retracted" if change == "retract" else "restored")
        told = _told(bundle, fact_id if change == "retract" else said.owner, known)
        if answer is not None:
            self._answers[tenant_id, answer.scope] = answer, [told]
        return told

    def facts(self, tenant_id: str, asked: FactsAsked) -> FactPage:
        bundle = self._bundles.get((tenant_id, asked.user_id), Bundle())
        as_of = asked.as_of or max(asked.now, bundle.known_at or asked.now)
        latest = bundle.known_at or asked.now
        heard = frozenset(() if asked.purpose is None else (asked.purpose,))
        known = min(asked.known_at or latest, latest)  # what will be known is not known yet
        found = [
            fact
            for versions in bundle.versions.values()
            for version in versions
            if version.known_from <= known < version.known_to
            for belief in [seen(version.belief, heard, as_of)]
            if belief is not None
            and asked.now < (kept_until(versions[-1].belief, heard) or FOREVER)
            and belief.valid_from is not None
            and belief.valid_to is not None
            and belief.valid_from <= as_of < belief.valid_to
            for fact in [_fact(bundle, version, bundle.without_hidden(belief, heard))]
            if _wanted(fact, asked)
        ]
        found.sort(key=_position, reverse=True)
        behind = [each for each in found if asked.after is None or _position(each) < asked.after]
        return FactPage(behind[: asked.limit], len(behind) > asked.limit, as_of, known)

    def history(
        self, tenant_id: str, fact_id: str, now: datetime, before: datetime | None, limit: int
    ) -> tuple[list[Fact], bool]:
        bundle = self._bundle_of(tenant_id, fact_id)
        if bundle is None or fact_id not in bundle.versions or not bundle.versions[fact_id][-1].live(now):
            return [], False
        told = [_fact(bundle, each, each.belief) for each in reversed(bundle.versions[fact_id])]
        behind = [each for each in told if before is None or each.known_from < before]
        return behind[:limit], len(behind) > limit

    def purge(self, tenant_id: str, agent_id: str) -> int:
        removed = 0
        for (tenant, _), bundle in self._bundles.items():
            ids = [each for each, said in bundle.said.items() if said.scope[0] == agent_id]
            if tenant == tenant_id and ids:
                bundle.remove(ids)
                removed += len(ids)
        return removed

    def _replay(self, tenant_id: str, answer: IdempotencyRecord | None, now: datetime) -> None:
        if answer is None:
            return
        first, told = self._answers.get((tenant_id, answer.scope), (None, []))
        if first is not None and first.started_at + KEEP > now:
            raise FactAnswered(first.request_hash, told if first.request_hash == answer.request_hash else [])

    def _bundle_of(self, tenant_id: str, fact_id: str) -> Bundle | None:
        mine = (bundle for (tenant, _), bundle in self._bundles.items() if tenant == tenant_id)
        return next((bundle for bundle in mine if fact_id in bundle.said), None)


def _said(bundle: Bundle, sayings: Sequence[Saying], known: datetime) -> Iterator[Said]:
    for place, saying in enumerate(sayings):
        new = saying.new
        scope = (new.agent_id, subject_key(new.subject), predicate_key(new.predicate))
        has = next((e.cardinality for e in bundle.said.values() if e.scope == scope and e.retracted_by is None), None)
        if has and new.cardinality not in (None, has):
            raise CardinalityDiffers(place)
        start = new.valid_from or (min(known, new.valid_to - _TICK) if new.valid_to else known)
        statement = Statement(
            id=saying.id,
            said=bundle.version * 1000 + place,
            value_key=value_key(new.value),
            valid_from=start,
            valid_to=new.valid_to or FOREVER,
            rank=TRUST.index(new.trust or "direct_user"),
            purposes=tuple(new.purposes or ()),
            expires_at=saying.expires_at,
        )
        yield Said(saying, statement, scope, new.cardinality or has or "one", saying.id)


def _check_room(bundle: Bundle, said: Sequence[Said]) -> None:
    """Every change looks at all that stands of a predicate."""
    standing = Counter(each.scope for each in (*bundle.said.values(), *said) if each.retracted_by is None)
    for place, each in enumerate(said):
        if standing[each.scope] > MAX_STATEMENTS:
            raise PredicateCrowded(place)


def _group(said: Said) -> tuple[Scope, str | None]:
    return said.scope, said.statement.value_key if said.cardinality == "many" else None


def _told(bundle: Bundle, fact_id: str, known: datetime, own: Statement | None = None) -> Told:
    """What became of a fact; with the statement that was made, as far as that was said for its purposes as well."""
    last = bundle.last(fact_id)
    assert last is not None
    heard = frozenset(own.purposes if own else last.belief.purposes)
    superseded = sorted(
        (each.belief.valid_from or FOREVER, each.belief.id)
        for versions in bundle.versions.values()
        for each in versions
        if each.belief.by == fact_id and each.known_from == known and each.why == "superseded"
        if not each.belief.purposes or heard & {*each.belief.purposes}
    )
    version, belief = last, last.belief
    if own is not None:
        mine = seen(belief, heard)
        if mine is None:
            nothing = Belief(fact_id, None, None, None, None, own.id, own.purposes, own.expires_at)
            version, belief = replace(last, why="merged"), nothing
        else:
            belief = bundle.without_hidden(mine, heard)
    return Told(_fact(bundle, version, belief), tuple(each for _, each in superseded))


def _fact(bundle: Bundle, version: Version, belief: Belief) -> Fact:
    said = bundle.said[belief.said_by]
    new = said.saying.new
    return Fact(
        id=belief.id,
        user_id=new.user_id,
        agent_id=new.agent_id,
        subject=new.subject,
        predicate=new.predicate,
        cardinality=said.cardinality,  # type: ignore[arg-type] # one or many
        value=new.value,
        valid_from=belief.valid_from,
        valid_to=_or_none(belief.valid_to),
        known_from=version.known_from,
        known_to=_or_none(version.known_to),
        why=version.why,
        by=belief.by,
        trust=new.trust or "direct_user",
        session_id=new.session_id,
        source=dict(new.source) if new.source else None,
        metadata=new.metadata or {},
        purposes=belief.purposes,
        expires_at=belief.expires_at,
    )


def _or_none(moment: datetime | None) -> datetime | None:
    return None if moment == FOREVER else moment


def _wanted(fact: Fact, asked: FactsAsked) -> bool:
    return (
        (asked.agent_id is None or fact.agent_id in (None, asked.agent_id))
        and asked.subject_key in (None, subject_key(fact.subject))
        and asked.predicate_key in (None, predicate_key(fact.predicate))
    )


def _position(fact: Fact) -> FactPosition:
    assert fact.valid_from is not None
    return FactPosition(fact.valid_from, fact.id)
