"""Transcripts that people bring along."""

import json
from pathlib import Path

import pytest

from local import transcript
from local.episodes import batches
from local.state import StackError

TURN = {"session": "s", "speaker": "Ana", "text": "hello", "timestamp": "2026-01-02T03:04:05Z"}


def written(folder: Path, *lines: object) -> Path:
    path = folder / "transcript.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


@pytest.mark.parametrize(
    ("given", "normalised"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02 03:04", "2026-01-02T03:04:00.000000Z"),
        ("20260102T030405.5Z", "2026-01-02T03:04:05.500000Z"),
        ("2026-01-02", "2026-01-02T00:00:00.000000Z"),
    ],
)
def test_any_iso_time_becomes_utc(tmp_path: Path, given: str, normalised: str) -> None:
    turns = transcript.load(written(tmp_path, TURN | {"timestamp": given}))

    assert [turn.timestamp for turn in turns] == [normalised]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{nonsense", "not JSON"),
        ([1], "not a JSON object"),
        ({"session": "s"}, "speaker, text, timestamp missing"),
        (TURN | {"text": ["hello"]}, "text must be a string"),
        (TURN | {"speaker": ""}, "must not be empty"),
        (TURN | {"timestamp": "yesterday"}, "ISO 8601 time, got 'yesterday'"),
        (TURN | {"timestamp": 17}, "ISO 8601 time, got 17"),
        ("[" * 100_000, "nested too deep"),
        (TURN | {"text": "\ud800"}, "text must be valid Unicode"),
        (TURN | {"session": "\ud800"}, "session must be valid Unicode"),
        (TURN | {"session": ""}, "session must have 1 to 256 bytes"),
        (TURN | {"session": "a\x1b[2J"}, "session must not hold control characters"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: object, complaint: str) -> None:
    with pytest.raises(StackError, match=rf"line 3: .*{complaint}"):
        transcript.load(written(tmp_path, TURN, "", line))


def test_broken_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    path.write_bytes(json.dumps(TURN).encode() + b'\n{"text": "\xff"}')

    with pytest.raises(StackError, match="line 2"):
        transcript.load(path)


def test_an_empty_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="holds no turn"):
        transcript.load(written(tmp_path, ""))
    with pytest.raises(StackError, match="cannot be read"):
        transcript.load(tmp_path / "missing")


def test_turns_of_one_time_keep_their_order(tmp_path: Path) -> None:
    lines = [TURN | {"text": str(number)} for number in range(300)]

    turns = transcript.load(written(tmp_path, *lines))

    assert [turn.text for turn in turns] == [str(number) for number in range(300)]
    assert len({turn.timestamp for turn in turns}) == 300


def test_a_turn_after_the_end_of_time_is_named(tmp_path: Path) -> None:
    last = TURN | {"timestamp": "9999-12-31T23:59:59.999999Z"}

    with pytest.raises(StackError, match="line 2: another turn has the last time"):
        transcript.load(written(tmp_path, last, last))


def test_our_sample_is_a_transcript() -> None:
    assert len({turn.session for turn in transcript.load(transcript.SAMPLE)}) == 3


def test_batches_stay_within_the_apis_limits(tmp_path: Path) -> None:
    long, short = "x" * 600_000, "y"
    turns = transcript.load(written(tmp_path, *(TURN | {"text": text} for text in [long, long] + [short] * 250)))

    cut = list(batches("agent", turns))

    assert [len(batch) for batch in cut] == [1, 100, 100, 51]
