"""The clients of the published SDK, made ready for tests that serve both."""

import asyncio
from collections.abc import Callable
from typing import Any

from mnemora import MnemoraClient, MnemoraSync  # type: ignore[import-untyped]

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


CLIENTS = {"MnemoraSync": MnemoraSync, "MnemoraClient": Awaited}
