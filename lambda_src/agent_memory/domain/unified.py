"""All layers at once: one way in, one look at an agent, one search."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from agent_memory.domain.episode import EpisodeResponse
from agent_memory.domain.fields import Body, Id, JsonObject, Limit, Time
from agent_memory.domain.semantic import MAX_TOP_K, MemoryResponse, Query
from agent_memory.domain.state import StateResponse
from agent_memory.errors import InvalidRequest

MAX_OVERVIEW = 50
# What a match of every word is worth beside the score of a memory: a little less than one of all words and of a meaning
# not unlike it. Half of the words are worth half of that.
_WORTH_OF_WORDS = 0.6
Layer = Literal["working", "episodic", "semantic"]
_RULE = (
    "must hold data (working memory), or type and session_id with content (episodic), or content alone (semantic), "
    "with upload_id in place of data or of an episode's content; of these it holds "
)


class OverviewQuery(Body):
    """Query of GET /v1/memory/{agent_id}."""

    limit: Annotated[Limit, Field(le=MAX_OVERVIEW)] = 10


class AgentOverviewQuery(OverviewQuery):
    """Query of GET /v1/memory, the form that works for an agent called `semantic`."""

    agent_id: Id


class OverviewResponse(BaseModel):
    """The newest of each layer; `state` is the session's that was written last."""

    state: StateResponse | None
    semantic: list[MemoryResponse]
    episodic: list[EpisodeResponse]


class SearchAll(Body):
    """Body of POST /v1/memory/search; a record with purposes is found for one of these alone."""

    query: Query
    agent_id: Id | None = None
    purpose: Id | None = None
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 10

    def shows(self, purposes: list[str] | None) -> bool:
        """Whether a record with these purposes may be found."""
        return not purposes or self.purpose in purposes


class SearchAllResult(BaseModel):
    """A memory found by meaning and words, or an episode found by its words, with the other fields of either."""

    memory_type: Literal["semantic", "episodic"]
    id: str
    agent_id: str
    content: Any
    score: float
    similarity_score: float | None = None
    relevance: Literal["text_match"] | None = None
    metadata: JsonObject
    created_at: Time
    timestamp: Time


class SearchAllResponse(BaseModel):
    """What was found in either layer, the best score first."""

    results: list[SearchAllResult]


def layer_of(body: Any) -> Layer:
    """The layer that a write is for, by the fields that it has.

    Raises:
        InvalidRequest: they fit none, or more than one.
    """
    if not isinstance(body, dict):
        raise InvalidRequest.of("body", "must be an object")
    match [name for name in ("data", "content", "type", "upload_id", "session_id") if name in body]:
        case ["data" | "upload_id"] | ["data" | "upload_id", "session_id"]:
            return "working"
        case ["type", "session_id"] | ["content", "type", "session_id"] | ["type", "upload_id", "session_id"]:
            return "episodic"
        case ["content"] | ["content", "session_id"]:
            return "semantic"
        case named:
            raise InvalidRequest.of("body", _RULE + (", ".join(named) or "none"))


def semantic_result(memory: JsonObject) -> JsonObject:
    """A memory that was found."""
    return {"memory_type": "semantic", **memory}


def episodic_result(episode: JsonObject, part_found: float) -> JsonObject:
    """An episode that holds this part of the words."""
    score = round(_WORTH_OF_WORDS * part_found, 6)
    return {"memory_type": "episodic", **episode, "relevance": "text_match", "score": score}
