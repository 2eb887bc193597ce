"""From a request to what the store takes: checked, cut into pieces, embedded as far as that can be had now."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from agent_memory.domain import metadata
from agent_memory.domain.chunking import Span, chunk
from agent_memory.domain.embedding import Embedder, Embedders, Vector, space
from agent_memory.domain.identifiers import time_ordered_uuid
from agent_memory.domain.json_document import dumps
from agent_memory.domain.lexemes import worded
from agent_memory.domain.merging import Signature, signature
from agent_memory.domain.semantic import MAX_CONTENT_BYTES, NewMemory
from agent_memory.domain.semantic_store import Draft
from agent_memory.domain.usage import Tally
from agent_memory.errors import InvalidRequest, PayloadTooLarge
from agent_memory.service.embedding_models import attempt_all

MAX_METADATA_BYTES = 32_768
MOST_AT_ONCE = 64
"""Pieces of a text that a request waits for."""


class Outline(NamedTuple):
    """A request that may be stored; all that is still missing costs a call of the embedding model."""

    new: NewMemory
    expires_at: datetime | None
    entries: tuple[str, ...]
    bytes: int
    memory_id: str | None = None


class Drafts(NamedTuple):
    """Texts on their way into the store, and the models they get vectors of, first the one that is searched."""

    models: tuple[str, ...]
    drafts: list[Draft]


class Later(Protocol):
    """Makes vectors later."""

    def queue(self, tenant_id: str, drafts: Sequence[Draft], now: datetime) -> None:
        """See to it that what the drafts lack is made once they are stored; nobody knows yet whether they will be."""


class Drafting:
    """Makes drafts; texts are cut at `chunk_tokens`, well below what the model takes.

    What a model does not give now, and what is too long for a request to wait for, is left to `later`.
    """

    def __init__(
        self,
        embedders: Embedders,
        chunk_tokens: int,
        tally: Tally | None = None,
        language: str = "english",
        later: Later | None = None,
    ) -> None:
        self._embedders = embedders
        self._chunk_tokens = chunk_tokens
        self._tally = tally or Tally()
        self._later = later
        self.language = language

    def is_current(self, made: Drafts) -> bool:
        """Whether these are still the models that texts get vectors of."""
        return made.models == _names(self._embedders.written())

    def draft(self, outlines: Sequence[Outline]) -> Drafts:
        """Embed the texts, each piece once.

        Raises:
            PayloadTooLarge: the texts together are more than one request may store.
            RateLimited: there is no room for their vectors; no model was called.
        """
        check_size(sum(each.bytes for each in outlines))
        cut = [tuple(chunk(each.new.content, self._chunk_tokens)) for each in outlines]
        self._tally.need("vectors", sum(len(spans) for spans in cut))  # all, though some may merge
        pieces = [pieces_of(each.new.content, spans) for each, spans in zip(outlines, cut, strict=True)]
        embedders = self._embedders.written()
        vectors = _vectors(embedders, [each for each in pieces if len(each) <= MOST_AT_ONCE])
        later: Mapping[str, Sequence[Vector]] = dict.fromkeys(_names(embedders), ())
        return Drafts(
            _names(embedders),
            [
                self._draft(each, spans, of, next(vectors) if len(of) <= MOST_AT_ONCE else later)
                for each, spans, of in zip(outlines, cut, pieces, strict=True)
            ],
        )

    def queue(self, tenant_id: str, drafts: Sequence[Draft], now: datetime) -> None:
        """Before the drafts are stored: whatever becomes of this function, what they lack will be made."""
        lacking = [draft for draft in drafts if draft.pending]
        if lacking and self._later is not None:
            self._later.queue(tenant_id, lacking, now)

    def _draft(
        self,
        each: Outline,
        spans: tuple[Span, ...],
        pieces: Sequence[str],
        vectors: Mapping[str, Sequence[Vector]],
    ) -> Draft:
        # Longer texts merge with their equals only, so nobody asks what they say.
        said = signature(each.new.content) if len(spans) == 1 else Signature((), ())
        return Draft(
            each.memory_id or time_ordered_uuid(),
            each.new,
            each.expires_at,
            spans,
            {name: own for name, own in vectors.items() if own},
            tuple(name for name, own in vectors.items() if not own),
            said,
            each.entries,
            tuple(worded(piece, self.language) for piece in pieces),
        )


def pieces_of(content: str, spans: Sequence[Span]) -> list[str]:
    """What is embedded of a text. Models read no white space, and take only so much of it."""
    return [" ".join(content[span.start : span.end].split()) for span in spans]


def _names(embedders: Sequence[Embedder]) -> tuple[str, ...]:
    return tuple(space(each) for each in embedders)


def _vectors(embedders: Sequence[Embedder], texts: Sequence[Sequence[str]]) -> Iterator[Mapping[str, Sequence[Vector]]]:
    """Of each text by model, where all of its pieces have one."""
    had = attempt_all(embedders, [piece for pieces in texts for piece in pieces])
    start = 0
    for pieces in texts:
        end = start + len(pieces)
        of_models = zip(_names(embedders), had, strict=True)
        yield {name: _whole(vectors[start:end]) for name, vectors in of_models}
        start = end


def _whole(vectors: Sequence[Vector | None]) -> Sequence[Vector]:
    had = [vector for vector in vectors if vector is not None]
    return had if len(had) == len(vectors) else ()


def outline(new: NewMemory, now: datetime) -> Outline:
    """Check what the request's model cannot.

    Raises:
        InvalidRequest: an expiry that has passed, metadata that is too large or has too many keys.
        PayloadTooLarge: the text has over 1 MiB.
    """
    size = len(new.content.encode())
    check_size(size)
    written = dumps(new.metadata or {})
    if len(written.encode()) > MAX_METADATA_BYTES:
        raise InvalidRequest.of("metadata", f"must have at most {MAX_METADATA_BYTES} bytes as JSON")
    return Outline(new, new.expiry(now), tuple(metadata.entries(new.metadata or {})), size)


def check_size(content_bytes: int) -> None:
    """Refuse more text than one request may store."""
    if content_bytes > MAX_CONTENT_BYTES:
        raise PayloadTooLarge(
            f"the content has {content_bytes} bytes; at most {MAX_CONTENT_BYTES} are stored by one request",
            details={"bytes": content_bytes, "limit": MAX_CONTENT_BYTES},
        )
