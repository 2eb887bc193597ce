"""A call that is tried again is answered as it was the first time, and not carried out twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from local.iam.message import Message
from local.iam.proxy import Proxy, Upstreams
from local.iam.repeats import Repeats
from local.iam.sessions import ROOT_KEY
from local.iam.wire import Answer, Head

_SIGNED = f"AWS4-HMAC-SHA256 Credential={ROOT_KEY}/20261120/us-east-1/iam/aws4_request, Signature=0"


class Service:
    """Makes a thing for each request that it gets, and takes a moment for it."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.made = 0

    async def ask(self, *_: object) -> Answer:
        self.made += 1
        await asyncio.sleep(0)
        status = self._statuses.pop(0)
        return Answer(status, Head(f"HTTP/1.1 {status} Said", ()), b"", str(self.made).encode())


async def one_after_the_other(*attempts: Awaitable[Answer]) -> list[Answer]:
    return [await attempt for attempt in attempts]


async def at_once(*attempts: Awaitable[Answer]) -> list[Answer]:
    return list(await asyncio.gather(*attempts))


@pytest.mark.parametrize("tried", [one_after_the_other, at_once])
def test_attempts_of_one_call_have_one_answer(tried: Callable[..., Awaitable[list[Answer]]]) -> None:
    async def talk() -> None:
        service, repeats = Service(200), Repeats()
        first, second = await tried(repeats.once("one", service.ask()), repeats.once("one", service.ask()))

        assert (first.raw, second.raw, service.made) == (b"1", b"1", 1)

    asyncio.run(talk())


def test_a_client_that_goes_away_hears_at_its_next_attempt_what_became_of_the_first() -> None:
    async def talk() -> None:
        service, repeats = Service(200), Repeats()
        first = asyncio.ensure_future(repeats.once("one", service.ask()))
        await asyncio.sleep(0)
        first.cancel()

        assert (await repeats.once("one", service.ask())).raw == b"1"
        assert service.made == 1

    asyncio.run(talk())


@pytest.mark.parametrize("status", [400, 409, 429, 500, 503])
def test_what_failed_is_asked_anew(status: int) -> None:
    async def talk() -> None:
        service, repeats = Service(status, 200), Repeats()

        assert (await repeats.once("one", service.ask())).status == status
        assert (await repeats.once("one", service.ask())).status == 200

    asyncio.run(talk())


@pytest.mark.parametrize(("first", "second"), [("one", "two"), ("", "")])
def test_other_calls_and_calls_without_an_id_are_carried_out(first: str, second: str) -> None:
    async def talk() -> None:
        service, repeats = Service(200, 200), Repeats()
        await repeats.once(first, service.ask())
        await repeats.once(second, service.ask())

        assert service.made == 2

    asyncio.run(talk())


def test_the_proxy_makes_what_root_asks_for_once() -> None:
    """Terraform is root, and its requests come by the proxy."""

    async def talk() -> None:
        unused: Any = None
        proxy, service = Proxy(0, {}, unused, unused, unused, unused), Service(200)
        fields = (("Authorization", _SIGNED), ("Amz-Sdk-Invocation-Id", "one"), ("Content-Length", "0"))
        head = Head("POST / HTTP/1.1", fields)
        message = Message("POST", "/", head.headers, b"")
        for _ in range(2):
            assert await proxy.answer(head, message, cast("Upstreams", service)) == b"1"
        assert service.made == 1

    asyncio.run(talk())
