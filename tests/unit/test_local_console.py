"""Words for a person, and for a shell."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from local import whereabouts
from local.state import ROOT, State

TALKER = """
from local.console import exit_after, say

def main():
    for number in range(100_000):
        say(str(number))
    return 0

exit_after(main)
"""


def test_a_reader_that_has_seen_enough_ends_a_program_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TALKER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as talker:
        assert talker.stdout
        assert talker.stdout.readline() == "0\n"
        talker.stdout.close()
        assert talker.stderr
        complaint = talker.stderr.read()

    assert complaint == ""
    assert talker.returncode == 141


def test_a_program_that_ends_by_itself_keeps_its_exit_code() -> None:
    code = "from local.console import exit_after; exit_after(lambda: 3)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 3


def test_lines_to_go_on_with_can_be_pasted_when_the_path_has_a_space(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State(tmp_path / "my projects")

    whereabouts.show_next_steps(state, "agent", "session", "what?")

    url, key = [line for line in capsys.readouterr().out.splitlines() if "stack.json" in line]
    for line in (url, key):
        assert shlex.split(line.removesuffix(")"))[-1].endswith("my projects/stack.json")
