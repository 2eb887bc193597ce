"""Embedding models, and where it stands which of them are used."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.acting import acting_tenant
from agent_memory.bootstrap import counting
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.domain.embedding import Embedders
    from agent_memory.domain.embedding_models import PlanStore, Space
    from agent_memory.service.embedding import Embeddings, VectorCache
    from agent_memory.service.embedding_models import EmbeddingModels


@cache
def embedding_plan() -> "PlanStore":
    """Where it stands which models are used: nobody's record, reached with the function's own role."""
    return _plan()


def _plan(patience_s: float | None = None) -> "PlanStore":
    from agent_memory.adapters.dynamodb import make_client
    from agent_memory.adapters.dynamodb_embedding_models import DynamoPlanStore

    return DynamoPlanStore(make_client(settings.region, patience_s=patience_s), settings.control_table)


def deployed_spaces() -> "tuple[Space, ...]":
    """Models that the deployment may call: its own, and the one that it is about to change to."""
    from agent_memory.domain.embedding_models import Space

    own = Space(settings.embedding_model, settings.embedding_dimensions)
    following = settings.embedding_next
    return (own, Space(*following)) if following else (own,)


@cache
def embeddings() -> "EmbeddingModels":
    """The embedding models, with their cache."""
    return _embeddings(embedding_plan(), settings.embedding_timeout_s)


@cache
def context_embeddings() -> "Embedders":
    """Half of a context's time is the model's, and what is not used of it the database's."""
    half = settings.context_deadline_s / 2
    return _embeddings(_plan(half), half)


@cache
def _vectors() -> "VectorCache":
    from agent_memory.service.embedding import VectorCache

    return VectorCache()


def _embeddings(plan: "PlanStore", timeout_s: float) -> "EmbeddingModels":
    from agent_memory.adapters.bedrock import TitanEmbedding
    from agent_memory.adapters.bedrock_runtime import make_client
    from agent_memory.domain.usage import Tally
    from agent_memory.service.embedding import Embeddings
    from agent_memory.service.embedding_models import EmbeddingModels, Plans

    client, known = make_client(settings.region), deployed_spaces()

    def make(space: "Space", counted: bool) -> "Embeddings | None":  # noqa: FBT001 - the plan's word
        if space not in known:
            return None
        counts = counting.tally() if counted else Tally()
        return Embeddings(TitanEmbedding(client, *space), counts, timeout_s, acting_tenant, _vectors())

    return EmbeddingModels(Plans(plan, known[0], now), make)
