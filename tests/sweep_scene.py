"""Both tiers and a sweep over them, in memory, where any call of a store can be the last one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.domain.archive import ArchivedObject, Key
from agent_memory.domain.archived_episode import content_of, episodes_in, line
from agent_memory.domain.bodies import StoredBody
from agent_memory.domain.changes import Arrival
from agent_memory.domain.description import describe
from agent_memory.domain.episode import Episode
from agent_memory.domain.sweep import Step, Sweep
from agent_memory.service.archiving import Archiving, Pace
from agent_memory.service.compaction import Compaction
from agent_memory.service.each_agent import EachAgent
from agent_memory.service.expired_cold import ExpiredCold
from agent_memory.service.failures import Failures
from agent_memory.service.orphans import Orphans
from agent_memory.service.overdue import Overdue
from agent_memory.service.rewriting import Rewriting
from agent_memory.service.sound_objects import SoundObjects
from agent_memory.service.sweeping import Sweeping
from tests.contract.walks import an_episode
from tests.fakes.archive import FakeArchiveIndex, FakeHotEpisodes
from tests.fakes.clock import Clock
from tests.fakes.episodes import InMemoryEpisodeStore
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.sweep import DatedColdObjects, FakeBucket, FakeHotScan, FakeSweepStore
from tests.fakes.usage import InMemoryUsageStore

WITHIN = timedelta(days=7)
START = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill."""


class Fuse:
    """Ends the work at one call of a store, before or after it took effect; or lets something happen before one."""

    def __init__(self) -> None:
        self.calls = 0
        self.at: tuple[int, bool] | None = None
        self.meanwhile: tuple[int, Callable[[], object]] | None = None

    def guard(self, store: Any) -> Any:
        return _Mortal(store, self)

    def call(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.calls += 1
        if self.meanwhile and self.meanwhile[0] == self.calls:
            self.meanwhile[1]()
        if self.at == (self.calls, False):
            raise Killed
        answer = method(*given, **named)
        if self.at == (self.calls, True):
            raise Killed
        return answer


class _Mortal:
    def __init__(self, store: Any, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return (lambda *a, **k: self._fuse.call(found, *a, **k)) if callable(found) else found


class Scene:
    """A deployment: `now` is its clock, `after_wait` happens while the sweep waits for readers."""

    def __init__(self) -> None:
        self.now = Clock(START)
        self.fuse = Fuse()
        self.episodes = InMemoryEpisodeStore(InMemoryIdempotencyStore())
        self.index = FakeArchiveIndex()
        self.objects = DatedColdObjects(self.now)
        self.hot = FakeHotEpisodes(self.episodes)
        self.scan = FakeHotScan(self.episodes)
        self.bucket = FakeBucket(self.objects)
        self.usage = InMemoryUsageStore()
        self.place = FakeSweepStore()
        self.retention: dict[str, timedelta] = {}
        self.reported: list[str] = []
        self.errors: list[Exception] = []
        self.after_wait: Callable[[], object] = lambda: None
        self.archiving = Archiving(self.index, self.objects, self.hot, self.usage, Pace(WITHIN, WITHIN), self.now)

    # What happens without a sweep.

    def write(self, agent: str = "planner", tenant: str = "acme", **fields: Any) -> Episode:
        episode = an_episode(tenant, self.now(), agent_id=agent, **fields)
        assert self.episodes.append([episode], self.now()) == [None]
        return episode

    def note(self, *episodes: Episode) -> None:
        """The archiver hears of them."""
        for each in episodes:
            arrival = Arrival(Key(0, each.position), 100, each.created_at)
            self.archiving.note(each.tenant_id, each.agent_id, [arrival])

    def archived(self, *episodes: Episode) -> ArchivedObject:
        """One object of these, as the archiver makes it."""
        ordered = sorted(episodes, key=lambda each: each.position)
        one, content = ordered[0], content_of(line(each) for each in ordered)
        row = describe(ordered, content, self.index.epoch(one.tenant_id, one.agent_id), self.now())
        self.objects.put_once(row.key, content)
        assert self.index.swap([row], [], self.index.epoch(one.tenant_id, one.agent_id))
        self.usage.add(one.tenant_id, {"s3_bytes": row.size})
        return row

    def an_object(self, count: int = 2, agent: str = "planner", tenant: str = "acme", **fields: Any) -> ArchivedObject:
        """An object of some new episodes that have left the hot tier; time goes on by two hours."""
        made = [an_episode(tenant, self.now.turn(minutes=5), agent_id=agent, **fields) for _ in range(count)]
        self.now.turn(hours=2)
        return self.archived(*made)

    def a_body(self, owner: str = "record", content: bytes = b"large", agent: str = "planner") -> str:
        """A large value that a record points to."""
        key = f"acme/{agent}/bodies/episode/{owner}/{self.objects.puts}"
        self.objects.put_once(key, content)
        self.scan.bodies[owner] = key
        return key

    def with_body(self, key: str, **fields: Any) -> Episode:
        return replace(an_episode("acme", self.now(), **fields), content=None, body=StoredBody(key, "ab" * 32, 5))

    # The sweep.

    def sweeping(self) -> Sweeping:
        mortal = self.fuse.guard
        index, objects, usage = mortal(self.index), mortal(self.objects), mortal(self.usage)
        hot, scan, bucket = mortal(self.hot), mortal(self.scan), mortal(self.bucket)
        archiving = Archiving(index, objects, hot, usage, Pace(WITHIN, WITHIN), self.now)
        failures = Failures(self.errors.append)
        rewriting = Rewriting(index, objects, usage)
        sound = SoundObjects(objects, lambda message, _: self.reported.append(message))
        expired = ExpiredCold(index, sound, rewriting, self.now, self.retention.get)
        compaction = Compaction(index, sound, rewriting, self.now, WITHIN)
        steps: dict[Step, Any] = {
            "overdue": Overdue(scan, hot, index, archiving.flush, failures, self.now, WITHIN),
            "expired": EachAgent(bucket, expired, rewriting, failures, self._wait),
            "small": EachAgent(bucket, compaction, rewriting, failures, self._wait),
            "orphans": Orphans(bucket, index, scan, usage, failures, self.now),
        }
        return Sweeping(mortal(self.place), steps, self.now)

    def _wait(self) -> None:
        self.now.turn(seconds=30)
        self.after_wait()

    def sweep(self, parts: int | None = None, *, is_wanted: bool = True) -> Sweep | None:
        """One invocation, which has time for so many looks at its clock."""
        looks = iter(range(parts)) if parts is not None else None

        def may_go_on() -> bool:
            return looks is None or next(looks, None) is not None

        return self.sweeping().run(may_go_on, lambda *_: None, is_wanted=is_wanted)

    def sweep_fully(self) -> Sweep:
        """A whole sweep; whatever one before left behind is finished first."""
        while (done := self.sweep()) is None or done.step is not None:
            pass
        return done

    @contextmanager
    def killed_at(self, call: int, *, has_effect: bool) -> Iterator[Callable[[], bool]]:
        """The work within is killed at this call; yields whether it was."""
        self.fuse.calls, self.fuse.at = 0, (call, has_effect)
        try:
            yield lambda: self.fuse.calls == call
        except Killed:
            pass
        finally:
            self.fuse.at = None

    def purge(self, agent: str, tenant: str = "acme") -> None:
        """The agent is removed from both tiers, in the order of the use case."""
        for store in (self.index, self.episodes, self.objects):
            list(store.purge(tenant, agent))

    # What can be seen.

    def rows(self, agent: str = "planner", tenant: str = "acme") -> list[ArchivedObject]:
        return list(self.index.overlapping(tenant, agent, None, None, newest_first=False))

    def cold(self, agent: str = "planner", tenant: str = "acme") -> list[str]:
        """Ids of what every row leads to, as often as it stands there; fails when a row leads nowhere."""
        found = []
        for row in self.rows(agent, tenant):
            content = self.objects.get(row.key)
            assert content is not None, "a row leads to nothing"
            found += [episode.id for episode in episodes_in(content)]
        return sorted(found)

    def stored(self) -> set[str]:
        return set(self.objects.versions)
