"""What is sent to a deployment and what comes back: the same for HTTP and for handlers in this process."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote

import httpx

_PATIENCE = {429, 503}
_ATTEMPTS = 8
# What may differ between two answers that say the same.
_INCIDENTAL = (
    (re.compile(r'"meta":\{[^{}]*\}'), '"meta"'),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b"), "<ulid>"),
    (re.compile(r"amk_\w+"), "<key>"),
    (re.compile(r'"(latency_ms|api_calls_month|embeddings_generated_month)":[\d.]+'), r'"\1"'),
    (re.compile(r'"timings":{[^}]*}'), '"timings"'),
    (re.compile(r'"(last_\w+)":(null|"[^"]*")'), r'"\1"'),
    (re.compile(r'"next_cursor":"[^"]*"'), '"next_cursor":"<cursor>"'),
    (re.compile(r'"(body_url|url|upload_id)":"[^"]*"'), r'"\1"'),
)


@dataclass(frozen=True)
class Ask:
    """One request. `query` is a list of pairs, for one name may be sent twice."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The path with its query, percent-encoded."""
        pairs = "&".join(f"{quote(name, safe='.')}={quote(value, safe='')}" for name, value in self.query)
        return self.path + (f"?{pairs}" if pairs else "")

    @property
    def words(self) -> str:
        """All that the sender says, plain: an answer that repeats it tells nothing."""
        said = [self.path, *(value for _, value in self.query), *self.headers.values()]
        return "\n".join(said) + json.dumps(self.body, ensure_ascii=False)

    def but(self, **fields: Any) -> "Ask":
        """The same with something changed."""
        return replace(self, **fields)


@dataclass(frozen=True)
class Answer:
    """One answer, and how long it took."""

    status: int
    headers: Mapping[str, str]
    text: str
    seconds: float = 0.0

    @property
    def json(self) -> Any:
        """The body, or an empty object."""
        return json.loads(self.text) if self.text.startswith("{") else {}

    @property
    def data(self) -> Any:
        """What a successful answer holds."""
        return self.json.get("data")

    def essence(self, *sent: str) -> tuple[int, str]:
        """What it says, without what differs each time and with what was sent taken out of it."""
        text = self.text
        for place, value in enumerate(sent):
            text = text.replace(json.dumps(value)[1:-1], f"<{place}>")
        for pattern, stands_for in _INCIDENTAL:
            text = pattern.sub(stands_for, text)
        return self.status, text


class Door(Protocol):
    """The way into a deployment."""

    def send(self, authorization: str | None, ask: Ask) -> Answer:
        """Send a request as whoever the Authorization header names."""


class HttpDoor:
    """A deployment that is reached by its URL, through one pool of connections."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, authorization: str | None, ask: Ask) -> Answer:
        """See `Door.send`; comes back later when the deployment asks for it."""
        headers = dict(ask.headers) | ({} if authorization is None else {"Authorization": authorization})
        return patiently(lambda: self._once(ask, headers))

    def _once(self, ask: Ask, headers: Mapping[str, str]) -> Answer:
        began = time.perf_counter()
        got = self._client.request(ask.method, ask.target, json=ask.body, headers=headers)
        return Answer(got.status_code, got.headers, got.text, time.perf_counter() - began)


def patiently(send: Callable[[], Answer]) -> Answer:
    """Send, and come back later when the deployment asks for it."""
    for _ in range(_ATTEMPTS - 1):
        answer = send()
        if answer.status not in _PATIENCE:
            return answer
        time.sleep(min(float(answer.headers.get("retry-after", 1)), 10))
    return send()
