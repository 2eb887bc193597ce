"""From a request to what the store takes: checked, cut into chunks, embedded."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from agent_memory.domain import metadata
from agent_memory.domain.chunking import chunk
from agent_memory.domain.embedding import Embedders, space
from agent_memory.domain.json_document import dumps
from agent_memory.domain.lexemes import Worded, worded
from agent_memory.domain.merging import Signature, signature
from agent_memory.domain.semantic import MAX_CONTENT_BYTES, NewMemory
from agent_memory.domain.semantic_store import Chunk, Draft
from agent_memory.domain.usage import Tally
from agent_memory.errors import InvalidRequest, PayloadTooLarge

MAX_METADATA_BYTES = 32_768


class Outline(NamedTuple):
    """A request that may be stored; all that is still missing costs a call of the embedding model."""

    new: NewMemory
    expires_at: datetime | None
    entries: tuple[str, ...]
    bytes: int


class Drafting:
    """Makes drafts; texts are cut at `chunk_tokens`, well below what the model takes."""

    def __init__(
        self, embedders: Embedders, chunk_tokens: int, tally: Tally | None = None, language: str = "english"
    ) -> None:
        self._embedders = embedders
        self._chunk_tokens = chunk_tokens
        self._tally = tally or Tally()
        self.language = language

    @property
    def model(self) -> str:
        """What the vectors may be compared with."""
        return space(self._embedders.served())

    def draft(self, outlines: Sequence[Outline]) -> list[Draft]:
        """Embed all texts, each chunk once.

        Raises:
            PayloadTooLarge: the texts together are more than one request may store.
            RateLimited: there is no room for their vectors; no model was called.
        """
        check_size(sum(each.bytes for each in outlines))
        cut = [chunk(each.new.content, self._chunk_tokens) for each in outlines]
        # Models read no white space, and take only so much of it.
        pieces = [
            " ".join(each.new.content[span.start : span.end].split())
            for each, spans in zip(outlines, cut, strict=True)
            for span in spans
        ]
        self._tally.need("vectors", len(pieces))  # all, though some may merge
        vectors = iter(self._embedders.served().embed(pieces))
        words = (worded(piece, self.language) for piece in pieces)
        return [
            _draft(each, tuple(Chunk(span, next(vectors)) for span in spans), tuple(next(words) for _ in spans))
            for each, spans in zip(outlines, cut, strict=True)
        ]


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


def _draft(each: Outline, chunks: tuple[Chunk, ...], words: tuple[Worded, ...]) -> Draft:
    # Longer texts merge with their equals only, so nobody asks what they say.
    said = signature(each.new.content) if len(chunks) == 1 else Signature((), ())
    return Draft(str(uuid4()), each.new, each.expires_at, chunks, said, each.entries, words)
