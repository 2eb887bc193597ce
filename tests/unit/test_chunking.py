"""Long texts are cut where it hurts least, and nothing of them is lost."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.chunking import Span, chunk, estimate_tokens

ENGLISH = (
    "I moved to Lisbon last spring and I love it here. My sister visits twice a year, usually in May and around "
    "Christmas. We are thinking about getting a dog, but our landlord is not thrilled. Could you remind me to call "
    "the vet on Thursday at half past three?"
)
ENGLISH_COUNT = 56
CODE = """
def total(orders: list[Order], *, vat: float = 0.19) -> Decimal:
    # Refunds were booked before, so they do not count twice.
    open_orders = [o for o in orders if not o.refunded]
    return sum((o.amount for o in open_orders), Decimal(0)) * Decimal(1 + vat)
"""
GERMAN = (
    "Die Rechtsschutzversicherung übernimmt die Kosten der Geschwindigkeitsüberschreitung nicht. Bitte schicken Sie "
    "die Unterlagen bis Donnerstag an die Schadenabteilung in Düsseldorf, sonst verjährt der Anspruch."
)
JAPANESE = (
    "私は昨日、友だちと京都へ行きました。紅葉がとても綺麗で、お寺の庭で抹茶を飲みました。来年の春もまた行きたいです。"
)
ARABIC = (
    "انتقلت إلى القاهرة في الربيع الماضي وأعمل الآن في شركة صغيرة. أحب القهوة بدون سكر، ولا آكل اللحوم منذ ثلاث سنوات."
)
# Counted once with the tokenizer of all-MiniLM-L6-v2 (WordPiece), without the two tokens that it adds at the ends.
COUNTED = [
    (ENGLISH_COUNT, ENGLISH),
    (85, CODE),
    (70, GERMAN),
    (56, JAPANESE),
    (92, ARABIC),
    (37, "会议改到星期四下午三点,地点不变。请把上个月的报告带来,客户想看新的数字。"),
    (61, "저는 매운 음식을 좋아하지만 땅콩 알레르기가 있습니다. 회의는 목요일 오후 세 시로 옮겨 주세요."),
    (84, "Я переехал в Берлин прошлой весной и работаю программистом. Напомни мне позвонить врачу в четверг."),
    (41, "मैं शाकाहारी हूँ और मुझे मूंगफली से एलर्जी है। कृपया बैठक गुरुवार को तीन बजे रखें।"),
    (13, "Great job 🎉🎉 see you tomorrow 👋🏽 love 👩‍👩‍👧‍👦 from 🇩🇪🇯🇵 ❤️🔥 1️⃣2️⃣"),
    (51, "Invoice 2026-11-20/4711: 3 x 1,499.00 EUR, minus 12.5% = 3,934.88; IBAN DE89 3704 0044 0532 0130 00"),
]

PIECES = [
    "word ", "Sentence. ", "what? ", "a, b; ", "\n\n", "\r\n", "\n    x = 1\n", "   ", "\t", "\u3000", "漢字", "。",
    "한글", "e\u0301", "👩‍👩‍👧", "🇩🇪", "العربية، ", "हिन्दी। ", "…", "a" * 40, "\u0301", "\u200d", "3.14", ")", "\x00",
]  # fmt: skip
texts = st.one_of(
    st.text(),
    st.text(alphabet=" \n\r.!,;aA。、漢한😀🇩🇪\u0301\u200d\u3000"),
    st.lists(st.sampled_from(PIECES)).map("".join),
)
limits = st.integers(min_value=3, max_value=40)


def pieces(text: str, max_tokens: int) -> list[str]:
    return [text[start:end] for start, end in chunk(text, max_tokens)]


@given(texts, limits)
def test_chunks_cover_the_text_exactly_and_in_order(text: str, limit: int) -> None:
    assert "".join(pieces(text, limit)) == text


@given(texts, limits)
def test_no_chunk_is_empty_or_over_the_limit(text: str, limit: int) -> None:
    for piece in pieces(text, limit):
        assert piece
        assert estimate_tokens(piece) <= limit


@given(texts, limits)
def test_no_chunk_is_only_white_space_unless_the_text_is(text: str, limit: int) -> None:
    cut = pieces(text, limit)

    assert len(cut) <= 1 or all(piece.strip() for piece in cut)


@given(texts)
def test_the_estimate_bounds_the_bytes_and_so_the_tokens_of_any_vocabulary(text: str) -> None:
    collapsed = " ".join(text.split())

    assert len(collapsed.encode("utf-8", "surrogatepass")) <= 4 * estimate_tokens(text)


@pytest.mark.parametrize(("counted", "text"), COUNTED)
def test_the_estimate_is_never_below_what_the_tokenizer_makes(counted: int, text: str) -> None:
    assert estimate_tokens(text) >= counted


def test_the_estimate_of_plain_english_is_not_far_above() -> None:
    assert estimate_tokens(ENGLISH) <= 1.6 * ENGLISH_COUNT


def test_an_empty_text_has_no_chunk() -> None:
    assert chunk("", 10) == []


@pytest.mark.parametrize("text", ["a", "The user prefers dark mode.", " \n ", "漢字"])
def test_a_short_text_is_one_chunk(text: str) -> None:
    assert chunk(text, 100) == [Span(0, len(text))]


def test_a_text_of_exactly_the_limit_is_one_chunk() -> None:
    assert len(chunk(ENGLISH, estimate_tokens(ENGLISH))) == 1
    assert len(chunk(ENGLISH, estimate_tokens(ENGLISH) - 1)) == 2


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("One two three. Four five six seven.", 9, ["One two three. ", "Four five six seven."]),
        ("Is it? Yes! So… be it.", 6, ["Is it? Yes! ", "So… be it."]),
        ("Ask Bo, e.g. at ten. Then go on.", 10, ["Ask Bo, e.g. at ten. ", "Then go on."]),
        ("今日は雨です。明日は晴れます。", 9, ["今日は雨です。", "明日は晴れます。"]),
        ("「行く?」と聞いた。「はい。」と答えた。", 14, ["「行く?」と聞いた。", "「はい。」と答えた。"]),
        ("هل أنت هنا؟ نعم أنا هنا.", 11, ["هل أنت هنا؟ ", "نعم أنا هنا."]),
        ("वह घर है। यह नदी है।", 10, ["वह घर है। ", "यह नदी है।"]),
        ("if a:\n    do()\n\nif b:\n    stop()\n", 9, ["if a:\n    do()\n\n", "if b:\n    stop()\n"]),
        ("one two\r\nsix ten big", 4, ["one two\r\n", "six ten big"]),
        ("one two six, ten red one", 5, ["one two six, ", "ten red one"]),
        ("one two six ten red one", 3, ["one two six ", "ten red one"]),
        ("漢字漢字漢字", 3, ["漢字漢", "字漢字"]),
    ],
)
def test_the_best_boundary_is_taken(text: str, limit: int, expected: list[str]) -> None:
    assert pieces(text, limit) == expected


def test_a_paragraph_goes_before_a_sentence() -> None:
    paragraph = "One two. Six ten. Red one.\n\n"

    assert pieces(paragraph + "Big one. " + paragraph * 2, 11)[0] == paragraph


@pytest.mark.parametrize("text", [f"{ENGLISH} ", CODE, JAPANESE, f"{ARABIC} "])
def test_sentences_are_packed_together_up_to_the_limit(text: str) -> None:
    long = text * 100

    cut = pieces(long, 480)

    assert len(cut) <= 1.15 * estimate_tokens(long) / 480 + 1
    assert all(piece.endswith((". ", "? ", "。", "\n")) for piece in cut)


@pytest.mark.parametrize("words", range(21, 40))
def test_the_last_chunk_is_not_a_crumb(words: int) -> None:
    last_but_one, last = pieces("one " * words, 20)[-2:]

    assert estimate_tokens(last) >= 7
    assert estimate_tokens(last_but_one) >= 7


@pytest.mark.parametrize(
    "cluster", ["e\u0301", "👩‍👩‍👧‍👦", "👋🏽", "🇩🇪", "❤️", "1️⃣", "กำ", "नि", "\u1112\u1161\u11ab", "ﾊﾞ"]
)
@pytest.mark.parametrize("shift", range(8))
def test_a_visible_character_is_not_cut(cluster: str, shift: int) -> None:
    for piece in pieces("x" * shift + cluster * 60, 24)[1:]:
        assert piece.startswith(cluster)


def test_a_line_end_of_two_characters_is_not_cut() -> None:
    cut = pieces("a\r\n" * 100, 8)

    assert all(piece.endswith("\r\n") for piece in cut)


def test_a_character_with_more_marks_than_the_limit_is_cut_all_the_same() -> None:
    cut = pieces("e" + "\u0301" * 1000, 20)

    assert [len(piece) for piece in cut[:3]] == [20, 20, 20]


@given(st.lists(st.sampled_from(["漢", "e\u0301", "🇩🇪", "👩‍🚀"]), min_size=30), st.integers(min_value=20, max_value=40))
def test_clusters_are_never_cut_where_one_fits(clusters: list[str], limit: int) -> None:
    for piece in pieces("".join(clusters), limit):
        assert not unicodedata.combining(piece[0])
        assert not piece.startswith("\u200d")
        assert not piece.endswith("\u200d")
        assert (sum(0x1F1E6 <= ord(character) < 0x1F200 for character in piece)) % 2 == 0


MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    "unit",
    ["a", ".", "!?.,", '."', ". ", "\n", "a\n", "漢", "한", "🇩🇪", "\u0301", "a" + "\n" * 3000, f"{ENGLISH} ", CODE],
)
def test_a_mebibyte_of_anything_takes_linear_time(unit: str) -> None:
    text = unit * (MEBIBYTE // len(unit.encode()))
    started = time.process_time()

    cut = chunk(text, 8000)

    assert time.process_time() - started < 10  # half a second on an idle machine; what is quadratic takes minutes
    assert cut[-1].end == len(text)


def test_white_space_between_two_words_fills_no_chunk() -> None:
    assert len(chunk("a" + " " * MEBIBYTE + "b", 240)) == 1
