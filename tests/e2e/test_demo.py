"""`make demo`: what a person sees, with our conversation and with somebody else's."""

import json
import os
import subprocess
import sys
from pathlib import Path

from local.state import ROOT, State


def demo(state: State, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LOCAL_STATE": str(state.folder)}
    command = [sys.executable, "-m", "local.demo", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_demo_remembers_replays_refuses_and_shows_where_things_are(state: State) -> None:
    shown = demo(state)

    assert shown.returncode == 0, shown.stdout + shown.stderr
    for part in ("version", "409", "globex", "sees nothing", "curl", "memory-local", "PostgreSQL"):
        assert part in shown.stdout
    assert "\x1b" not in shown.stdout, "no colours where nobody looks at a terminal"


def test_the_demo_takes_a_conversation_of_the_users_own(state: State, tmp_path: Path) -> None:
    lines = [
        {"session": "Tür #1/a", "speaker": "Änne", "text": f"Satz {n} 🦊", "timestamp": f"2023-05-08T13:{n:02}:00"}
        for n in range(30)
    ]
    file = tmp_path / "own.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    shown = demo(state, str(file))

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Tür #1/a" in shown.stdout
    assert "Satz 29 🦊" in shown.stdout


def test_a_malformed_conversation_is_refused_by_line(state: State, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"session":"s","speaker":"a","text":"t","timestamp":"2023-01-01T00:00:00Z"}\n{"session":"s"}\n')

    shown = demo(state, str(file))

    assert shown.returncode != 0
    assert "line 2" in shown.stderr
    assert "Traceback" not in shown.stderr
