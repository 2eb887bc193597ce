"""Whether each store answers, and how fast."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

Probe = Callable[[], Mapping[str, Any] | None]
"""Touches one store, lightly; returns what else is worth telling, or raises."""


class Readiness:
    """Asks every store at the same time and waits for none longer than the time-out.

    It never raises: the caller wants to know which stores work, above all when one does not.
    """

    def __init__(self, probes: Mapping[str, Probe], timeout_s: float) -> None:
        self._probes = probes
        self._timeout_s = timeout_s

    def run(self) -> dict[str, dict[str, Any]]:
        """Each store's state, latency in milliseconds, and what its probe told."""
        pool = ThreadPoolExecutor(max_workers=max(1, len(self._probes)))
        asked = {name: pool.submit(_measured, probe) for name, probe in self._probes.items()}
        wait(asked.values(), timeout=self._timeout_s)
        pool.shutdown(wait=False, cancel_futures=True)
        return {name: _report(answer) for name, answer in asked.items()}


def _measured(probe: Probe) -> dict[str, Any]:
    started = time.perf_counter()
    details = probe() or {}
    return {"state": "ok", "latency_ms": round((time.perf_counter() - started) * 1000, 1), **details}


def _report(answer: Future[dict[str, Any]]) -> dict[str, Any]:
    """Why a store is unavailable is for the logs of the store's own client; an error's text may hold anything."""
    if not answer.done() or answer.cancelled() or answer.exception():
        return {"state": "unavailable"}
    return answer.result()
