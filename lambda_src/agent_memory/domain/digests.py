"""What a model makes of a session's transcript, and how far that is taken at its word.

Whoever spoke in the session may have told the model what to answer. So it has a say in what is known and in nothing
else: trust, purposes, expiry and source are the session's, as its caller gave them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field

from agent_memory.domain.fact_names import predicate_key, subject_key
from agent_memory.domain.facts import TRUST
from agent_memory.domain.fields import Body, JsonObject
from agent_memory.domain.semantic import Text
from agent_memory.domain.sessions import MAX_FACTS, FoundFact, Topics, as_given
from agent_memory.domain.times import parse_time

if TYPE_CHECKING:
    from agent_memory.domain.fact_requests import Cardinality

_CONCLUDED = "inference"


class DigestFact(FoundFact):
    """A fact that a model found in a transcript; whatever else it says of the fact is not heard."""

    model_config = ConfigDict(extra="ignore")


class Digest(Body):
    """What a model makes of a transcript; whatever else it says is no answer."""

    model_config = ConfigDict(extra="ignore")

    summary: Text
    topics: Topics = Field(default_factory=list)
    facts: Annotated[list[DigestFact], Field(max_length=MAX_FACTS)] = Field(default_factory=list)


def digested(payload: JsonObject, digest: Digest) -> JsonObject:
    """What is left to do once a transcript has been read: it is not kept.

    `facts_left_out` counts the facts that cannot be said as the model says them. They are left out before the answer
    takes the transcript's place, so that nothing in it keeps the job from being done.
    """
    facts = _of_one_mind(_possible(digest.facts, parse_time(payload["timestamp"])))
    left = {name: value for name, value in payload.items() if name != "transcript"}
    # A conclusion is worth no more than an inference, and no more than what it was drawn from.
    trust = min(_CONCLUDED, left.get("trust", _CONCLUDED), key=TRUST.index)
    found = {"summary": digest.summary, "topics": digest.topics, "facts": as_given(facts)}
    return {**left, **found, "trust": trust, "is_digest": True, "facts_left_out": len(digest.facts) - len(facts)}


def _possible(facts: Sequence[DigestFact], ended_at: datetime) -> list[DigestFact]:
    """Without those that end before they begin: without an end they would hold now, which nobody has said."""
    return [each for each in facts if each.valid_to is None or each.valid_to > (each.valid_from or ended_at)]


def _of_one_mind(facts: Sequence[DigestFact]) -> list[DigestFact]:
    """The cardinality that the model says first of a predicate is that of all facts with the same predicate."""
    first: dict[tuple[str, str], Cardinality] = {}
    for each in facts:
        if each.cardinality is not None:
            first.setdefault(_scope(each), each.cardinality)
    return [each.model_copy(update={"cardinality": first.get(_scope(each))}) for each in facts]


def _scope(fact: DigestFact) -> tuple[str, str]:
    return subject_key(fact.subject), predicate_key(fact.predicate)
