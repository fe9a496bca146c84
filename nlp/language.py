"""Which language a verbatim is in, or None where nobody could be sure.

Errs towards None: "ok" is every language, and English that is taken for German would be
reported as unsupported. Short text is therefore called foreign only when that is all but
certain. The thresholds were chosen on English, French, German, Spanish, Italian, Portuguese,
Dutch, Turkish, Arabic, Hindi and Japanese feedback and short pieces of it: of English with 9 to
40 letters, 0.5 % is called foreign, of longer English 0.4 %.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Sequence
from typing import Any, Protocol

from nlp.clean import CONTROL, HANDLE, INVISIBLE, LINK
from nlp.mask import TOKEN

LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "ro", "hu"),
    *("tr", "el", "ru", "uk", "ar", "he", "hi", "zh", "ja", "ko"),
)
MIN_LETTERS = 4
SHORT = 40
ENOUGH = 250
"""Characters that are looked at. Of 720 long texts in nine languages as many were told right by
these as by all."""
ENGLISH_FROM = 0.5
FOREIGN_FROM = 0.8
FOREIGN_FROM_IF_SHORT = 0.95
OTHER_SCRIPT_FROM = 0.5
_HASHTAG = re.compile(r"#\w+")


class LanguageDetector(Protocol):
    @property
    def version(self) -> str: ...

    def detect(self, texts: Sequence[str]) -> list[str | None]:
        """ISO 639-1 in lower case for each text; None: too few letters, or too uncertain."""
        ...


class LinguaDetector:
    """lingua over 25 languages, small models (80 MB). Built on the first text, once."""

    version = "lingua-25-small-2"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._built: Any = None

    @property
    def loaded(self) -> bool:
        return self._built is not None

    def detect(self, texts: Sequence[str]) -> list[str | None]:
        return [self._language(words_only(text)) for text in texts]

    def _language(self, words: str) -> str | None:
        letters = sum(character.isalpha() for character in words)
        latin = is_latin(words)
        if letters < (MIN_LETTERS if latin else 2):
            return None
        best = self._detector().compute_language_confidence_values(words[:ENOUGH])[0]
        code: str = best.language.iso_code_639_1.name.lower()
        return code if best.value >= _needed(code, letters, latin=latin) else None

    def _detector(self) -> Any:
        with self._lock:
            if self._built is None:
                from lingua import IsoCode639_1, LanguageDetectorBuilder

                codes = [getattr(IsoCode639_1, code.upper()) for code in LANGUAGES]
                builder = LanguageDetectorBuilder.from_iso_codes_639_1(*codes)
                self._built = builder.with_low_accuracy_mode().build()
            return self._built


def words_only(text: str) -> str:
    """*text* without what is the same in every language: handles, links, tags, masks, emoji."""
    for pattern in (CONTROL, LINK, HANDLE, TOKEN, _HASHTAG):
        text = pattern.sub(" ", text)
    kept = (
        character if unicodedata.category(character)[0] in "LMPZ" else " "
        for character in INVISIBLE.sub("", text)
    )
    return " ".join("".join(kept).split())


def is_latin(text: str) -> bool:
    """At least half of the letters are Latin; text without letters counts as Latin."""
    letters = [character for character in text if character.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    return 2 * latin >= len(letters)


def _needed(code: str, letters: int, *, latin: bool) -> float:
    if not latin:
        return OTHER_SCRIPT_FROM
    if code == "en":
        return ENGLISH_FROM
    return FOREIGN_FROM_IF_SHORT if letters <= SHORT else FOREIGN_FROM
