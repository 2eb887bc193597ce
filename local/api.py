"""A small client of the HTTP API: one key, JSON in and out, and patience when told to come back later."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx

_ATTEMPTS = 6
_COME_BACK = {429, 503}


class Api:
    """Calls the API as one tenant."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        )

    def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request and repeat it while the API asks for patience; the key makes repeating safe."""
        headers = {} if method == "GET" else {"Idempotency-Key": uuid4().hex}
        return self._patiently(method, path, headers=headers, **content)

    def data(self, method: str, path: str, **content: Any) -> Any:
        """Send a request that must succeed and return its data."""
        return _sound(self.call(method, path, **content))["data"]

    def ask(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        """Send a POST that changes nothing, so that repeating needs no key, and return data and meta."""
        return _sound(self._patiently("POST", path, json=question))

    def _patiently(self, method: str, path: str, **content: Any) -> httpx.Response:
        for attempt in range(1, _ATTEMPTS + 1):
            answer = self._client.request(method, path, **content)
            if answer.status_code not in _COME_BACK or attempt == _ATTEMPTS:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        return answer

    def episodes(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Walk a list of episodes to its end, page by page."""
        cursor: dict[str, str] = {}
        while True:
            page = self.data("GET", path, params=query | cursor)
            yield from page["episodes"]
            if not page.get("next_cursor"):
                return
            cursor = {"cursor": page["next_cursor"]}


def _sound(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        request = answer.request
        said = f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:500]}"
        raise httpx.HTTPStatusError(said, request=request, response=answer)
    told: dict[str, Any] = answer.json()
    return told
