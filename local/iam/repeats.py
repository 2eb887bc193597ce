"""What a client asks again, because it has not heard the answer.

Now and then Terraform's provider closes a connection on which the head of an answer has come and its body has not, and
asks again. The stand-in has made the thing by then, and says that it exists already.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from local.iam.wire import Answer

_KEPT = 1000


class Repeats:
    """Answers by the id that an SDK gives to all attempts of one call."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, asyncio.Task[Answer]] = OrderedDict()

    async def once(self, invocation: str, asking: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer of the first attempt, unless that failed; `asking` is not begun then."""
        if not invocation:
            return await asking
        task = self._asked.get(invocation)
        if task is None or _has_failed(task):
            task = self._asked[invocation] = asyncio.ensure_future(asking)
            while len(self._asked) > _KEPT:
                self._asked.popitem(last=False)
        else:
            asking.close()
        return await asyncio.shield(task)


def _has_failed(task: asyncio.Task[Answer]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None or task.result().status >= 400)
