"""Conversations and their questions, read in place."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.state import ROOT

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop", 5: "adversarial"}
ANSWERABLE = (1, 2, 3, 4)
_BESIDE = ROOT.parent / "shared" / "data" / "locomo-dev.json"
_SESSION = re.compile(r"session_(\d+)")
# Some marks are written together or with a colon too many: "D8:6; D9:17", "D:11:26".
_MARK = re.compile(r"D:?(\d+):(\d+)")


@dataclass(frozen=True)
class Turn:
    """One thing that somebody said."""

    id: str
    session: str
    speaker: str
    said: str
    at: datetime

    @property
    def content(self) -> str:
        """The text of its memory: who spoke and when belongs to what a text means."""
        return f"{self.speaker} ({self.at:%-d %B %Y}): {self.said}"


@dataclass(frozen=True)
class Question:
    """What is asked, and the turns that answer it."""

    text: str
    category: int
    evidence: frozenset[str]


@dataclass(frozen=True)
class Conversation:
    """Turns in order, and the questions that have evidence among them."""

    id: str
    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]

    @property
    def ends_at(self) -> datetime:
        """When everything has been said."""
        return self.turns[-1].at + timedelta(seconds=1)


def place() -> Path:
    """Where the data set is looked for: beside the repository, or where BENCH_LOCOMO says."""
    return Path(os.environ.get("BENCH_LOCOMO", _BESIDE))


def load(path: Path) -> list[Conversation]:
    """Read all conversations; questions without evidence are left out, for they have nothing to be found."""
    return [_conversation(entry) for entry in json.loads(path.read_bytes())]


def _conversation(entry: dict[str, Any]) -> Conversation:
    turns = tuple(_turns(entry["conversation"]))
    known = {turn.id for turn in turns}
    asked = (Question(each["question"], each["category"], _evidence(each, known)) for each in entry["qa"])
    return Conversation(entry["sample_id"], turns, tuple(question for question in asked if question.evidence))


def _turns(sessions: dict[str, Any]) -> Iterator[Turn]:
    """Turns a second apart, so that order holds; a picture is told of by its turn's words, and is none without them."""
    numbers = sorted(int(match[1]) for match in map(_SESSION.fullmatch, sessions) if match)
    for name in (f"session_{number}" for number in numbers):
        began = _time(sessions[f"{name}_date_time"])
        for place, turn in enumerate(sessions[name]):
            if turn["text"].strip():
                at = began + timedelta(seconds=place)
                yield Turn(_turn_id(turn["dia_id"]), name, turn["speaker"], turn["text"], at)


def _time(written: str) -> datetime:
    return datetime.strptime(written.upper(), "%I:%M %p ON %d %B, %Y").replace(tzinfo=UTC)


def _turn_id(mark: str) -> str:
    found = _MARK.fullmatch(mark)
    if found is None:
        raise ValueError(f"{mark!r} is no id of a turn")
    return _normal(found.groups())


def _evidence(question: dict[str, Any], known: set[str]) -> frozenset[str]:
    """The turns that are named and exist; a few marks name none."""
    named = (_normal(mark) for written in question["evidence"] for mark in _MARK.findall(written))
    return frozenset(turn_id for turn_id in named if turn_id in known)


def _normal(mark: tuple[str | Any, ...]) -> str:
    session, place = mark
    return f"D{int(session)}:{int(place)}"
