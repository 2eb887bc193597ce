"""Names of subjects and predicates: when two spellings mean the same, which is a rule and no guess.

The normal form is, in this order and again until nothing changes: Unicode's compatibility form (NFKC), case folded,
without characters that nobody sees (format characters and variation selectors), every run of white space one space,
none at the ends. In a predicate `_` and `-` are white space: `lives_in`, `Lives-In` and `lives  in` are one. In a
subject they are not, for names of things hold them. What is stored beside is what was written.
"""

import hashlib
import re
import unicodedata

_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_JOINERS = re.compile("[_-]")
_HASH_BYTES = 16


def normal_subject(text: str) -> str:
    """The one spelling of a subject."""
    return _settled(text, joined=False)


def normal_predicate(text: str) -> str:
    """The one spelling of a predicate."""
    return _settled(text, joined=True)


def subject_key(text: str) -> str:
    """Hash of a subject's normal form, as a UUID's 32 digits."""
    return _hash(normal_subject(text))


def predicate_key(text: str) -> str:
    """Hash of a predicate's normal form."""
    return _hash(normal_predicate(text))


def _settled(text: str, *, joined: bool) -> str:
    while (normal := _step(text, joined=joined)) != text:
        text = normal
    return text


def _step(text: str, *, joined: bool) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(each for each in _SELECTORS.sub("", folded) if unicodedata.category(each) != "Cf")
    return " ".join((_JOINERS.sub(" ", seen) if joined else seen).split())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).digest()[:_HASH_BYTES].hex()
