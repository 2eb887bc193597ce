"""A process of five agents that race with others for the tool calls of a run, until every call has ended.

    python -m tests.e2e.agents URL RUN CALLS LEASE_S WITNESS     (the API key is in API_KEY)

What an agent does outside, before and after it says so to the ledger, goes line by line into the witness file, which
outlives the process: it is there to be killed at any moment.
"""

import json
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

AGENTS = 5
_PAUSE_S = 0.05
_SLOW = 0.01  # so many tools take longer than their lease


@dataclass
class Race:
    """What the agents of this process share."""

    url: str
    run: str
    calls: int
    lease_s: int
    witness: int
    ended: set[int] = field(default_factory=set)

    def note(self, what: str, call: int, claim_id: str) -> None:
        """One write of one line: other processes append to the same file."""
        line = {"what": what, "call": call, "claim": claim_id, "at": time.time()}
        os.write(self.witness, json.dumps(line).encode() + b"\n")


class Agent:
    """One agent, with a connection and an order of its own."""

    def __init__(self, race: Race, name: str) -> None:
        self._race = race
        self._name = name
        headers = {"Authorization": f"Bearer {os.environ['API_KEY']}"}
        self._client = httpx.Client(base_url=race.url, headers=headers, timeout=60, trust_env=False)
        self._random = random.Random(name)  # noqa: S311 - an order, not a secret

    def work(self) -> None:
        """Go on until every call has ended."""
        order = self._random.sample(range(self._race.calls), self._race.calls)
        while left := [call for call in order if call not in self._race.ended]:
            for call in left:
                if call not in self._race.ended:
                    self._try(call)
            time.sleep(_PAUSE_S)

    def _try(self, call: int) -> None:
        body = {"agent_id": self._name, "tool": "pay", "arguments_hash": f"{call:x}", "lease_s": self._race.lease_s}
        claim = self._send("POST", call, body)
        if claim.status_code == 200:
            self._race.ended.add(call)
        elif claim.status_code == 201:
            self._run(call, claim.json()["data"]["claim_id"])

    def _run(self, call: int, claim_id: str) -> None:
        self._race.note("started", call, claim_id)
        if self._random.random() < _SLOW:
            time.sleep(self._race.lease_s + 0.5)
        told = self._send("PUT", call, {"claim_id": claim_id, "result": claim_id})
        self._race.note("completed" if told.status_code == 200 else "refused", call, claim_id)

    def _send(self, method: str, call: int, body: Any) -> httpx.Response:
        while True:
            answer = self._client.request(method, f"/v1/runs/{self._race.run}/tools/call-{call}", json=body)
            if answer.status_code in (200, 201, 409):
                return answer
            assert answer.status_code in (429, 503), answer.text
            time.sleep(_PAUSE_S)


def main() -> None:
    """Let the agents work; a bug in one of them ends the process with 1."""
    url, run, calls, lease_s, witness = sys.argv[1:]
    opened = os.open(Path(witness), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    race = Race(url, run, int(calls), int(lease_s), opened)
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            Agent(race, name).work()
        except BaseException as exc:
            failed.append(exc)
            raise

    threads = [threading.Thread(target=work, args=(f"agent-{os.getpid()}-{n}",)) for n in range(AGENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
