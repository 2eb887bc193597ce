"""Context: what every layer knows that helps to answer a message, within one deadline and without waiting for all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent_memory.domain.context import (
    OF_THE_DATABASE,
    ContextQuery,
    ContextRequest,
    ContextStore,
    Gathered,
    Layer,
    UsersFacts,
)
from agent_memory.domain.context_block import compose
from agent_memory.domain.context_sources import (
    fact_sources,
    fact_text,
    memory_sources,
    procedure_sources,
    state_sources,
)
from agent_memory.domain.embedding import Embedders, Vector, space
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.lexemes import query_lexemes
from agent_memory.domain.ports import StateStore
from agent_memory.domain.state import DEFAULT_SESSION, State, StateKey
from agent_memory.errors import RateLimited, StoreUnavailable
from agent_memory.service.beside import Beside
from agent_memory.service.fact_bundles import FactBundles, Holder
from agent_memory.service.large_values import LargeValues

_WRITING_S = 0.1  # of the deadline is left for making the answer
_LEAST_S = 0.05


@dataclass
class _Told:
    """What has come so far, and how long it took."""

    degraded: list[Layer] = field(default_factory=list)
    timings: dict[str, float | None] = field(default_factory=dict)

    def lost(self, *layers: Layer) -> None:
        self.degraded += layers


class Context:
    """POST /v1/context: one read of the state beside one vector and one question to the database."""

    def __init__(
        self,
        states: StateStore,
        values: LargeValues,
        embedders: Embedders,
        store: ContextStore,
        language: str,
        clock: Callable[[], datetime],
        deadline_s: float,
    ) -> None:
        self._states = states
        self._values = values
        self._embedders = embedders
        self._store = store
        self._language = language
        self._clock = clock
        self._deadline_s = deadline_s
        self._bundles = FactBundles()

    def build(self, tenant_id: str, asked: ContextRequest, began: float) -> JsonObject:
        """`ContextResponse`, made of what has come by the deadline; `began` is a time of time.monotonic().

        Raises:
            StoreUnavailable: neither working memory nor the database has answered.
        """
        deadline = began + self._deadline_s - _WRITING_S
        now, told = self._clock(), _Told()
        key = StateKey(tenant_id, asked.agent_id, asked.session_id or DEFAULT_SESSION)
        reading = Beside(lambda: self._read(key, now))
        gathered = self._gathered(tenant_id, asked, now, deadline, told)
        state = self._state(reading, deadline, told)
        if gathered is None and "working" in told.degraded:
            raise StoreUnavailable("no store answered in time", retry_after_s=2)
        told.timings["total"] = _ms(time.monotonic() - began)
        return self._answer(asked, state, gathered or Gathered(None, partial=True), told)

    def _gathered(
        self, tenant_id: str, asked: ContextRequest, now: datetime, deadline: float, told: _Told
    ) -> Gathered | None:
        vector, model = self._vector(asked.message, told)
        holder, held = self._held(tenant_id, asked, now)
        query = ContextQuery(
            agent_id=asked.agent_id,
            user_id=asked.user_id,
            lexemes=query_lexemes(asked.message, self._language),
            vector=vector,
            model=model,
            top_k=asked.top_k,
            now=now,
            as_of=asked.at,
            purpose=asked.purpose,
            known_facts=held.version if held else None,
        )
        started = time.monotonic()
        try:
            found = self._store.gather(tenant_id, query, max(_LEAST_S, deadline - started))
        except StoreUnavailable:
            told.lost(*OF_THE_DATABASE)
            told.timings["search"] = None
            return None
        told.timings["search"] = _ms(time.monotonic() - started)
        if found.facts is None:
            return replace(found, facts=held)
        if holder is not None:
            self._bundles.keep(holder, found.facts)
        return found

    def _vector(self, message: str, told: _Told) -> tuple[Vector | None, str]:
        """The message's vector and what it may be compared with; without one words are looked for, and that is told."""
        started = time.monotonic()
        try:
            embedder = self._embedders.served()
            (vector,) = embedder.embed([message])
        except (StoreUnavailable, RateLimited):
            told.lost("vectors")
            told.timings["embedding"] = None
            return None, ""
        told.timings["embedding"] = _ms(time.monotonic() - started)
        return vector, space(embedder)

    def _held(self, tenant_id: str, asked: ContextRequest, now: datetime) -> tuple[Holder | None, UsersFacts | None]:
        """Whose facts may be kept, and those that are; a time of the caller's own is asked for afresh."""
        if asked.user_id is None or asked.at is not None:
            return None, None
        holder = Holder(tenant_id, asked.user_id, asked.agent_id, asked.purpose)
        return holder, self._bundles.get(holder, now)

    def _read(self, key: StateKey, now: datetime) -> State | None:
        """The live state, with a link to what has no room in its record."""
        state = self._states.get(key, now)
        return None if state is None else self._values.beside_link(state)

    def _state(self, reading: Beside[State | None], deadline: float, told: _Told) -> State | None:
        try:
            state = reading.result(deadline)
        except StoreUnavailable:
            told.lost("working")
            told.timings["working"] = None
            return None
        told.timings["working"] = _ms(reading.took_s or 0.0)
        return state

    def _answer(self, asked: ContextRequest, state: State | None, found: Gathered, told: _Told) -> JsonObject:
        facts = found.facts.facts if found.facts else ()
        is_cut = found.partial or (found.facts is not None and found.facts.partial)
        touched = self._touched(asked.message, facts)
        block = compose(
            [
                *state_sources(state, asked.token_budget),
                *fact_sources(facts, touched),
                *memory_sources("summary", found.summaries),
                *memory_sources("memory", found.memories),
                *procedure_sources(found.procedures),
            ],
            asked.token_budget,
        )
        answer: JsonObject = {
            "block": block.text,
            "block_tokens": block.tokens,
            "working": state.response() if state else None,
            "facts": list(facts),
            "memories": [each.response() for each in found.memories],
            "summaries": [each.response() for each in found.summaries],
            "procedures": list(found.procedures),
            "timings": told.timings,
            "truncated": block.truncated or is_cut,
        }
        return answer | ({"degraded": sorted(told.degraded)} if told.degraded else {})

    def _touched(self, message: str, facts: Sequence[JsonObject]) -> list[float]:
        """Of each fact, which part of the message's words it has."""
        wanted = set(query_lexemes(message, self._language))
        if not wanted:
            return [0.0] * len(facts)
        return [len(wanted & set(query_lexemes(fact_text(fact), self._language))) / len(wanted) for fact in facts]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
