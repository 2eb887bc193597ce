"""What the pack plants in a tenant: records of every layer under ids that nobody can guess, each with marks.

A mark is a word that stands nowhere else. Where one comes back to a tenant that never said it, the wall has a hole.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.isolation.routes import Ids, Unfilled, route
from tests.isolation.wire import Answer, Ask

Send = Callable[[Ask], Answer]
WORD = re.compile(r"[A-Za-z0-9-]{12,}")
_SERVER_MADE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True)
class Planted:
    """Records of one tenant: where they stand, what they say, and by which words they are known again."""

    ids: Ids
    state: str
    episode: str
    memory: str
    topic: str
    fact: str
    made: frozenset[str]

    @property
    def contents(self) -> frozenset[str]:
        """Words of what the records say, and ids that the server made for them: none is the attacker's to choose."""
        return self.made | {
            word for text in (self.state, self.episode, self.memory, self.topic, self.fact) for word in _marks(text)
        }

    @property
    def marks(self) -> frozenset[str]:
        """Every word of these records that another tenant must never hear."""
        return self.contents | set(self.ids.values())


def _marks(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if "-" in word]


def mark(kind: str) -> str:
    """A word that was never said before."""
    return f"{kind}-{secrets.token_hex(8)}"


def absent() -> Ids:
    """Ids of the same shape under which nothing stands anywhere."""
    return (
        _names()
        | {
            "id": str(uuid4()),
            "fact_id": str(uuid4()),
            "key_id": _key_id(),
            "job_id": mark("job"),
            "upload_id": mark("upload"),
        }
        | {"claim_id": mark("claim")}
    )


def plant(send: Send, *, with_key: bool = False, with_claim: bool = False, with_upload: bool = False) -> Planted:
    """Store a state, episodes, memories, facts, steps and runs, two of each that there are pages to turn, and a call.

    An API key only when asked for: a tenant may have a hundred. The call has ended, unless its claim is asked for. What
    is uploaded, when that is asked for, is the state's mark.
    """
    ids = _names()
    whose = {name: ids[name] for name in ("agent_id", "session_id", "user_id")}
    topic = mark("topic")
    metadata = {"topic": topic}
    state, episode = mark("state"), f"An episode about {mark('episode')}."
    memory = f"{mark('memory')} keeps the spare key under the third stone."
    for session in (ids["session_id"], mark("session")):
        told: dict[str, Any] = {**whose, "session_id": session, "data": {"note": state}, "metadata": metadata}
        _made(send(Ask("POST", "/v1/state", body=told)))
    item: dict[str, Any] = {**whose, "run_id": ids["run_id"], "type": "conversation", "metadata": metadata}
    episodes = [item | {"content": text} for text in (episode, mark("earlier"))]
    made = _ids_in(_made(send(Ask("POST", "/v1/memory/episodic/batch", body={"items": episodes}))))
    item = {**whose, "namespace": ids["namespace"], "metadata": metadata, "dedupe": False}
    texts = [item | {"content": text} for text in (f"{mark('other')} is the name of the boat.", memory)]
    stored = _made(send(Ask("POST", "/v1/memory/semantic/batch", body={"items": texts})))
    ids["id"] = stored.data["results"][1]["data"]["id"]
    ended = {"agent_id": ids["agent_id"], "user_id": ids["user_id"], "summary": memory, "topics": [topic]}
    ids["job_id"] = _made(send(Ask("POST", f"/v1/sessions/{ids['session_id']}/end", body=ended))).data["job_id"]
    fact, known = f"{mark('fact')} keeps it.", frozenset[str]()
    for value, predicate in ((fact, "lies under"), (mark("later"), "lies under"), (mark("beside"), "lies beside")):
        new = {**whose, "subject": "the spare key", "predicate": predicate, "value": value, "metadata": metadata}
        said = _made(send(Ask("PUT", "/v1/facts", body=new)))
        known |= _ids_in(said)
        ids.setdefault("fact_id", said.data["fact"]["id"])
    if with_key:
        ids |= _key(send)
    if with_upload:
        ids |= _upload(send, state.encode())
    ids |= _work(send, ids, topic, with_claim=with_claim)
    _procedures(send, ids, topic)
    return Planted(ids, state, episode, memory, topic, fact, made | _ids_in(stored) | known)


def _work(send: Send, ids: Ids, topic: str, *, with_claim: bool) -> dict[str, str]:
    """Two runs of the agent, one with two steps and a tool call; what the request of a claim says is its filler."""
    step = {"agent_id": ids["agent_id"], "state": {"note": topic}, "status": "running"}
    for run, number in ((ids["run_id"], 1), (ids["run_id"], 2), (mark("run"), 1)):
        _made(send(Ask("PUT", f"/v1/runs/{run}/steps/{number}", body=step)))
    call = f"/v1/runs/{ids['run_id']}/tools/{ids['call_id']}"
    new = {"agent_id": ids["agent_id"], "tool": "search", "arguments_hash": "0" * 64, "lease_s": 3600}
    claim = _made(send(Ask("POST", call, body=new))).data["claim_id"]
    if not with_claim:
        _made(send(Ask("PUT", call, body={"result": {"note": topic}})))
    return {"claim_id": str(claim)}


def _procedures(send: Send, ids: Ids, topic: str) -> None:
    """Two procedures of the agent, one of them in two versions."""
    new = {"agent_id": ids["agent_id"], "user_id": ids["user_id"], "trigger": topic, "metadata": {"topic": topic}}
    for name, step in ((ids["name"], "Look twice."), (ids["name"], f"Look at {topic}."), (mark("name"), "Look.")):
        _made(send(Ask("PUT", f"/v1/procedures/{name}", body=new | {"steps": [step]})))


def _names() -> dict[str, str]:
    return {
        name: mark(name.removesuffix("_id"))
        for name in ("agent_id", "session_id", "user_id", "run_id", "call_id", "namespace", "name")
    }


def _key(send: Send) -> dict[str, str]:
    """An API key with no use but to be attacked, where the deployment makes keys over its API."""
    makes = route("POST /v1/keys")
    if makes is None:
        return {}
    (ask,) = makes.asks({}, {"label": mark("label"), "scopes": ["read"]})
    return {"key_id": str(_made(send(ask)).data["key_id"])}


def _upload(send: Send, content: bytes) -> dict[str, str]:
    """Something uploaded that no record has taken yet."""
    new = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    announced = _made(send(Ask("POST", "/v1/uploads", body=new))).data
    httpx.put(announced["url"], content=content, trust_env=False).raise_for_status()
    return {"upload_id": str(announced["upload_id"])}


def _key_id() -> str:
    return secrets.token_hex(8)


def _made(answer: Answer) -> Answer:
    items = answer.data.get("results", []) if isinstance(answer.data, dict) else []
    if answer.status >= 300 or any(each["status"] >= 300 for each in items):
        raise Unfilled(f"nothing could be planted: {answer.status} {answer.text[:300]}")
    return answer


def _ids_in(answer: Answer) -> frozenset[str]:
    """Ids that the server made."""
    data: Any = answer.json.get("data")
    return frozenset(_SERVER_MADE.findall(str(data)))
