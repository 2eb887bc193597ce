"""Procedural memory: keep ways of doing something, fill them with arguments, find the one that a message calls for."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from agent_memory.domain import templates
from agent_memory.domain.argument_schema import check_arguments, check_schema
from agent_memory.domain.cursor import seal, unseal
from agent_memory.domain.embedding import Embedder, Embedders, Vector, space
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.json_document import dumps
from agent_memory.domain.lexemes import query_lexemes, worded
from agent_memory.domain.procedure_store import (
    InModel,
    Matches,
    ProcedureAnswered,
    ProcedureDraft,
    ProcedurePosition,
    ProcedureSearch,
    ProcedureStore,
    Put,
    Trigger,
)
from agent_memory.domain.procedures import MatchRequest, NewProcedure, Procedure, ProceduresQuery, RenderRequest
from agent_memory.domain.templates import TemplateError, TooLarge
from agent_memory.domain.usage import Tally
from agent_memory.errors import InvalidRequest, NotFound, StoreUnavailable
from agent_memory.service.drafting import MAX_METADATA_BYTES
from agent_memory.service.embedding_models import attempt_written
from agent_memory.service.paging import Page, PageBudget, fill_page

_RETRY_AFTER_S = 2
_AT_ONCE = 500
_AS_IT_IS = "none"


class Procedures:
    """The routes of procedures; `language` is the one that words are compared in."""

    def __init__(
        self,
        store: ProcedureStore,
        embedders: Embedders,
        language: str,
        tally: Tally,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._embedders = embedders
        self._language = language
        self._tally = tally
        self._clock = clock

    def put(self, tenant_id: str, name: str, new: NewProcedure, attempt: Attempt) -> Put:
        """Make a new version, unless the newest one says the same.

        Raises:
            InvalidRequest: see `check`.
            RateLimited: the tenant may not embed or keep so much.
            StoreUnavailable: the phrases cannot be embedded.
            Conflict: there are too many procedures.
            AlreadyAnswered: the idempotency key has been used.
        """
        now = attempt.began(self._clock())
        check(new, now)
        (draft,) = self._drafts([(name, new)], now)
        try:
            return self._store.put(tenant_id, draft, now, attempt.record)
        except ProcedureAnswered as exc:
            raise attempt.replayed(exc.request_hash, 200, exc.put.response() if exc.put else None) from exc

    def put_all(self, tenant_id: str, named: Sequence[tuple[str, NewProcedure]]) -> list[Put]:
        """As `put` for each of several that `check` found nothing against, or for none.

        Raises:
            RateLimited, StoreUnavailable, Conflict: see `put`.
        """
        now = self._clock()
        return self._store.put_all(tenant_id, self._drafts(named, now), now)

    def get(self, tenant_id: str, name: str, agent_id: str | None, version: int | None) -> Procedure:
        """Read.

        Raises:
            NotFound: no such procedure, or no such version of it.
        """
        procedure = self._store.get(tenant_id, name, agent_id, version, self._clock())
        if procedure is None:
            raise _absent()
        return procedure

    def walk(
        self, tenant_id: str, query: ProceduresQuery, cursor_key: bytes
    ) -> tuple[Page[ProcedurePosition], str | None]:
        """Read one page of procedures, by name: (page, next cursor)."""
        described = dumps(["procedures", tenant_id, query.agent_id])
        after = None if query.cursor is None else ProcedurePosition(*unseal(cursor_key, described, query.cursor))
        stream = self._store.walk(tenant_id, query.agent_id, after, query.limit + 1, self._clock())
        page = fill_page(stream, PageBudget(), query.limit, lambda _: True, Procedure.response)
        place = page.resume_after or (after if page.partial else None)
        return page, None if place is None else seal(cursor_key, described, list(place))

    def all(self, tenant_id: str) -> Iterator[Procedure]:
        """Every procedure as it stands now, by name."""
        return (found for _, found in self._store.walk(tenant_id, None, None, _AT_ONCE, self._clock()))

    def versions(
        self, tenant_id: str, name: str, query: ProceduresQuery, cursor_key: bytes
    ) -> tuple[Page[int], str | None]:
        """Read one page of a procedure's versions, the newest first: (page, next cursor).

        Raises:
            NotFound: no such procedure.
        """
        described = dumps(["procedure versions", tenant_id, name, query.agent_id])
        before = None if query.cursor is None else int(unseal(cursor_key, described, query.cursor)[0])
        stream = self._store.versions(tenant_id, name, query.agent_id, before, query.limit + 1, self._clock())
        page = fill_page(stream, PageBudget(), query.limit, lambda _: True, Procedure.response)
        if not page.items and before is None and not page.partial:
            raise _absent()
        place = page.resume_after or (before if page.partial else None)
        return page, None if place is None else seal(cursor_key, described, [place])

    def render(self, tenant_id: str, name: str, asked: RenderRequest) -> JsonObject:
        """Fill a procedure with arguments: `RenderedResponse`.

        Raises:
            NotFound: no such procedure, or no such version of it.
            InvalidRequest: the arguments are not as its schema says, lack one, or make too long a text.
        """
        procedure = self.get(tenant_id, name, asked.agent_id, asked.version)
        schema = procedure.content["input_schema"]
        check_arguments(asked.arguments, schema)
        try:
            texts = list(_rendered(procedure.templates, asked.arguments, schema))
        except TooLarge:
            rule = f"make a text of over {templates.MAX_RENDERED_BYTES} bytes, or one that takes too long"
            raise InvalidRequest.of("arguments", rule) from None
        steps = None if procedure.content["steps"] is None else texts
        return {
            "name": procedure.name,
            "agent_id": procedure.agent_id,
            "version": procedure.version,
            "text": "\n".join(texts),
            "steps": steps,
        }

    def match(self, tenant_id: str, asked: MatchRequest) -> Matches:
        """Find the procedures that a message calls for, the best first."""
        embedder = self._embedders.served()
        (vector,) = embedder.embed([asked.message])
        search = ProcedureSearch(
            vector=vector,
            model=space(embedder),
            lexemes=message_lexemes(asked.message, self._language),
            now=self._clock(),
            top_k=asked.top_k,
            agent_id=asked.agent_id,
            user_id=asked.user_id,
            purpose=asked.purpose,
            least=asked.threshold,
        )
        return self._store.match(tenant_id, search)

    def delete(self, tenant_id: str, name: str, agent_id: str | None, attempt: Attempt) -> None:
        """Remove the agent's own procedure, or the one of all agents, with all its versions.

        Raises:
            NotFound: no such procedure.
            AlreadyAnswered: the idempotency key has been used.
        """
        try:
            removed = self._store.delete(tenant_id, name, agent_id, self._clock(), attempt.record)
        except ProcedureAnswered as exc:
            raise attempt.replayed(exc.request_hash, 204, None) from exc
        if not removed:
            raise _absent()

    def _drafts(self, named: Sequence[tuple[str, NewProcedure]], now: datetime) -> list[ProcedureDraft]:
        phrases = [phrase for _, new in named for phrase in new.trigger]
        self._tally.need("vectors", len(phrases))  # all, though some may stand there already
        models, told = attempt_written(self._embedders, phrases)
        if None in told[0]:
            raise StoreUnavailable("the embedding model did not answer", _RETRY_AFTER_S)
        drafts, first = [], 0
        for name, new in named:
            last = first + len(new.trigger)
            triggers = tuple(Trigger(each, phrase_lexemes(each, self._language)) for each in new.trigger)
            vectors = tuple(_in_model(each, of_all[first:last]) for each, of_all in zip(models, told, strict=True))
            known = tuple(
                each for each in vectors if None not in each.vectors
            )  # a model to come is caught up with later
            drafts.append(ProcedureDraft(name, new.agent_id, new.content(), new.expiry(now), triggers, known))
            first = last
        return drafts


def check(new: NewProcedure, now: datetime) -> None:
    """Check what the request's model cannot.

    Raises:
        InvalidRequest: an expiry that has passed, a template or a schema that cannot be used, too much metadata.
    """
    new.expiry(now)
    texts = new.templates
    if sum(len(text.encode()) for text in texts.values()) > templates.MAX_TEMPLATE_BYTES:
        raise InvalidRequest.of(
            next(iter(texts)).partition(".")[0], f"must have at most {templates.MAX_TEMPLATE_BYTES} bytes"
        )
    for field, text in texts.items():
        try:
            templates.check(text)
        except TemplateError as exc:
            raise InvalidRequest.of(field, str(exc)) from None
    if new.input_schema is not None:
        check_schema(new.input_schema)
    if len(dumps(new.metadata or {}).encode()) > MAX_METADATA_BYTES:
        raise InvalidRequest.of("metadata", f"must have at most {MAX_METADATA_BYTES} bytes as JSON")


def phrase_lexemes(phrase: str, language: str) -> tuple[int, ...]:
    """The words of a trigger; one of nothing but fillers, such as "who are you", is taken at its word."""
    return query_lexemes(phrase, language) or query_lexemes(phrase, _AS_IT_IS)


def message_lexemes(message: str, language: str) -> tuple[int, ...]:
    """All words of a message, in the stem of the language and as they are."""
    both = (worded(message, each).lexemes for each in (language, _AS_IT_IS))
    return tuple(sorted({lexeme.number for lexemes in both for lexeme in lexemes}))


def _rendered(texts: list[str], arguments: JsonObject, schema: JsonObject | None) -> Iterator[str]:
    room = templates.MAX_RENDERED_BYTES
    for text in texts:
        written = templates.render(text, arguments, schema, room)
        room -= len(written.encode()) + 1
        yield written


def _in_model(embedder: Embedder, vectors: Sequence[Vector | None]) -> InModel:
    return InModel(space(embedder), tuple(vectors))  # type: ignore[arg-type] # those with None go no further


def _absent() -> NotFound:
    return NotFound("no such procedure")
