"""Semantic memory."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory import logs
from agent_memory.bootstrap import counting, database, jobs, models, records
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.domain.semantic_store import MemoryStore
    from agent_memory.service.drafting import Drafting
    from agent_memory.service.search_check import SearchCheck
    from agent_memory.service.semantic import SemanticMemory
    from agent_memory.service.semantic_batch import SemanticBatches


@cache
def memory_store() -> "MemoryStore":
    """Memories, as they are stored."""
    from agent_memory.adapters.sql_memories import SqlMemoryStore

    return SqlMemoryStore(database.database(), counting.tally())


@cache
def drafting() -> "Drafting":
    """What makes records of texts."""
    from agent_memory.service.drafting import Drafting
    from agent_memory.service.late_vectors import LaterVectors

    later = LaterVectors(jobs.job_store())
    return Drafting(
        models.embeddings(), settings.embedding_chunk_tokens, counting.tally(), settings.search_language, later
    )


@cache
def semantic() -> "SemanticMemory":
    """Semantic memory."""
    from agent_memory.service.semantic import SemanticMemory

    return SemanticMemory(memory_store(), models.embeddings(), drafting(), records.subjects(), now, _search_check())


def _search_check() -> "SearchCheck | None":
    if not settings.search_check_share:
        return None
    import random

    from agent_memory.service.search_check import SearchCheck

    def tell(recall: float) -> None:
        logs.line(level="INFO", **logs.metrics({"SearchRecall": (recall, "None")}))

    return SearchCheck(memory_store(), settings.search_check_share, random.random, tell)


@cache
def semantic_batches() -> "SemanticBatches":
    """Batches of texts."""
    from agent_memory.service.semantic_batch import SemanticBatches

    return SemanticBatches(memory_store(), drafting(), records.subjects(), now)
