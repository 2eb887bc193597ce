"""`python -m local.demo [transcript.jsonl]`: a conversation is remembered and replayed through the HTTP API.

Every part says what it does, shows the answer, and stops the demonstration when the answer is not the expected one.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from agent_memory.domain.identifiers import to_path
from local import transcript, whereabouts
from local.api import Api
from local.console import INTERRUPTED, exit_after, harmless, heading, say, status, styled
from local.episodes import batches, expected, item, shown
from local.recall import PERSON, Next, following, memory, questions, told
from local.stack import Stack
from local.state import StackError, chosen
from local.transcript import Turn
from local.up import up

_SHOWN_TURNS = 8
_NEWEST = 5
_BEST = 3
_MAX_QUESTION = 8192
_BUDGET = 500


class Demo:
    """One run, with an agent of its own, so that runs do not mix."""

    def __init__(self, stack: Stack, turns: list[Turn], questions: list[str]) -> None:
        self.stack = stack
        self.turns = turns
        self.questions = questions
        self.agent = f"concierge-{uuid4().hex[:8]}"
        self.sessions = list(dict.fromkeys(turn.session for turn in turns))
        owner, stranger = stack.tenants[:2]
        self.owner, self.stranger = owner.tenant_id, stranger.tenant_id
        self.api = Api(stack.api_url, owner.api_key)
        self.strangers_api = Api(stack.api_url, stranger.api_key)

    def remember(self) -> None:
        """Append every turn, in batches."""
        heading(f"Remember: {len(self.turns)} turns of {len(self.sessions)} sessions, as tenant {self.owner}")
        started, kept = time.monotonic(), 0
        for batch in batches(self.agent, self.turns):
            items = [item(self.agent, turn) for turn in batch]
            answer = self.api.call("POST", "/v1/memory/episodic/batch", json={"items": items})
            _expect(answer.is_success, _refusal(batch[0], answer.text))
            for turn, result in zip(batch, answer.json()["data"]["results"], strict=True):
                # 202 says that a long turn waits for its vectors; its words find it already.
                _expect(result["status"] in {201, 202}, _refusal(turn, json.dumps(result)))
            kept += len(batch)
            status(f"  {kept}/{len(self.turns)}")
        say(f"  acknowledged in {time.monotonic() - started:.1f} s, agent {self.agent}")

    def replay(self) -> None:
        """Read every session back, oldest first, and compare it word by word."""
        heading("Replay: every session, oldest first")
        for session in self.sessions:
            path = f"/v1/memory/episodic/{self.agent}/sessions/{to_path(session)}"
            replayed = [shown(episode) for episode in self.api.episodes(path)]
            wanted = expected(turn for turn in self.turns if turn.session == session)
            _expect(replayed == wanted, f"session {session} came back changed")
            say(f"  {session}: {len(replayed)} turns, as they were said")
            if session == self.sessions[0]:
                self._quote(replayed[:_SHOWN_TURNS])

    def recall_newest(self) -> None:
        """Ask for the last turns of all sessions."""
        heading(f"The last {_NEWEST} turns, newest first")
        page = self.api.data("GET", f"/v1/memory/episodic/{self.agent}", params={"limit": _NEWEST})
        newest = [shown(episode) for episode in page["episodes"]]
        _expect(newest == expected(reversed(self.turns[-_NEWEST:])), "these are not the last turns")
        self._quote(newest)

    def understand(self) -> None:
        """Store every turn once more, to be found by what it means."""
        heading("Remember what it means: every turn with its vector")
        started, kept, merged = time.monotonic(), 0, 0
        for batch in batches(self.agent, told(self.turns)):
            items = [memory(self.agent, turn) for turn in batch]
            answer = self.api.call("POST", "/v1/memory/semantic/batch", json={"items": items})
            _expect(answer.is_success, _refusal(batch[0], answer.text))
            for turn, result in zip(batch, answer.json()["data"]["results"], strict=True):
                # 202 says that a long turn waits for its vectors; its words find it already.
                _expect(result["status"] in {201, 202}, _refusal(turn, json.dumps(result)))
                merged += result["data"]["deduplicated"]
            kept += len(batch)
            status(f"  {kept}/{len(self.turns)}")
        say(f"  {kept} texts in {time.monotonic() - started:.1f} s, {merged} of them repeated an earlier one")

    def answer(self) -> None:
        """Ask questions and show what is nearest to each."""
        for question in self.questions:
            heading(f"Asked: {harmless(question)}")
            asked = {
                "agent_id": self.agent,
                "namespace": "conversation",
                "query": question[:_MAX_QUESTION],
                "top_k": _BEST,
            }
            results = self.api.data("POST", "/v1/memory/semantic/search", json=asked)["results"]
            _expect(bool(results), "nothing was found")
            for result in results:
                say(f"    {result['similarity_score']:.2f}  {harmless(result['content'])}")

    def prepare(self, following: Next) -> None:
        """Show what an agent puts before its model when the person goes on."""
        heading(f"Context for the next message: {harmless(following.message)}")
        for fact in following.facts:
            self.api.data("PUT", "/v1/facts", json=fact | {"agent_id": self.agent})
        asked = {"agent_id": self.agent, "user_id": PERSON, "message": following.message[:_MAX_QUESTION]}
        told = self.api.data("POST", "/v1/context", json=asked | {"top_k": _BEST, "token_budget": _BUDGET})
        _expect(bool(told["block"]), "nothing was known")
        for line in told["block"].split("\n"):
            say(f"    {harmless(line)}")

    def keep_state(self) -> None:
        """Save state, change it, and see a writer with a stale version refused."""
        heading("Working memory: a stale writer is refused")
        session, path = self.sessions[-1], f"/v1/state/{self.agent}"
        first = {"session_id": session, "data": {"task": "answer", "step": 1}}
        made = self.api.data("POST", "/v1/state", json={"agent_id": self.agent, **first})
        _tell("saved", made)
        change = {"session_id": session, "data": {"task": "answer", "step": 2}, "version": made["version"]}
        changed = self.api.data("PUT", path, json=change)
        _tell("changed", changed)
        refused = self.api.call("PUT", path, json=change)
        _expect(refused.status_code == 409, f"a stale version was answered {refused.status_code}")
        say(f"  refused  {refused.status_code}  {json.dumps(refused.json()['error'])}")
        read = self.api.data("GET", path, params={"session_id": session})
        _expect(read["data"] == changed["data"], "the state read is not the state written")
        _tell("read", read)

    def hide(self) -> None:
        """Ask for all of it as another tenant."""
        heading(f"Another tenant, {self.stranger}, sees nothing")
        for path, query, status_code in (
            (f"/v1/memory/episodic/{self.agent}/sessions/{to_path(self.sessions[0])}", {}, 404),
            (f"/v1/state/{self.agent}", {"session_id": self.sessions[-1]}, 404),
            (f"/v1/memory/episodic/{self.agent}", {}, 200),
            ("/v1/memory/semantic", {"agent_id": self.agent}, 200),
        ):
            answer = self.strangers_api.call("GET", path, params=query)
            data = answer.json().get("data", {})
            found = data.get("episodes", []) or data.get("results", [])
            _expect(answer.status_code == status_code and not found, f"{path} leaked: {answer.text[:200]}")
            say(f"  GET {path}  {answer.status_code}, nothing")

    def _quote(self, lines: list[tuple[str, str, str, str]]) -> None:
        for _, at, speaker, text in lines:
            say(f"    {styled(at[:16].replace('T', ' '), 'dim')}  {harmless(speaker)}: {harmless(text)}")


def run(stack: Stack, turns: list[Turn], questions: list[str], following: Next) -> None:
    """Play all parts."""
    demo = Demo(stack, turns, questions)
    demo.remember()
    demo.replay()
    demo.recall_newest()
    demo.understand()
    demo.answer()
    demo.prepare(following)
    demo.keep_state()
    demo.hide()
    whereabouts.show(stack)
    whereabouts.show_next_steps(chosen(), demo.agent, demo.sessions[0], (demo.questions or ["what was said?"])[-1])


def _tell(what: str, record: dict[str, Any]) -> None:
    say(f"  {what:7}  version {record['version']}  {json.dumps(record['data'])}")


def _refusal(turn: Turn, answer: str) -> str:
    return f"line {turn.line}: the API refused the turn: {harmless(answer[:300])}"


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 (reads like an assertion)
    if not holds:
        raise StackError(otherwise)


def main() -> int:
    """Read the transcript first: a mistake in it should not cost the wait for a stack."""
    try:
        path = Path(sys.argv[1]) if sys.argv[1:] else transcript.SAMPLE
        turns = transcript.load(path)
        is_sample = path == transcript.SAMPLE
        asked = questions(turns, sample=is_sample)
        run(up(chosen()), turns, asked, following(turns, asked, sample=is_sample))
    except (StackError, httpx.HTTPError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped half way; `make demo` begins again, `make down` clears", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    exit_after(main)
