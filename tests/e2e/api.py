"""A client that says what went wrong."""

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

# What tests said in bodies, as far as nobody could say it by chance, and what they were told in refusals: at the end of
# a run none of the one may stand in a log, and nothing secret in the other (test_canaries.py).
SAID: set[str] = set()
REFUSALS: list[str] = []
_UNIQUE = re.compile(
    r"\b[A-Za-z]{1,40}-[0-9a-f]{8,}"
)  # from the start of a word: else long ones take their length squared


class Api:
    """Calls as one tenant; a plain method returns `data`, or `error` for a status of 400 and more."""

    def __init__(self, url: str, key: str) -> None:
        limits = httpx.Limits(max_connections=64)
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=240, limits=limits)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send as it is."""
        if body is not None:
            SAID.update(_UNIQUE.findall(json.dumps(body)))
            response = self._client.request(method, path, json=body, headers=headers)
        else:
            response = self._client.request(method, path, content=content, headers=headers)
        if response.is_error:
            REFUSALS.append(response.text)
        return response

    def post(self, path: str, body: object, expect: int | None = 200) -> Any:
        return self._content(self.request("POST", path, body), expect)

    def put(self, path: str, body: object, expect: int | None = 200) -> Any:
        return self._content(self.request("PUT", path, body), expect)

    def patch(self, path: str, body: object, expect: int | None = 200) -> Any:
        return self._content(self.request("PATCH", path, body), expect)

    def get(self, path: str, expect: int | None = 200) -> Any:
        return self._content(self.request("GET", path), expect)

    def delete(self, path: str, expect: int | None = 204) -> Any:
        return self._content(self.request("DELETE", path), expect)

    @staticmethod
    def quote(value: str) -> str:
        """Percent-encode for a query."""
        return quote(value, safe="")

    @staticmethod
    def _content(response: httpx.Response, expect: int | None) -> Any:
        if expect is not None:
            assert response.status_code == expect, response.text[:500]
        if response.status_code == 204:
            assert response.content == b""
            return None
        envelope = response.json()
        assert envelope["meta"]["request_id"]
        return envelope["error" if response.status_code >= 400 else "data"]


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Poll until it holds; fail when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold in time"
        time.sleep(0.05)
