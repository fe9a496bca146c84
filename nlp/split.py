"""A verbatim into statements: sentences, then contrastive clauses, then listed ones.

Errs towards fewer cuts: two issues in one statement cost a wrong topic, a cut in the middle of
a thought costs its meaning. Every pattern here looks at a bounded stretch of text, so the time
taken grows with the length of the verbatim and not faster.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from nlp.splitting.contrast import contrast_cuts
from nlp.splitting.listed import listed_cuts
from nlp.splitting.sentences import sentence_cuts

LONGEST_STATEMENT = 1000
"""Characters; what the encoder can read in one piece. Longer runs are cut between words."""

_PROTECTED = re.compile(
    r"(?:https?://|www\.)[^\s。！？]+"  # noqa: RUF001
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
    re.IGNORECASE,
)


class Span(NamedTuple):
    start: int
    end: int


def split(verbatim: str) -> list[Span]:
    """Cut *verbatim* into statements that tile it: each starts where the last one ended.

    White space and closing punctuation belong to the statement before them. Nothing in it but
    white space: no statements. A statement without a letter or digit joins its neighbour, so
    only a verbatim that has none anywhere ("👍") gives one.
    """
    if not verbatim.strip():
        return []
    protected = [match.span() for match in _PROTECTED.finditer(verbatim)]
    cuts = _outside(protected, sentence_cuts(verbatim))
    for clause_cuts in (contrast_cuts, listed_cuts):
        for start, end in _tiles(verbatim, cuts):
            cuts += _outside(protected, clause_cuts(verbatim, start, end))
    pieces = [piece for span in _tiles(verbatim, cuts) for piece in _bounded(verbatim, span)]
    return _join_silent(verbatim, pieces)


def _outside(protected: list[tuple[int, int]], cuts: Iterable[int]) -> list[int]:
    starts = [start for start, _ in protected]

    def is_free(cut: int) -> bool:
        before = bisect_right(starts, cut - 1) - 1
        return before < 0 or cut >= protected[before][1]

    return [cut for cut in cuts if is_free(cut)]


def _tiles(text: str, cuts: Iterable[int]) -> list[Span]:
    edges = sorted({0, *cuts, len(text)})
    return [Span(start, end) for start, end in pairwise(edges)]


def _join_silent(text: str, spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    says_something = False
    for span in spans:
        speaks = any(character.isalnum() for character in text[span.start : span.end])
        if joined and not (speaks and says_something):
            joined[-1] = Span(joined[-1].start, span.end)
            says_something = says_something or speaks
        else:
            joined.append(span)
            says_something = speaks
    return joined


def _bounded(text: str, span: Span) -> Iterator[Span]:
    start, end = span
    while end - start > LONGEST_STATEMENT:
        cut = text.rfind(" ", start, start + LONGEST_STATEMENT) + 1
        if not text[start:cut].strip():  # one huge word: cut after it, if it ends
            cut = text.find(" ", start + LONGEST_STATEMENT, end) + 1
        if cut == 0:
            break
        yield Span(start, cut)
        start = cut
    yield Span(start, end)
