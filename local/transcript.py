"""Conversations to remember: a file with one JSON object {session, speaker, text, timestamp} on each line."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent_memory.domain.identifiers import check_id
from local.state import ROOT, StackError

SAMPLE = ROOT / "local" / "sample" / "conversation.jsonl"


@dataclass(frozen=True)
class Turn:
    """One thing that somebody said."""

    session: str
    speaker: str
    text: str
    at: datetime
    line: int

    @property
    def timestamp(self) -> str:
        """The time as the API writes it."""
        return self.at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def load(path: Path) -> list[Turn]:
    """Read a transcript, sorted by time; a malformed line is named."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise StackError(f"{path} cannot be read: {error.strerror}") from error
    turns: list[Turn] = []
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                turns.append(_turn(json.loads(line.decode("utf-8-sig")), number))
        except RecursionError:
            raise StackError(f"{path}, line {number}: nested too deep") from None
        except json.JSONDecodeError as error:
            raise StackError(f"{path}, line {number}: not JSON, {error.msg} at column {error.colno}") from error
        except (TypeError, ValueError) as error:
            raise StackError(f"{path}, line {number}: {error}") from error
    if not turns:
        raise StackError(f"{path} holds no turn")
    return sorted(_distinct(path, turns), key=lambda turn: turn.at)


def _turn(content: Any, line: int) -> Turn:
    if not isinstance(content, dict):
        raise TypeError("not a JSON object")
    missing = [name for name in ("session", "speaker", "text", "timestamp") if name not in content]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing")
    session, speaker, text = (_text(name, content[name]) for name in ("session", "speaker", "text"))
    if not speaker:
        raise ValueError("speaker must not be empty")
    try:
        check_id(session)
    except ValueError as error:
        raise ValueError(f"session {error}") from None
    return Turn(session, speaker, text, _time(content["timestamp"]), line)


def _text(name: str, value: Any) -> str:
    """Take a string; sessions are often numbered, so a number will do."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{name} must be a string")
    if any("\ud800" <= character <= "\udfff" for character in str(value)):
        raise ValueError(f"{name} must be valid Unicode")
    return str(value)


def _time(value: Any) -> datetime:
    """Take any ISO 8601 time; one without an offset is UTC."""
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"timestamp must be an ISO 8601 time, got {value!r}") from None


def _distinct(path: Path, turns: list[Turn]) -> list[Turn]:
    """Keep the file's order among turns of one time: each later one moves on by a microsecond."""
    taken: set[datetime] = set()
    repeats: Counter[datetime] = Counter()
    distinct = []
    for turn in turns:
        try:
            at = turn.at + timedelta(microseconds=repeats[turn.at])
            while at in taken:
                at += timedelta(microseconds=1)
        except OverflowError:
            raise StackError(f"{path}, line {turn.line}: another turn has the last time that there is") from None
        repeats[turn.at] += 1
        taken.add(at)
        distinct.append(replace(turn, at=at))
    return distinct
