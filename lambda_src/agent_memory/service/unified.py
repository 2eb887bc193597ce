"""All layers at once. The stores are asked one after the other: their clients serve one request at a time."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agent_memory.domain.episode import Episode
from agent_memory.domain.json_document import RawJson, dumps, parse
from agent_memory.domain.ports import AgentRegistry, EpisodeStore
from agent_memory.domain.semantic import SearchRequest
from agent_memory.domain.semantic_store import MemoryStore, MemoryWalk
from agent_memory.domain.text_match import LEAST, part_found, query_words
from agent_memory.domain.unified import SearchAll, episodic_result, semantic_result
from agent_memory.service.large_values import LargeValues
from agent_memory.service.newest import NewestEpisodes, Room
from agent_memory.service.paging import PageBudget, fill_page
from agent_memory.service.semantic import SemanticMemory
from agent_memory.service.working import WorkingMemory

# How far back a search reads: in one agent, and in each of a tenant's.
_EPISODES_OF_ONE = 500
_EPISODES_OF_EACH = 50
_AGENTS = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """The newest of each layer; `partial` when not all of it could be read, or fits into one answer."""

    state: RawJson | None
    semantic: list[RawJson]
    episodic: list[RawJson]
    partial: bool


@dataclass(frozen=True, slots=True)
class FoundInAll:
    """What a search over the layers gives, the best first; `partial` as above, `degraded` as in `Found`."""

    results: list[RawJson]
    partial: bool
    degraded: tuple[str, ...]


class Unified:
    """GET /v1/memory and POST /v1/memory/search; a store that does not answer fails the whole."""

    def __init__(
        self,
        working: WorkingMemory,
        episodes: EpisodeStore,
        memories: MemoryStore,
        semantic: SemanticMemory,
        registry: AgentRegistry,
        values: LargeValues,
        clock: Callable[[], datetime],
    ) -> None:
        self._working = working
        self._episodes = episodes
        self._memories = memories
        self._semantic = semantic
        self._registry = registry
        self._values = values
        self._clock = clock

    def overview(self, tenant_id: str, agent_id: str, limit: int) -> Overview:
        """The session state that was written last, and the newest memories and episodes."""
        # The database first: it is the likeliest to be away, and then nothing else has to be read.
        walk = MemoryWalk(self._clock(), agent_id=agent_id, page_size=limit + 1)
        stream = self._memories.walk(tenant_id, walk)
        memories = fill_page(stream, PageBudget(), limit, lambda _: True, lambda memory: memory.response())
        is_short = memories.resume_after is not None and len(memories.items) < limit
        state, is_guess = self._working.latest(tenant_id, agent_id)
        newest = NewestEpisodes(self._episodes, self._clock())
        room = Room()
        first = room.take([RawJson(dumps(state.response()))] if state else [])
        semantic = room.take(memories.items)
        shown = newest.shown(tenant_id, agent_id, limit, self._values)
        episodic = room.take(RawJson(dumps(each.response())) for each in shown)
        partial = memories.partial or is_short or is_guess or newest.partial or room.is_full
        return Overview(first[0] if first else None, semantic, episodic, partial)

    def search(self, tenant_id: str, asked: SearchAll) -> FoundInAll:
        """Memories by meaning and words and episodes by their words, in the order of their scores.

        Content that has no room in its episode's record is not searched.
        """
        request = SearchRequest(query=asked.query, agent_id=asked.agent_id, top_k=asked.top_k, purpose=asked.purpose)
        by_meaning = self._semantic.search(tenant_id, request)
        newest = NewestEpisodes(self._episodes, self._clock())
        matches = self._matches(tenant_id, asked, newest)
        by_words = heapq.nlargest(asked.top_k, matches, key=lambda match: (match[0], match[1].position))
        results = [
            *(semantic_result(parse(str(each))) for each in by_meaning.results),
            *(episodic_result(episode.response(), part) for part, episode in by_words),
        ]
        best = sorted(results, key=lambda result: float(result["score"]), reverse=True)[: asked.top_k]
        room = Room()
        kept = room.take(RawJson(dumps(each)) for each in best)
        partial = by_meaning.partial or newest.partial or room.is_full
        return FoundInAll(kept, partial, by_meaning.degraded)

    def _matches(self, tenant_id: str, asked: SearchAll, newest: NewestEpisodes) -> Iterator[tuple[float, Episode]]:
        words = query_words(asked.query)
        agents, depth = self._agents(tenant_id, asked, newest)
        for agent_id in agents:
            for episode in newest.of(tenant_id, agent_id, depth):
                if asked.shows(episode.annotations.get("purposes")):
                    part = part_found(words, episode.content)
                    if part >= LEAST:
                        yield part, episode

    def _agents(self, tenant_id: str, asked: SearchAll, newest: NewestEpisodes) -> tuple[list[str], int]:
        """Whose episodes to read, and how many of each."""
        if asked.agent_id is not None:
            return [asked.agent_id], _EPISODES_OF_ONE
        agents = self._registry.agents(tenant_id, _AGENTS + 1)
        newest.partial = len(agents) > _AGENTS
        return agents[:_AGENTS], _EPISODES_OF_EACH
