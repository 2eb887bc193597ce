"""Turns of a conversation as memories that are found by meaning, and the questions that the demonstration asks."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from local.transcript import Turn

_QUESTIONS = (
    "What can Pim not eat?",
    "When does the crane come, and what does it cost?",
    "Which floor is the new flat on?",
)
_ASKED = 3
PERSON = "person"
"""Whose conversation it is: memories and facts are of a user."""
_FACTS = (("Noor", "lives in", "Porto"), ("Pim", "must not eat", "cashews"))
_NEXT = "A piano tuner wants to come. Where do we live, and on which floor?"


class Next(NamedTuple):
    """What the person says next, and facts that are known by then."""

    message: str
    facts: tuple[dict[str, Any], ...]


def memory(agent: str, turn: Turn) -> dict[str, Any]:
    """Write a turn as the API takes it. Who spoke and when belongs to what a text means, so it is part of the text."""
    return {
        "agent_id": agent,
        "namespace": "conversation",
        "user_id": PERSON,
        "content": f"{turn.speaker} ({turn.at:%-d %B %Y}): {turn.text}",
        "session_id": turn.session,
        "metadata": {"speaker": turn.speaker},
        "timestamp": turn.timestamp,
    }


def told(turns: Iterable[Turn]) -> list[Turn]:
    """Turns that say something."""
    return [turn for turn in turns if turn.text.strip() and "\0" not in turn.text]


def questions(turns: Sequence[Turn], *, sample: bool) -> list[str]:
    """What ASK asks, else our own questions about our own conversation, else the last ones that were asked in it."""
    if asked := os.environ.get("ASK"):
        return [asked]
    if sample:
        return list(_QUESTIONS)
    return [turn.text for turn in told(turns) if turn.text.rstrip().endswith("?")][-_ASKED:]


def following(turns: Sequence[Turn], asked: Sequence[str], *, sample: bool) -> Next:
    """What comes after our own conversation, with what it settled; after another one, its last question again."""
    if not sample:
        return Next((asked or [turn.text for turn in told(turns)] or ["what was said?"])[-1], ())
    facts = [{"subject": subject, "predicate": predicate, "value": value} for subject, predicate, value in _FACTS]
    return Next(_NEXT, tuple({"user_id": PERSON, **fact} for fact in facts))
