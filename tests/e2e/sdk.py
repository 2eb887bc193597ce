"""The clients of the published SDK, made ready for tests that serve both."""

import asyncio
from collections.abc import Callable
from typing import Any

from mnemora import MnemoraClient, MnemoraSync  # type: ignore[import-untyped]

from local.stack import Stack

PATIENCE_S = 240.0  # a loaded machine is slow, not wrong


class Awaited:
    """A `MnemoraClient` whose coroutines are run to their end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._loop = asyncio.Runner()
        self._client = MnemoraClient(*arguments, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *arguments, **options: self._loop.run(method(*arguments, **options))

    def __enter__(self) -> "Awaited":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._loop.run(self._client.close())
        self._loop.close()


class ClientPerCall:
    """As good as a `MnemoraClient` for what runs each call in an event loop of its own, as the SDK's adapters do.

    There, a connection that an earlier call left open in its own loop is of no use, and the SDK does not notice.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*arguments: Any, **options: Any) -> Any:
            async with client_of(self._stack) as client:
                return await getattr(client, name)(*arguments, **options)

        return call


def client_of(stack: Stack) -> MnemoraClient:
    """Make the asynchronous client of the first tenant."""
    return MnemoraClient(stack.api_key, base_url=stack.api_url, timeout=PATIENCE_S)


CLIENTS = {"MnemoraSync": MnemoraSync, "MnemoraClient": Awaited}
