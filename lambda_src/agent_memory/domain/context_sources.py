"""What each layer's records say in a context, and how useful they are beside those of the other layers.

A session's state comes first, then the facts that the message touches and the procedures whose trigger it repeats;
below them everything by its score, and the user's other facts among what has a middling one.
"""

from collections.abc import Collection, Iterable, Iterator

from agent_memory.domain.chunking import estimate_tokens
from agent_memory.domain.context import Recall
from agent_memory.domain.context_block import STATE_SHARE, Kind, Source
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.identifiers import to_path
from agent_memory.domain.json_document import dumps
from agent_memory.domain.state import State

_STATE = 4.0
_TOUCHED = 2.0
_REPEATED = 2.5
_CALLED_FOR = 0.9  # from this score on a message all but repeats a procedure's trigger
_SCORED = 1.0
_OTHER_FACT = 1.2


def state_sources(state: State | None, budget: int) -> Iterator[Source]:
    """The session's state: those of its entries, in their order, that a part of the budget has room for."""
    if state is None or not (state.data or state.body):
        return
    if state.data is None:
        size = state.body.size if state.body else 0
        text, is_part = f"{size} bytes, too large to be shown here", False
    else:
        text, is_part = _entries(state.data, int(budget * STATE_SHARE))
    record = f"{to_path(state.key.session_id)}@{state.version}"
    yield Source("state", record, text, _STATE, is_part=is_part)


def fact_sources(facts: Iterable[JsonObject], touched: Collection[float]) -> Iterator[Source]:
    """Facts; `touched` says of each which part of the message's words it has."""
    for fact, part in zip(facts, touched, strict=True):
        use = _TOUCHED + part if part else _OTHER_FACT
        text = fact_text(fact)
        yield Source("fact", fact["id"], text, use, fact["valid_from"], fact["trust"], is_whole=True)


def fact_text(fact: JsonObject) -> str:
    """A fact in words."""
    value = fact["value"] if isinstance(fact["value"], str) else dumps(fact["value"])
    return f"{fact['subject']} {fact['predicate'].replace('_', ' ')}: {value}"


def memory_sources(kind: Kind, found: Iterable[Recall]) -> Iterator[Source]:
    """Memories or summaries, each by the passage that was found."""
    for each in found:
        use = _SCORED + each.score / 2
        yield Source(kind, each.id, each.content, use, each.timestamp, each.trust, is_part=each.is_part)


def procedure_sources(matches: Iterable[JsonObject]) -> Iterator[Source]:
    """Procedures, with what they say to do."""
    for match in matches:
        score = float(match["score"])
        use = _REPEATED if score >= _CALLED_FOR else _SCORED + score / 2
        steps = match["steps"]
        told = match["template"] if steps is None else " ".join(f"{n}. {step}" for n, step in enumerate(steps, 1))
        record = f"{to_path(match['name'])}@{match['version']}"
        yield Source("procedure", record, f"{match['phrase']}: {told}", use, trust=match["trust"])


def _entries(data: JsonObject, room: int) -> tuple[str, bool]:
    told: list[str] = []
    left = room
    is_part = False
    for name, value in data.items():
        entry = f"{dumps(name)}: {dumps(value)}"
        tokens = estimate_tokens(entry) + 1
        if tokens > left:
            is_part = True
            continue
        left -= tokens
        told.append(entry)
    return "{" + ", ".join(told) + "}", is_part
