"""The request and the answer of Converse, and a stand-in for a model that summarises: it knows no language.

It answers in the form that it is asked for, with what can be seen without understanding: the first sentences as the
summary, the longest words as topics, and as facts what is said as "my <predicate> is <value>". Its id can make it
misbehave, for the tests of whoever calls it.
"""

import json
import re
from collections import Counter
from typing import Any

from local.json_service import Body, ServiceError

MODEL_ID = "local.summarizer-v1:0"
UNRULY_ID = "local.unruly-v1:0"
"""Speaks, and never in the form that it is asked for."""

_FACT = re.compile(r"\bmy (\w+(?: \w+)?) is ([^.,;!?\n]+)", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
_CHARACTERS_PER_TOKEN = 4


def converse(model_id: str, raw: bytes) -> Body:
    """Answer one request."""
    if model_id not in (MODEL_ID, UNRULY_ID):
        raise ServiceError("ValidationException", "The provided model identifier is invalid.")
    asked = _checked(raw)
    heard = "\n".join(part["text"] for message in asked["messages"] for part in message["content"])
    said = "I would rather not." if model_id == UNRULY_ID else json.dumps(_digest(heard))
    limit = asked.get("inferenceConfig", {}).get("maxTokens", 4096) * _CHARACTERS_PER_TOKEN
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": said[:limit]}]}},
        "stopReason": "max_tokens" if len(said) > limit else "end_turn",
        "usage": {
            "inputTokens": len(heard) // _CHARACTERS_PER_TOKEN,
            "outputTokens": len(said) // _CHARACTERS_PER_TOKEN,
        },
        "metrics": {"latencyMs": 1},
    }


def _digest(heard: str) -> dict[str, Any]:
    turns = [line.partition(": ")[2] or line for line in heard.splitlines() if line.strip()]
    sentences = [found.strip() for turn in turns for found in _SENTENCE.findall(turn) if found.strip()]
    words = Counter(word.lower() for word in re.findall(r"[^\W\d_]{6,}", " ".join(turns)))
    facts = [
        {"subject": "user", "predicate": predicate.strip().lower(), "value": value.strip()}
        for predicate, value in _FACT.findall(" ".join(turns))
    ]
    return {
        "summary": " ".join(sentences[:2]) or "Nothing was said.",
        "topics": [word for word, _ in words.most_common(5)],
        "facts": facts[:20],
    }


def _checked(raw: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(raw)
        texts = [part["text"] for message in asked["messages"] for part in message["content"]]
        is_good = asked["messages"][0]["role"] == "user" and all(isinstance(text, str) and text for text in texts)
    except (ValueError, KeyError, TypeError, IndexError):
        is_good = False
    if not is_good:
        raise ServiceError("ValidationException", "A conversation must start with a user message.")
    checked: dict[str, Any] = asked
    return checked
