"""Where a sentence ends: marks of many scripts, line breaks, and what only looks like an end."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSERS = "[\"'”’»)\\]」』】）*]{0,4}"  # noqa: RUF001
_END_OF_SENTENCE = re.compile(
    rf"(?P<marks>[.!?…؟۔।]{{1,20}}){_CLOSERS}\s+"  # noqa: RUF001
    rf"|[。！？｡]{{1,20}}{_CLOSERS}\s*"  # noqa: RUF001
    r"|(?<=[a-z]{2})[.!?]{1,20}(?=[A-Z][a-z])"  # "Great food.Will come again"
    r"|[\n\r\u2028\u2029]\s*"
)
_LINE_BREAK = re.compile(r"[\n\r\u2028\u2029]")
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


def sentence_cuts(text: str) -> Iterator[int]:
    """Where the next sentence begins, white space before it left to the last."""
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
