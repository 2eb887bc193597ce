"""A table that a test silences takes requests and answers none, while all others go on."""

import asyncio
from typing import Any, cast

import pytest

from local.iam.message import Message
from local.iam.proxy import Proxy, Upstreams
from local.iam.sessions import ROOT_KEY
from local.iam.wire import Answer, Broken, Head

SIGNED = f"AWS4-HMAC-SHA256 Credential={ROOT_KEY}/20261120/us-east-1/dynamodb/aws4_request, Signature=0"


class Everything:
    """Stand-ins that answer at once."""

    async def ask(self, service: str, request: bytes, method: str) -> Answer:  # noqa: ARG002
        return Answer(200, Head("HTTP/1.1 200 OK", ()), b"", b"answered")


def asked(proxy: Proxy, path: str, body: bytes) -> Any:
    head = Head(f"POST {path} HTTP/1.1", (("Authorization", SIGNED), ("Content-Length", str(len(body)))))
    return proxy.answer(head, Message("POST", path, head.headers, body), cast("Upstreams", Everything()))


@pytest.fixture
def proxy() -> Proxy:
    unused: Any = None
    return Proxy(0, {}, unused, unused, unused, unused)


def test_a_silent_table_answers_nobody_and_the_others_go_on(proxy: Proxy) -> None:
    async def talk() -> None:
        await asked(proxy, "/_local/silent/memory", b'{"silent": true}')
        waiting = asyncio.create_task(asked(proxy, "/", b'{"TableName": "memory"}'))
        await asyncio.sleep(0)

        for body in (b'{"TableName": "control"}', b"{}", b"[]", b"no JSON", b"\xff"):
            assert await asked(proxy, "/", body) == b"answered"
        assert not waiting.done()

        await asked(proxy, "/_local/silent/memory", b'{"silent": false}')
        with pytest.raises(Broken):
            await waiting
        assert await asked(proxy, "/", b'{"TableName": "memory"}') == b"answered"

    asyncio.run(talk())
