"""Twenty agents race for a thousand tool calls while some of them are killed: each call completes exactly once."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from local.stack import Stack
from local.state import ROOT
from tests.e2e.agents import AGENTS
from tests.e2e.api import Api, wait_until

CALLS = 1000
PROCESSES = 4
KILLS = 4
LEASE_S = 3
PATIENCE_S = 400


class Race:
    """Processes of agents, and what they witnessed."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.run, self.witness = f"race-{secrets.token_hex(6)}", folder / "witness"
        self._command = [stack.api_url, self.run, str(CALLS), str(LEASE_S), str(self.witness)]
        self._environment = os.environ | {"API_KEY": stack.tenants[0].api_key}
        self.running: list[subprocess.Popen[bytes]] = []
        self.witness.touch()

    def start(self) -> None:
        """Start a process of agents."""
        command = [sys.executable, "-m", "tests.e2e.agents", *self._command]
        self.running.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))

    def kill_one(self) -> None:
        """In the midst of whatever its agents do; others take their place."""
        process = self.running.pop(0)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        self.start()

    def seen(self) -> list[dict[str, Any]]:
        """What the agents wrote down; the last line of one that was killed may not be whole."""
        return [json.loads(line) for line in self.witness.read_text().splitlines() if line.endswith("}")]

    def completed(self) -> int:
        """How many calls were completed as far as their agents know."""
        return self.witness.read_text().count('"completed"')


@contextmanager
def racing(stack: Stack, folder: Path) -> Iterator[Race]:
    race = Race(stack, folder)
    try:
        for _ in range(PROCESSES):
            race.start()
        yield race
    finally:
        for process in race.running:
            process.kill()
            process.wait()


def test_each_call_completes_exactly_once_though_agents_are_killed(api: Api, stack: Stack, tmp_path: Path) -> None:
    assert PROCESSES * AGENTS == 20
    began = time.monotonic()
    with racing(stack, tmp_path) as race:
        for kill in range(1, KILLS + 1):
            goal = CALLS * kill // (KILLS + 1)
            wait_until(lambda goal=goal: race.completed() >= goal, PATIENCE_S)  # type: ignore[misc]
            race.kill_one()
        ended = [process.wait(PATIENCE_S) for process in race.running]
    took_s = time.monotonic() - began
    assert ended == [0] * PROCESSES
    seen = race.seen()

    def recorded(call: int) -> Any:
        body = {"agent_id": "auditor", "tool": "pay", "arguments_hash": f"{call:x}", "lease_s": 1}
        return api.post(f"/v1/runs/{race.run}/tools/call-{call}", body, expect=200)

    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(recorded, range(CALLS)))
    by_what = Counter(line["what"] for line in seen)
    completed: dict[int, set[str]] = {}
    for line in seen:
        if line["what"] == "completed":
            completed.setdefault(line["call"], set()).add(line["claim"])
    sys.stdout.write(f"{CALLS} calls in {took_s:.0f} s: {dict(by_what)}\n")  # shown with -s
    # Who heard that its completion was taken was the only one, and its result is what everybody hears.
    for call, record in enumerate(records):
        assert record["status"] == "done"
        assert record["result"] == record["claim_id"]
        assert completed.get(call, {record["result"]}) == {record["result"]}
    assert max(Counter(line["call"] for line in seen if line["what"] == "completed").values()) == 1
    # Nobody started a call while another's lease ran: a second start is a further attempt, one lease later.
    starts: dict[int, list[float]] = {}
    for line in seen:
        if line["what"] == "started":
            starts.setdefault(line["call"], []).append(line["at"])
    assert all(later - first > LEASE_S - 1 for at in starts.values() for first, later in pairwise(at))
    # Else nothing was killed or late, and nothing proven.
    assert by_what["started"] > by_what["completed"] + by_what["refused"] >= by_what["completed"]
    assert sum(record["attempt"] > 1 for record in records) > 0
