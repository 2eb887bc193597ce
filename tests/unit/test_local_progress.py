"""Terraform's messages, told to a person."""

import json
import threading
from collections.abc import Iterator

import pytest

from local import console, progress
from local.progress import Progress

RESOURCE = {"addr": "module.agent_memory.aws_sqs_queue.main"}


def message(kind: str, action: str) -> str:
    return json.dumps({"type": kind, "hook": {"resource": RESOURCE, "action": action}})


def test_only_what_was_made_changed_or_removed_is_counted() -> None:
    told = Progress()

    told.follow(message("apply_complete", action) for action in ("read", "create", "update", "delete", "read"))

    assert told.summary().startswith("3 resources in ")


def test_lines_that_are_no_messages_are_passed_over() -> None:
    told = Progress()

    told.follow(["Terraform crashed\n", message("apply_complete", "create")])

    assert told.summary().startswith("1 resources in ")


def test_the_clock_goes_on_while_terraform_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    again = threading.Event()

    def status(text: str) -> None:
        shown.append(text)
        if len(shown) > 2:
            again.set()

    def silence() -> Iterator[str]:
        yield message("apply_start", "create")
        assert again.wait(timeout=30)

    monkeypatch.setattr(progress, "_TICK_S", 0.01)
    monkeypatch.setattr(console, "status", status)

    Progress().follow(silence())

    assert all("aws_sqs_queue.main" in text for text in shown)


def test_nothing_moves_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().follow([message("apply_start", "create"), message("apply_complete", "create")])

    assert capsys.readouterr().out == ""
