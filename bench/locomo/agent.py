"""One conversation as the memory of one agent, written and asked over HTTP."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bench.locomo.data import Conversation, Question, Turn
from local.api import Api

Results = list[dict[str, Any]]

_BATCH = 50
_TRIES = 5
_SHORTEST = 50  # tokens of a line: a context may choose from more memories than it has room for, so the budget decides
_LINE = re.compile(r"- \[memory (\S+)[^\]]*\] (.*)")


class Agent:
    """Remembers every turn, and tells which turns an answer holds: a memory's id says so."""

    def __init__(self, api: Api, conversation: Conversation) -> None:
        self.conversation = conversation
        self.remembered: dict[str, Turn] = {}
        """Turns by the ids of their memories, in order."""
        self._api = api
        self._id = f"locomo-{secrets.token_hex(4)}"

    def remember(self) -> None:
        """Store every turn as a memory of its own."""
        turns = self.conversation.turns
        for batch in (turns[start : start + _BATCH] for start in range(0, len(turns), _BATCH)):
            answer = self._api.data("POST", "/v1/memory/semantic/batch", json={"items": list(map(self._item, batch))})
            for turn, result in zip(batch, answer["results"], strict=True):
                if result["status"] != 201:
                    raise RuntimeError(f"a turn was answered {result['status']}")
                self.remembered[result["data"]["id"]] = turn

    def search(self, question: Question, mode: str, top_k: int, *, explain: bool = False) -> Results:
        """What search answers at the conversation's end."""
        return self._search({"query": question.text, "top_k": top_k, "mode": mode, "explain": explain})

    def parts(self, question: Question, memory_id: str) -> dict[str, float | None]:
        """The parts of the score of one memory, which its time tells from all others."""
        at = _written(self.remembered[memory_id].at)
        (only,) = self._search({"query": question.text, "top_k": 1, "explain": True, "from": at, "to": at})
        parts: dict[str, float | None] = only["parts"]
        return parts

    def turns(self, results: Results) -> list[Turn]:
        """The turns of a search, the best first."""
        return [self.remembered[result["id"]] for result in results]

    def block(self, question: Question, budget: int) -> list[Turn]:
        """The turns that the context at the conversation's end holds whole."""
        asked = {"agent_id": self._id, "message": question.text, "top_k": budget // _SHORTEST, "token_budget": budget}
        return held(self._ask("/v1/context", asked | {"at": self._end})["block"], self.remembered)

    def forget(self) -> None:
        """Leave nothing behind."""
        self._api.data("DELETE", f"/v1/memory/{self._id}")

    def _search(self, asked: dict[str, Any]) -> Results:
        asked |= {"agent_id": self._id, "as_of": self._end}
        told: Results = self._ask("/v1/memory/semantic/search", asked)["results"]
        return told

    def _ask(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """An answer that every store has given its part to: what a busy machine misses says nothing of recall."""
        degraded: list[str] = []
        for _ in range(_TRIES):
            told = self._api.ask(path, asked)
            data: dict[str, Any] = told["data"]
            degraded = told["meta"].get("degraded") or data.get("degraded") or []
            if not degraded:
                return data
        raise RuntimeError(f"{path} went without {', '.join(degraded)} {_TRIES} times in a row")

    @property
    def _end(self) -> str:
        return _written(self.conversation.ends_at)

    def _item(self, turn: Turn) -> dict[str, Any]:
        return {
            "agent_id": self._id,
            "content": turn.content,
            "session_id": turn.session,
            "timestamp": _written(turn.at),
            "metadata": {"turn_id": turn.id},
            "dedupe": False,
        }


def held(block: str, remembered: Mapping[str, Turn]) -> list[Turn]:
    """The turns that have a line of the block with their memory's id as its source and all of their words in it."""
    lines = filter(None, map(_LINE.fullmatch, block.splitlines()))
    named = ((remembered[line[1]], _words(line[2].replace("\\n", " "))) for line in lines if line[1] in remembered)
    return [turn for turn, words in named if words == _words(turn.content)]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
