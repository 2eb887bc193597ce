"""How drafts become the calls of `memory.store`, `memory.add_chunks` and `memory.add_postings`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from agent_memory.domain.chunking import Span
from agent_memory.domain.database import Call, Scalar
from agent_memory.domain.embedding import Vector
from agent_memory.domain.embedding_models import read_space
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import KEEP, IdempotencyRecord
from agent_memory.domain.json_document import dumps
from agent_memory.domain.merging import MERGE_ABOVE
from agent_memory.domain.semantic_store import Draft
from agent_memory.errors import PayloadTooLarge

_WIDTH = 1024  # of the column; a shorter vector is filled up with zeros, which changes no cosine


def vector_text(vector: Vector) -> str:
    """pgvector's text form. Five digits are as exact as the half-precision numbers that it becomes."""
    numbers = ",".join([f"{number:.5f}" for number in vector])
    return f"[{numbers}{',0' * (_WIDTH - len(vector))}]"


def answer_of(record: IdempotencyRecord | None) -> JsonObject | None:
    """A request's idempotency key as the functions take it; they keep what was done, and not what was answered."""
    if record is None:
        return None
    return {"scope": record.scope, "request_hash": record.request_hash, "lapses_at": record.started_at + KEEP}


def store_calls(
    tenant_id: str,
    drafts: Sequence[Draft],
    model: str,
    now: datetime,
    answer: IdempotencyRecord | None,
    max_bytes: int,
    patience_s: float,
) -> list[Call]:
    """One call; where the chunks of long texts do not fit into it, they follow in calls of their own.

    Raises:
        PayloadTooLarge: texts and metadata alone do not fit.
    """
    models = list(dict.fromkeys([name for draft in drafts for name in (model, *draft.vectors)]))
    lines = [_lines(draft, models) for draft in drafts]
    words = [_posting_lines(draft) for draft in drafts]
    room = max_bytes - sum(len(draft.new.content.encode()) * 4 // 3 for draft in drafts)
    all_fit = sum(len(line) for each in (*lines, *words) for line in each) < room // 2
    inline = [all_fit or len(draft.spans) == 1 for draft in drafts]
    request = {
        "now": now,
        "patience_ms": round(patience_s * 900),  # the rest is for the way there and back
        "model": model,
        "models": model_list(models),
        "answer": answer_of(answer),
        "items": [
            _item(draft, *((len(own), said) if sent else (0, None)))
            for draft, own, said, sent in zip(drafts, lines, words, inline, strict=True)
        ],
    }
    described = dumps(request)
    chunks_sent = "\n".join(line for own, sent in zip(lines, inline, strict=True) if sent for line in own)
    if len(described) + len(chunks_sent) > room:
        raise PayloadTooLarge("the texts and their metadata are more than one request can carry")
    contents = "".join(draft.new.content for draft in drafts).encode()
    arguments: dict[str, Scalar] = {"tenant": tenant_id, "request": described, "contents": contents}
    calls = [Call("store", {**arguments, "chunks": chunks_sent})]
    for draft, own, said, sent in zip(drafts, lines, words, inline, strict=True):
        if not sent:
            calls += _chunk_calls(tenant_id, draft, own, models, max_bytes)
            calls += _posting_calls(tenant_id, draft, said, max_bytes)
    return calls


def model_list(models: Sequence[str]) -> list[JsonObject]:
    """The models that lines name by their place, as the functions take them."""
    return [{"name": name, "dimensions": read_space(name).dimensions} for name in models]


def chunk_line(model: int, ordinal: int, span: Span, vector: Vector) -> str:
    """A piece of a text with its vector, as the functions take it."""
    return f"{model} {ordinal} {span.start} {span.end} {vector_text(vector)}"


def _chunk_calls(
    tenant_id: str, draft: Draft, lines: Sequence[str], models: Sequence[str], max_bytes: int
) -> Iterator[Call]:
    per_call = max(1, max_bytes // (2 * max((len(line) for line in lines), default=1)))
    for first in range(0, len(lines), per_call):
        arguments: dict[str, Scalar] = {
            "tenant": tenant_id,
            "id": draft.id,
            "models": dumps(model_list(models)),
            "chunks": "\n".join(lines[first : first + per_call]),
        }
        yield Call("add_chunks", arguments)


def _posting_calls(tenant_id: str, draft: Draft, lines: Sequence[str], max_bytes: int) -> Iterator[Call]:
    per_call = max(1, max_bytes // (2 * max((len(line) for line in lines), default=1)))
    for first in range(0, len(lines), per_call):
        postings = "\n".join(lines[first : first + per_call])
        arguments: dict[str, Scalar] = {
            "tenant": tenant_id,
            "id": draft.id,
            "first_ordinal": first,
            "postings": postings,
        }
        yield Call("add_postings", arguments)


def _posting_lines(draft: Draft) -> list[str]:
    """One for each chunk: its length, its lexemes, and how often it holds each."""
    return [
        f"{length} {_array(each.number for each in lexemes)} {_array(each.times for each in lexemes)}"
        for lexemes, length in draft.words
    ]


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


def _lines(draft: Draft, models: Sequence[str]) -> list[str]:
    """One for each piece and model, those of the model that is searched first."""
    return [
        chunk_line(models.index(name), ordinal, span, vector)
        for name, vectors in draft.vectors.items()
        for ordinal, (span, vector) in enumerate(zip(draft.spans, vectors, strict=True))
    ]


def _item(draft: Draft, lines: int, postings: Sequence[str] | None) -> JsonObject:
    new, alone = draft.new, len(draft.spans) == 1
    return {
        "memory_id": draft.id,
        "agent_id": new.agent_id,
        "namespace": new.namespace,
        "user_id": new.user_id,
        "session_id": new.session_id,
        "metadata": None if new.metadata is None else dumps(new.metadata),
        "entries": draft.entries,
        "purposes": new.purposes or [],
        "source_kind": new.source.kind if new.source else None,
        "source_id": new.source.id if new.source else None,
        "trust": new.trust or "direct_user",
        "timestamp": new.timestamp,
        "expires_at": draft.expires_at,
        "bytes": len(new.content.encode()),
        "chunk_count": len(draft.spans),
        "lines": lines,
        "pending": draft.pending,
        "marks": draft.signature.marks if alone else None,
        "words": draft.signature.words if alone else None,
        "postings": None if postings is None else "\n".join(postings),
        "pinned": new.pinned,
        "dedupe": new.dedupe,
        "merge_above": MERGE_ABOVE,
    }
