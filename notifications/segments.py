"""How long a text message is for the network that carries it: not in letters, in segments.

Letters of the GSM alphabet go 160 to a message, or 153 to each part of a longer one; one letter
that is not in it, such as a Greek or an emoji, turns the whole message to 70 and 67.
"""

from __future__ import annotations

from collections.abc import Callable

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")
"""Letters that take two places."""

MOST_SEGMENTS = 3
PLAIN = str.maketrans({"…": "...", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"})  # noqa: RUF001
"""Typography that would cost half of the space."""


def segments(text: str) -> int:
    """How many parts the networks cut *text* into: each is paid for."""
    if all(c in GSM or c in GSM_TWICE for c in text):
        return _parts([2 if c in GSM_TWICE else 1 for c in text], alone=160, each=153)
    return _parts([2 if ord(c) > 0xFFFF else 1 for c in text], alone=70, each=67)  # noqa: PLR2004


def fit(write: Callable[[str], str], quote: str) -> str:
    """The longest message that *write* makes of a beginning of *quote* and that is not too long.

    Cut at a word's end. With no quote at all it is as long as the company made it.
    """
    words = quote.translate(PLAIN).split()
    for n in range(len(words), 0, -1):
        shown = " ".join(words[:n]) + ("" if n == len(words) else "...")
        if segments(text := write(shown).translate(PLAIN)) <= MOST_SEGMENTS:
            return text
    return write("").translate(PLAIN)


def _parts(places: list[int], *, alone: int, each: int) -> int:
    """A letter of two places is never cut in two."""
    if sum(places) <= alone:
        return 1
    parts, left = 1, each
    for size in places:
        if size > left:
            parts, left = parts + 1, each
        left -= size
    return parts
