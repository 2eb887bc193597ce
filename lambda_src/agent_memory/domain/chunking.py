"""Chunks: a long text is cut into pieces that an embedding model can read, each at the best boundary there is."""

import re
import unicodedata
from bisect import bisect_left
from typing import NamedTuple

# The most that one character is estimated at, and so the smallest limit of a chunk.
_MOST_PER_CHARACTER = 3
_LONGEST_CLUSTER = 32  # characters; what is combined of more may be cut

# One match for each token. Past twelve letters a word is a compound, a name in code or noise, and costs more.
_TOKEN = re.compile(r"(?<=[A-Za-z]{12})[A-Za-z]{1,2}|[A-Za-z]{1,3}|[^A-Za-z\s]")
# WordPiece takes a Hangul syllable apart into up to three letters.
_HANGUL = re.compile("[\uac00-\ud7a3]")
_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")

# The last boundary of its kind in a stretch of text, with the white space after it. A run of marks is tried from its
# first one only, and no quantifier gives anything back: so each pattern takes linear time on any text.
_CLOSING = r"[\"'”’»›)\]」』）】*_`]*+"
_PARAGRAPH = re.compile(r"(?s:.*)\n[^\S\n]*\n")
# A line end counts like a full stop where the text is no running prose: after punctuation, before an indented line.
_SENTENCE = re.compile(
    r"(?s:.*)(?:"
    rf"(?<![.!?…])[.!?…]++{_CLOSING}\s++(?![a-z])"
    rf"|(?<![。！？｡؟۔।॥։።။])[。！？｡؟۔।॥։።။]++{_CLOSING}\s*+"
    r"|(?<![\w,\r])\r?\n|\n(?=\W))"
)
_LINE = re.compile(r"(?s:.*)\n")
_CLAUSE = re.compile(r"(?s:.*)(?:[,;:،؛]\s++|[、，；：—–]\s*+)")
_WORD = re.compile(r"(?s:.*)\s")
# Best first, and where each is looked for: in the small window around the wanted size, or in the wide one.
_SMALL, _WIDE = 0, 1
_BOUNDARIES = (
    (_PARAGRAPH, _SMALL),
    *((boundary, window) for boundary in (_SENTENCE, _LINE, _CLAUSE, _WORD) for window in (_SMALL, _WIDE)),
)

_ZERO_WIDTH_JOINER = "\u200d"
_REGIONAL = "".join(map(chr, range(0x1F1E6, 0x1F200)))
# What belongs to the character before it without being a mark: joiners, skin tones, tags, Hangul letters, Thai and Lao
# vowels, halfwidth voicing.
_EXTENDING = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u1160-\u11ff\u0e33\u0eb3\uff9e\uff9f]")


class Span(NamedTuple):
    """A piece of a text, in characters."""

    start: int
    end: int


def estimate_tokens(text: str) -> int:
    """Estimate from above how many tokens a model makes of a text, without those it adds at the ends.

    Three letters of ASCII are a token (two, past the twelfth of a word), any other character is one, a Hangul syllable
    three, a character of four bytes two; white space is free. Against BERT's WordPiece (uncased, English) that is 1.3
    to 1.8 times the count for English, 1.2 to 1.4 for code, 1.0 to 1.1 for German, Russian, Japanese, Chinese and
    Arabic, 1.4 and more for Korean, Hindi and emoji; 5% too low for Polish and Dutch. Against GPT's o200k_base it is
    1.4 to 1.7 for English and code, 0.9 to 3 elsewhere. Letters at random make more, and Titan's tokenizer is not
    public; but no tokenizer makes more tokens than bytes, and with white space collapsed a text has fewer bytes than
    four times the estimate.
    """
    return len(_token_starts(text))


def chunk(text: str, max_tokens: int) -> list[Span]:
    """Cut a text into spans that cover it without a gap, each of at most `max_tokens` (3 or more) by the estimate.

    None is empty or, unless the whole text is, only white space; an empty text has none. Sentences are packed together;
    the last two chunks share what is left evenly when that costs no better boundary. Linear in the text's length.
    """
    if len(text) * (1 if text.isascii() else _MOST_PER_CHARACTER) <= max_tokens:
        return [Span(0, len(text))] if text else []
    starts = _token_starts(text)
    spans: list[Span] = []
    start = token = 0
    while len(starts) - token > max_tokens:
        end = _cut(text, starts, token, max_tokens)
        spans.append(Span(start, end))
        start, token = end, _token_at(text, starts, end)
    return [*spans, Span(start, len(text))]


def _token_starts(text: str) -> list[int]:
    """Where each estimated token starts, in order; a position stands once for each token of its character."""
    starts = [token.start() for token in _TOKEN.finditer(text)]
    if not text.isascii():
        starts += [token.start() for token in _HANGUL.finditer(text)] * 2
        starts += [token.start() for token in _FOUR_BYTES.finditer(text)]
        starts.sort()
    return starts


def _token_at(text: str, starts: list[int], position: int) -> int:
    """The first token that reaches beyond a position."""
    token = bisect_left(starts, position)
    inside = starts[token] != position and not text[position].isspace()
    return token - 1 if inside else token


def _cut(text: str, starts: list[int], token: int, max_tokens: int) -> int:
    """Where the chunk ends that starts with a token; more than `max_tokens` are left, so a token follows."""
    windows = _windows(len(starts) - token, max_tokens)
    for boundary, window in _BOUNDARIES:
        least, most = windows[window]
        found = boundary.match(text, starts[token + least], starts[token + most])
        if found:
            return _between_clusters(text, starts[token], found.end())
    return _between_clusters(text, starts[token], starts[token + windows[_SMALL][1]])


def _windows(left: int, max_tokens: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """How many of the tokens that are left the chunk should have: (least, most), at best and if need be."""
    if 2 * left > 3 * max_tokens:
        return (max_tokens * 3 // 4, max_tokens), (max_tokens // 2, max_tokens)
    smallest = left - max_tokens  # so that the rest is one chunk
    return (max(smallest, left * 3 // 8), min(max_tokens, left * 5 // 8 + 1)), (smallest, max_tokens)


def _between_clusters(text: str, floor: int, end: int) -> int:
    """The last place up to `end` that divides no visible character, where there is one near and after `floor`."""
    for place in range(end, max(floor, end - _LONGEST_CLUSTER), -1):
        if not _divides(text, floor, place):
            return place
    return end


def _divides(text: str, floor: int, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if after.isascii():
        return before + after == "\r\n"
    if after in _REGIONAL and before in _REGIONAL:  # a flag is two of them, counted from the first of the run
        flags = text[floor:place]
        return (len(flags) - len(flags.rstrip(_REGIONAL))) % 2 == 1
    joined = before == _ZERO_WIDTH_JOINER or _EXTENDING.match(after) is not None
    return joined or unicodedata.category(after).startswith("M")
