"""Each store is reported by itself, and a broken one breaks nothing."""

import threading
from collections.abc import Mapping
from typing import Any

from agent_memory.errors import StoreUnavailable
from agent_memory.service.readiness import Readiness


def working() -> Mapping[str, Any]:
    return {"running_jobs": 2}


def away() -> None:
    raise StoreUnavailable("secret words")


def broken() -> None:
    raise KeyError("password")


def test_a_store_that_answers_is_ok_with_its_latency_and_details() -> None:
    report = Readiness({"database": working}, timeout_s=1).run()

    assert report["database"].pop("latency_ms") >= 0
    assert report == {"database": {"state": "ok", "running_jobs": 2}}


def test_a_store_that_fails_is_unavailable_and_says_no_more() -> None:
    report = Readiness({"one": away, "two": broken, "three": lambda: None}, timeout_s=1).run()

    assert report["one"] == report["two"] == {"state": "unavailable"}
    assert report["three"]["state"] == "ok"


def test_a_store_that_hangs_holds_nobody_up() -> None:
    released = threading.Event()

    def hang() -> None:
        released.wait()

    report = Readiness({"hangs": hang, "works": lambda: None}, timeout_s=0.05).run()

    assert {name: store["state"] for name, store in report.items()} == {"hangs": "unavailable", "works": "ok"}
    released.set()


def test_all_stores_are_asked_at_the_same_time() -> None:
    met = threading.Barrier(3)

    def meet() -> None:
        met.wait(timeout=1)

    report = Readiness({"one": meet, "two": meet, "three": meet}, timeout_s=2).run()

    assert {store["state"] for store in report.values()} == {"ok"}
