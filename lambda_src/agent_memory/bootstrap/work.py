"""What is done behind requests: jobs, and an operator's change of the embedding model."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import counting, database, jobs, knowledge, memories, models, records
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_memory.domain.jobs import JobWork, Kind
    from agent_memory.domain.late_vectors import LateVectors
    from agent_memory.service.doing_jobs import DoingJobs
    from agent_memory.service.late_vectors import EmbedJobs, MissingVectors
    from agent_memory.service.reembedding import Worker
    from agent_memory.service.session_end import Summarizer


def doing_jobs(crash: "Callable[[Exception], None]") -> "DoingJobs":
    """Whoever does jobs."""
    import time
    from datetime import timedelta

    from agent_memory.service.doing_jobs import DoingJobs, Pace

    pace = Pace(settings.job_attempts, timedelta(seconds=settings.job_s))
    return DoingJobs(jobs.job_store(), _works(), pace, now, time.sleep, crash)


@cache
def _works() -> "Mapping[Kind, JobWork]":
    from agent_memory.service.session_end import SessionEndWork

    ends = SessionEndWork(
        jobs.job_store(),
        memories.memory_store(),
        memories.drafting(),
        knowledge.facts(),
        records.state_store(),
        _summarizer(),
        now,
    )
    return {"session_end": ends, "embed": embed_jobs()}


def _summarizer() -> "Summarizer | None":
    if settings.summarizer_model is None:
        return None
    from agent_memory.adapters.bedrock_converse import ConverseModel
    from agent_memory.adapters.bedrock_runtime import make_client
    from agent_memory.service.summarizing import TranscriptSummarizer

    client, tokens = make_client(settings.region), settings.summarizer_output_tokens
    return TranscriptSummarizer(ConverseModel(client, settings.summarizer_model, tokens), settings.summarizer_timeout_s)


def embed_jobs() -> "EmbedJobs":
    """Jobs of the kind `embed`."""
    import time

    from agent_memory.service.late_vectors import EmbedJobs

    longest_s = settings.embedding_timeout_s
    return EmbedJobs(_late_vectors(), _missing_vectors(), now, time.sleep, longest_s)


def embedding_work() -> "Worker":
    """What an operator has the function do that does jobs."""
    from agent_memory.adapters.sql_procedure_vectors import SqlProcedureVectors
    from agent_memory.service.embedding_work import EmbeddingWork
    from agent_memory.service.procedure_vectors import AlsoProcedures

    of_memories = EmbeddingWork(_late_vectors(), _missing_vectors(), now)
    return AlsoProcedures(of_memories, SqlProcedureVectors(database.database()), models.embeddings())


@cache
def _late_vectors() -> "LateVectors":
    from agent_memory.adapters.sql_late_vectors import SqlLateVectors

    return SqlLateVectors(database.database(), counting.tally())


@cache
def _missing_vectors() -> "MissingVectors":
    from agent_memory.service.late_vectors import MissingVectors

    return MissingVectors(_late_vectors(), models.embeddings(), settings.embedding_chunk_tokens, now)
