"""A verbatim into statements: sentences, then contrastive clauses.

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

LONGEST_STATEMENT = 1000
"""Characters; what the encoder can read in one piece. Longer runs are cut between words."""

_CLOSERS = "[\"'”’»)\\]」』】）*]{0,4}"  # noqa: RUF001
_END_OF_SENTENCE = re.compile(
    rf"(?P<marks>[.!?…؟۔।]{{1,20}}){_CLOSERS}\s+"  # noqa: RUF001
    rf"|[。！？｡]{{1,20}}{_CLOSERS}\s*"  # noqa: RUF001
    r"|(?<=[a-z]{2})[.!?]{1,20}(?=[A-Z][a-z])"  # "Great food.Will come again"
    r"|[\n\r\u2028\u2029]\s*"
)
_LINE_BREAK = re.compile(r"[\n\r\u2028\u2029]")
_PROTECTED = re.compile(
    r"(?:https?://|www\.)[^\s。！？]+"  # noqa: RUF001
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(
    r"(?:^|[^\w.])(?:[a-hj-z]|[a-z](?:\.[a-z]){1,4}"  # an initial; e.g
    r"|mr|mrs|ms|dr|st|prof|sr|jr|vs|approx|dept|ext|fig|inc|tel|mt|ave|rd|blvd|incl|excl"
    r"|bzw|ca|ggf|evtl|str|sra|mme|mlle)$",
    re.IGNORECASE,
)
_ABBREVIATION_BEFORE_A_NUMBER = re.compile(r"(?:^|[^\w.])(?:no|nr|art|pp|vol)$", re.IGNORECASE)
_ABBREVIATION_INSIDE = re.compile(r"(?:^|[^\w.])(?:etc|max|min|co|ltd|corp)$", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"(?:^|[\n\r])\s{0,8}\(?(?:\d{1,3}|[a-z])$", re.IGNORECASE)
_LOOK_BACK = 24

_CONTRAST = re.compile(
    r"(?P<sure>(?<=[\s,;–—-])(?:but|however|whereas|nevertheless|nonetheless|even though"  # noqa: RUF001
    r"|although|aber|jedoch|pero|maar)(?=[\s,]))"
    r"|(?P<after_comma>(?<=[,;–—-]\s)(?:yet|while|though|except|unfortunately|sadly|mais|mas|ma)"  # noqa: RUF001
    r"(?=[\s,]))",
    re.IGNORECASE,
)
_NO_CONTRAST_BEFORE = re.compile(
    r"\b(?:nothing|anything|everything|everyone|all|none|no one|nobody|help|last|not only)\W{0,3}$",
    re.IGNORECASE,
)
_NO_CONTRAST_AFTER = re.compile(r"but\s+(?:also|not\s+least|for\b)", re.IGNORECASE)
_CONCESSION = re.compile(
    r"\s{0,20}(?:although|though|even though|while|despite|whereas)\s[^,]{5,300},\s{0,20}",
    re.IGNORECASE,
)
_WORDS_OF_A_CLAUSE = 2


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
    cuts = _outside(protected, _sentence_cuts(verbatim))
    cuts += _outside(protected, _clause_cuts(verbatim, _tiles(verbatim, cuts)))
    pieces = [piece for span in _tiles(verbatim, cuts) for piece in _bounded(verbatim, span)]
    return _join_silent(verbatim, pieces)


def _sentence_cuts(text: str) -> Iterator[int]:
    for match in _END_OF_SENTENCE.finditer(text):
        marks = match["marks"] or ""
        if marks.startswith(".") and _LINE_BREAK.search(match[0]) is None:
            before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
            after = text[match.end() : match.end() + 1]
            if marks == "." and _is_abbreviation(before, after):
                continue
            if len(marks) > 1 and after.islower():  # "waiting... and waiting"
                continue
        yield match.end()


def _is_abbreviation(before: str, after: str) -> bool:
    return bool(
        _ABBREVIATION.search(before)
        or _LIST_NUMBER.search(before)
        or (after.isdigit() and _ABBREVIATION_BEFORE_A_NUMBER.search(before))
        or (after.islower() and _ABBREVIATION_INSIDE.search(before))
    )


def _clause_cuts(text: str, sentences: Iterable[Span]) -> Iterator[int]:
    for start, end in sentences:
        concession = _CONCESSION.match(text, start, end)
        if concession and _is_clause(text, concession.end(), end):
            yield concession.end()
        last = concession.end() if concession else start
        for match in _CONTRAST.finditer(text, start, end):
            cut = match.start()
            if (
                _is_clause(text, last, cut)
                and _is_clause(text, match.end(), end)
                and not _NO_CONTRAST_BEFORE.search(text[max(start, cut - _LOOK_BACK) : cut])
                and not _NO_CONTRAST_AFTER.match(text, cut, end)
            ):
                yield cut
                last = cut


def _is_clause(text: str, start: int, end: int) -> bool:
    """At least two words. Looks at the first 80 characters only."""
    return len(text[start : min(end, start + 80)].split()) >= _WORDS_OF_A_CLAUSE


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
