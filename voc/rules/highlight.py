"""A customer's words with what matters in them marked; and their first lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BEFORE = 60
"""Letters of context that an excerpt has before the first marked span."""
CUT = "…"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the words, one after the other."""

    text: str
    marked: bool = False


def pieces(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    """*text* cut into what lies inside and outside of *spans*, nothing left out.

    Spans may overlap, touch, or reach beyond the text, as those of an older version do. Where
    they hold all of it nothing is marked: that would say nothing.
    """
    return _cut(text, _that_tell(text, spans))


def _that_tell(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined = _joined(text, spans)
    outside = "".join(piece.text for piece in _cut(text, joined) if not piece.marked)
    return joined if outside.strip() else []


def _cut(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    for start, end in spans:
        if start > at:
            found.append(Piece(text[at:start]))
        found.append(Piece(text[start:end], marked=True))
        at = end
    return [*found, Piece(text[at:])] if at < len(text) else found


def _joined(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans inside of *text*, in order; what only space lies between is one."""
    joined: list[tuple[int, int]] = []
    for span in sorted(spans):
        start, end = span[0], min(span[1], len(text))
        if joined and not text[joined[-1][1] : start].strip():
            start, end = joined[-1][0], max(joined.pop()[1], end)
        if start < end:
            joined.append((start, end))
    return joined


def excerpt(text: str, spans: Iterable[tuple[int, int]], length: int) -> list[Piece]:
    """At most *length* letters of *text*, from shortly before the first span on, cut at words."""
    spans = sorted(spans)
    low = max(0, spans[0][0] - BEFORE) if spans else 0
    if low:
        space = text.find(" ", low, spans[0][0])
        low = space + 1 if space >= 0 else spans[0][0]
    high = len(text)
    if high - low > length:
        space = text.rfind(" ", low, low + length)
        high = space if space > low else low + length
    shifted = [(start - low, end - low) for start, end in _that_tell(text, spans)]
    cut = _cut(text[low:high], _joined(text[low:high], shifted))
    before = [Piece(CUT)] if low else []
    return [*before, *cut, *([Piece(CUT)] if high < len(text) else [])]
