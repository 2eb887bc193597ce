"""The demonstration, in front of an API that answers as it is told."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from local.console import harmless
from local.demo import Demo
from local.recall import PERSON, following
from local.state import StackError
from local.transcript import Turn
from tests.unit.test_local_state import STACK

AT = datetime(2026, 1, 2, tzinfo=UTC)


def demo(turns: list[Turn], answer: Callable[[httpx.Request], httpx.Response]) -> Demo:
    made = Demo(STACK, turns, [])
    for api in (made.api, made.strangers_api):
        api._client = httpx.Client(base_url=STACK.api_url, transport=httpx.MockTransport(answer))
    return made


def turn(line: int, session: str = "s", text: str = "hello") -> Turn:
    return Turn(session, "Ana", text, AT, line)


def test_a_turn_that_the_api_refuses_is_named_by_its_line() -> None:
    results = [{"status": 201}, {"status": 413, "error": {"code": "PAYLOAD_TOO_LARGE"}}]
    shown = demo([turn(4), turn(7)], lambda _: httpx.Response(200, json={"data": {"results": results}}))

    with pytest.raises(StackError, match=r"^line 7: the API refused the turn: .*PAYLOAD_TOO_LARGE"):
        shown.remember()


def test_a_turn_that_no_request_can_hold_is_named_by_its_line() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        items = json.loads(request.content)["items"]
        if any(len(item["content"]["text"]) > 2_500_000 for item in items):
            return httpx.Response(413, text="too large")
        return httpx.Response(200, json={"data": {"results": [{"status": 201} for _ in items]}})

    shown = demo([turn(1), turn(2, text="x" * 2_500_001), turn(3)], answer)

    with pytest.raises(StackError, match=r"^line 2: the API refused the turn: too large"):
        shown.remember()


def test_a_session_with_the_signs_of_a_query_is_asked_for_as_it_is() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        is_list = "/sessions/" not in request.url.path and "/state/" not in request.url.path
        return httpx.Response(200 if is_list else 404, json={"data": {"episodes": []}})

    demo([turn(1, session="a&b=c")], answer).hide()

    (state,) = [request.url for request in asked if "/state/" in request.url.path]
    assert state.params.multi_items() == [("session_id", "a&b=c")]


def test_a_text_cannot_command_the_terminal() -> None:
    assert harmless("a\x1b[2Jb\rc\n\x9bd Ü 🦊") == "a\\x1b[2Jb\\rc\\n\\x9bd Ü 🦊"


def test_what_was_said_is_quoted_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    shown = demo([turn(1)], lambda _: httpx.Response(500))

    shown._quote([("s", AT.isoformat(), "Ana\x07", "gone\r\x1b[2J")])

    assert "Ana\\x07: gone\\r\\x1b[2J\n" in capsys.readouterr().out


def test_the_context_of_the_next_message_is_shown_with_the_facts_that_were_put(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path.removeprefix("/api"), json.loads(request.content)))
        return httpx.Response(200, json={"data": {"block": "Memory:\n- [fact 1] Noor lives in: Porto\x1b[2J"}})

    shown = demo([turn(1)], answer)
    shown.prepare(following([turn(1)], [], sample=True))

    paths = [path for path, _ in asked]
    assert paths == ["/v1/facts", "/v1/facts", "/v1/context"]
    assert all((body["user_id"], body["agent_id"]) == (PERSON, shown.agent) for _, body in asked)
    assert "Noor lives in: Porto\\x1b[2J\n" in capsys.readouterr().out


def test_a_context_of_nothing_stops_the_demonstration() -> None:
    shown = demo([turn(1)], lambda _: httpx.Response(200, json={"data": {"block": ""}}))

    with pytest.raises(StackError, match="nothing was known"):
        shown.prepare(following([turn(1, text="hello?")], ["hello?"], sample=False))
