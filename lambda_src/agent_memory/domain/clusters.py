"""Which of an agent's episodes become an object together: those that will be read together.

Episodes that follow one another without a long pause are a burst, mostly a session or several at once. A burst that
fills an object gets objects of its own; what is left of a month is put together, and waits until that fills one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, groupby
from operator import attrgetter

from agent_memory.domain.archive import FULL_BYTES
from agent_memory.domain.archived_episode import content_of, line
from agent_memory.domain.episode import Episode

_PAUSE = timedelta(hours=1)
# Of lines, before compression. So many fill an object, however small they become: nobody wants to unpack more at once.
_MAX_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pack:
    """An object to be: episodes in the order of their positions, and its bytes."""

    episodes: tuple[Episode, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """Every episode that was given, once: in a pack, or among the rest, which waits for others."""

    packs: tuple[Pack, ...]
    rest: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    episode: Episode
    text: str
    size: int


def size_of(episode: Episode) -> int:
    """The bytes that it takes in an object before compression."""
    return len(line(episode).encode()) + 1


def pack(episodes: Iterable[Episode], *, is_overdue: bool) -> Packed:
    """Put episodes into objects, none of which spans more than a calendar month; nothing is left when overdue."""
    lines = [_line(episode) for episode in sorted(episodes, key=attrgetter("position"))]
    packs: list[Pack] = []
    rest: list[Episode] = []
    for _, month in groupby(lines, key=lambda each: (each.episode.timestamp.year, each.episode.timestamp.month)):
        left: list[_Line] = []
        for burst in _bursts(month):
            full, small = _packs(burst, is_overdue=False)
            packs += full
            left += small
        full, small = _packs(left, is_overdue=is_overdue)
        packs += full
        rest += [each.episode for each in small]
    return Packed(tuple(packs), tuple(rest))


def _bursts(lines: Iterable[_Line]) -> Iterable[list[_Line]]:
    burst: list[_Line] = []
    for each in lines:
        if burst and each.episode.timestamp - burst[-1].episode.timestamp > _PAUSE:
            yield burst
            burst = []
        burst.append(each)
    yield burst


def _packs(lines: Sequence[_Line], *, is_overdue: bool) -> tuple[list[Pack], list[_Line]]:
    """Packs of equal size, as few as there can be; and the lines of those that are too small to be written yet."""
    packs: list[Pack] = []
    left: list[_Line] = []
    ends = list(accumulate(each.size for each in lines))
    parts = -(-ends[-1] // _MAX_BYTES) if ends else 0
    placed = zip(lines, ends, strict=True)
    for _, part in groupby(placed, key=lambda each: (each[1] - each[0].size) * parts // ends[-1]):
        piece = [each for each, _ in part]
        content = content_of(each.text for each in piece)
        if is_overdue or parts > 1 or len(content) >= FULL_BYTES:
            packs.append(Pack(tuple(each.episode for each in piece), content))
        else:
            left += piece
    return packs, left


def _line(episode: Episode) -> _Line:
    text = line(episode)
    return _Line(episode, text, len(text.encode()) + 1)
