"""What of a statement is embedded: its words, without whom they were said to.

Handles, links and the company's own names make statements similar by brand instead of by
issue, so they go before the encoder sees them. Only the copy that is embedded is changed:
what people read stays the customer's words.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from nlp.mask import TOKEN

LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
HANDLE = re.compile(r"(?<![\w@])@\w{1,64}(?:@[\w.-]{1,255})?")
RETWEET = re.compile(r"^\s*RT\s{1,4}@\w{1,64}:?")
HASHTAG = re.compile(r"#(\w{1,140})")
INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
# Joiners stay: Persian and family emoji need them.
INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# The encoder's vocabulary has no pictures: it reads every one as "unknown".
PICTURE = re.compile("[\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001faff]")
SAYS_NOTHING = frozenset({"heavy", "black", "white", "sign", "symbol", "face", "with", "and"})


def clean(text: str, brand_names: Sequence[str] = ()) -> str:
    """Return what of *text* is embedded; emoji are spelled out.

    Never empty where *text* has a letter: what is nothing but names or links is kept as it
    stands, only folded.
    """
    visible = CONTROL.sub(" ", INVISIBLE.sub("", html.unescape(text) if "&" in text else text))
    without_handles = _fold(_without_addresses(visible))
    stripped = _fold(_without_names(without_handles, tuple(brand_names)))
    for candidate in (stripped, without_handles):
        if _has_letters(candidate):
            return candidate
    return _fold(visible) if _has_letters(visible) else without_handles


def text_hash(text: str) -> str:
    """SHA-256 of *text* in hex: the key under which its vector is kept, with the model's version.

    Also of text with lone surrogates, which cannot be written as UTF-8.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_addresses(text: str) -> str:
    text = RETWEET.sub("", text)
    for pattern in (LINK, HANDLE, TOKEN):
        text = pattern.sub(" ", text)
    text = HASHTAG.sub(_tag_in_words, text)
    # "soooo late": three and more are as many pieces to the encoder that say nothing.
    return PICTURE.sub(_in_words, DRAWN_OUT.sub(r"\1\1", text))


def _tag_in_words(tag: re.Match[str]) -> str:
    """#LostMyBag: three words to the encoder, as to a reader."""
    return INNER_CAPITAL.sub(" ", tag[1])


def _without_names(text: str, names: tuple[str, ...]) -> str:
    pattern = _names_pattern(names)
    return pattern.sub(" ", text) if pattern else text


@lru_cache(maxsize=32)
def _names_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    longest_first = sorted({name.strip() for name in names if name.strip()}, key=len, reverse=True)
    if not longest_first:
        return None
    alternatives = "|".join(re.escape(name) for name in longest_first)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?:['’]s)?(?!\w)", re.IGNORECASE)  # noqa: RUF001


def _in_words(picture: re.Match[str]) -> str:
    name = unicodedata.name(picture[0], "").lower().replace("-", " ")
    return f" {' '.join(word for word in name.split() if word not in SAYS_NOTHING)} "


def _has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


def _fold(text: str) -> str:
    return " ".join(text.split())
