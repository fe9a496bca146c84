"""For what a customer's addresses are shown in full, and how it is written down."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

LONGEST_WORDS = 200
MOST_DIGITS = 5
"""A longer number may be somebody's telephone or order."""
_HARMLESS = re.compile(
    r"(?<![\w-])(?:ticket #?\d{1,7}|20\d\d-(?:0\d|1[0-2])-[0-3]\d)(?![\w-])", re.IGNORECASE
)
"""A ticket of ours, and a date."""


class Purpose(StrEnum):
    CALL = "call"
    LEGAL = "legal"
    CORRECT = "correct"
    OTHER = "other"


NAMES: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.CALL: "Call the customer",
        Purpose.LEGAL: "Legal request",
        Purpose.CORRECT: "Correct an address",
        Purpose.OTHER: "Something else, namely",
    }
)


class NoPurposeError(Exception):
    """The purpose does not say why; the text tells what to do."""


def read_purpose(code: str, words: str) -> str:
    """What the audit log says of an unsealing: the code, and the colleague's own words.

    Raises:
        NoPurposeError: None was chosen, or the words are missing or too many.
    """
    words = " ".join(words.split())
    if code not in {purpose.value for purpose in Purpose}:
        raise NoPurposeError("Choose what you need the addresses for.")
    if code == Purpose.OTHER and not words:
        raise NoPurposeError("Say in a few words what you need the addresses for.")
    if len(words) > LONGEST_WORDS:
        raise NoPurposeError(f"That is too long: at most {LONGEST_WORDS} characters.")
    if "@" in words or any(len(part) > MOST_DIGITS for part in _digits(words)):
        raise NoPurposeError(
            "Leave out addresses and numbers: these words are kept, and others read them."
        )
    return f"{code}: {words}" if words else code


def _digits(words: str) -> list[str]:
    """The runs of digits, as people write telephone numbers: with spaces, strokes and dots."""
    unknown = _HARMLESS.sub("and", words)
    kept = "".join(letter for letter in unknown if not _is_between_digits(letter))
    return "".join(letter if letter.isdigit() else " " for letter in kept).split()


def _is_between_digits(letter: str) -> bool:
    return letter in "/.() " or unicodedata.category(letter) == "Pd"
