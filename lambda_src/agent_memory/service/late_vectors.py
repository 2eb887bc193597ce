"""Vectors that come after their text: a job for each request whose texts lack some, and what does it.

The job is put before the text is stored, so that no function that dies in between leaves a text behind that nobody
knows of. So a worker may be early, and waits for the text. Where it does not come (it was merged into another one, or
was never stored), whatever of the tenant's lacks vectors is looked through instead.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import uuid4

from agent_memory.domain.chunking import Span, chunk
from agent_memory.domain.embedding import Embedder, Embedders, space
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.jobs import Job, JobStore
from agent_memory.domain.late_vectors import Added, Lacking, LateVectors, Piece
from agent_memory.domain.semantic_store import Draft
from agent_memory.errors import StoreUnavailable
from agent_memory.service.drafting import MOST_AT_ONCE, pieces_of
from agent_memory.service.embedding_models import attempt_all

# Longer than a store may take that begins when its job is put.
_STORED_WITHIN = timedelta(seconds=60)
_WAITS_S = (0.2, 0.5, 1.0, 2.0)
# A message that was not done comes back after minutes: while there is time a worker tries again itself.
_AGAIN_S = 2.0
_ONE_TRY = timedelta(seconds=10)
_LOOKED_THROUGH = 1_000
_CHANGES = 5


class LaterVectors:
    """`Later` by jobs: one for the texts of each agent and user, ids and nothing else."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs

    def queue(self, tenant_id: str, drafts: Sequence[Draft], now: datetime) -> None:
        """See `Later.queue`."""
        for (agent_id, user_id), own in groupby(sorted(drafts, key=_whose), key=_whose):
            job = Job(tenant_id, str(uuid4()), "embed", agent_id, None, user_id or None, now)
            self._jobs.put(job, {"memory_ids": [draft.id for draft in own]}, None)


class MissingVectors:
    """Makes what texts lack, of every model that is written. What is there already is not made again."""

    def __init__(
        self, store: LateVectors, embedders: Embedders, chunk_tokens: int, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._embedders = embedders
        self._chunk_tokens = chunk_tokens
        self._clock = clock

    @property
    def models(self) -> tuple[str, ...]:
        """Those that texts have to have vectors of."""
        return tuple(space(each) for each in self._embedders.written())

    def make(self, tenant_id: str, texts: Sequence[Lacking], may_go_on: Callable[[], bool] = lambda: True) -> None:
        """Make what they lack; what changes meanwhile is read again.

        Raises:
            StoreUnavailable: a model did not give all of it, or time is over; what was made is kept.
        """
        for _ in range(_CHANGES):
            changed: list[str] = []
            for start in range(0, len(texts), MOST_AT_ONCE):
                group = texts[start : start + MOST_AT_ONCE]
                self.embed_together(group)
                changed += [text.id for text in group if not self._make_one(tenant_id, text, may_go_on).there]
            texts = self._store.read(tenant_id, changed, self.models, self._clock()) if changed else ()
            if not texts:
                return
        raise StoreUnavailable("a text changes faster than its vectors are made")

    def embed_together(self, texts: Sequence[Lacking]) -> None:
        """The short ones at the same time, so that the cache holds them when each is looked at."""
        short = [text for text in texts if text.pieces == 1]
        pieces = [piece for text in short for piece in pieces_of(text.content, self._cut(text))]
        lacking = {model for text in short for model in self.models if text.has.get(model, 0) < 1}
        embedders = [each for each in self._embedders.written() if space(each) in lacking]
        if embedders and len(pieces) > 1:
            attempt_all(embedders, pieces)

    def _make_one(self, tenant_id: str, text: Lacking, may_go_on: Callable[[], bool]) -> Added:
        spans, embedders = self._cut(text), self._embedders.written()
        gone = [model for model in text.pending if model not in map(space, embedders)]
        has = text.has if len(spans) == text.pieces else {}
        lacking = [each for each in embedders if has.get(space(each), 0) < len(spans)]
        is_told = gone or (text.pending and not lacking)
        added = self._store.add(tenant_id, text, len(spans), (), gone) if is_told else Added(there=True, awaits=False)
        first = min((has.get(space(each), 0) for each in lacking), default=len(spans))
        for start in range(first, len(spans), MOST_AT_ONCE):
            if not added.there or not lacking:
                break
            if not may_go_on():
                raise StoreUnavailable("the text has more pieces than there was time for", 1)
            part = range(start, min(start + MOST_AT_ONCE, len(spans)))
            pieces = [*_embedded(lacking, text.content, spans, part)]
            is_whole = len(pieces) == len(part) * len(lacking)
            # A model may take longer than a change of models waits for: what is not written any more is not added.
            written = self.models
            gone = [model for model in text.pending if model not in written]
            lacking = [each for each in lacking if space(each) in written]
            pieces = [piece for piece in pieces if piece.model in written]
            if pieces or gone:
                added = self._store.add(tenant_id, text, len(spans), pieces, gone)
            if not is_whole:
                raise StoreUnavailable("the embedding model did not answer", 5)
        return added

    def _cut(self, text: Lacking) -> Sequence[Span]:
        return text.spans or chunk(text.content, self._chunk_tokens)


class EmbedJobs:
    """`JobWork` of the kind `embed`."""

    def __init__(
        self,
        store: LateVectors,
        missing: MissingVectors,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        longest_s: float = 600.0,
    ) -> None:
        self._store = store
        self._missing = missing
        self._clock = clock
        self._sleep = sleep
        self._longest = timedelta(seconds=longest_s)

    def prepare(self, jobs: Sequence[tuple[Job, JsonObject]]) -> None:
        """See `JobWork.prepare`: nothing, for a job embeds its texts together by itself."""

    def run(self, job: Job, payload: JsonObject) -> JsonObject:
        """Make the vectors of the job's texts; those that are there already, or gone, are no error."""
        ends_at = self._clock() + self._longest
        wanted = [str(each) for each in payload["memory_ids"]]
        found = self._found(job, wanted)
        self._make(job.tenant_id, found, ends_at)
        done = len(found)
        if len(found) < len(wanted):
            done += self._look_through(job.tenant_id, lambda: self._clock() < ends_at)
            if self._clock() < job.created_at + _STORED_WITHIN:
                raise StoreUnavailable("a text whose vectors are to be made is not stored yet", 5)
        return {"memories": done}

    def _make(self, tenant_id: str, texts: Sequence[Lacking], ends_at: datetime) -> None:
        while True:
            try:
                self._missing.make(tenant_id, texts, lambda: self._clock() < ends_at)
            except StoreUnavailable:
                if self._clock() + _ONE_TRY >= ends_at:
                    raise
                self._sleep(_AGAIN_S)
                ids = [text.id for text in texts]
                texts = self._store.read(tenant_id, ids, self._missing.models, self._clock())
            else:
                return

    def _found(self, job: Job, wanted: Sequence[str]) -> Sequence[Lacking]:
        for wait_s in (*_WAITS_S, 0.0):
            found = self._store.read(job.tenant_id, wanted, self._missing.models, self._clock())
            is_late = self._clock() >= job.created_at + _STORED_WITHIN
            if len(found) == len(wanted) or is_late or not wait_s:
                break
            self._sleep(wait_s)
        return found

    def _look_through(self, tenant_id: str, may_go_on: Callable[[], bool]) -> int:
        """Whatever says of itself that it lacks vectors, up to a number that a job can do."""
        after: str | None = None
        looked = 0
        while looked < _LOOKED_THROUGH:
            window = self._store.window(tenant_id, self._missing.models, self._clock(), after, awaiting=True)
            self._missing.make(tenant_id, window.lacking, may_go_on)
            looked, after = looked + window.looked, window.after
            if after is None:
                break
        return looked


def _embedded(embedders: Sequence[Embedder], content: str, spans: Sequence[Span], part: range) -> Iterator[Piece]:
    """Those that each model gave a vector of, up to the first that it did not: a text is gone on with where it ends."""
    texts = pieces_of(content, [spans[ordinal] for ordinal in part])
    for embedder, vectors in zip(embedders, attempt_all(embedders, texts), strict=True):
        for ordinal, vector in zip(part, vectors, strict=True):
            if vector is None:
                break
            yield Piece(space(embedder), ordinal, spans[ordinal], vector)


def _whose(draft: Draft) -> tuple[str, str]:
    return draft.new.agent_id, draft.new.user_id or ""
