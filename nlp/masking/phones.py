"""Telephone numbers: what could be one, unless it looks like a date, a price or part of a word."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from nlp.masking.dense import dense_stretches

_MONEY = "$€£¥₹%"
_MONEY_AFTER = re.compile(r"\s?(?:[$€£¥₹%]|(?:usd|eur|gbp|chf|dollars|euros?|pounds)\b)", re.I)
_DATE_OR_TIME = re.compile(
    r"(?:(?:19|20)\d\d(?P<a>[-/. ])\d{1,2}(?P=a)\d{1,2}"
    r"|\d{1,2}(?P<b>[-/.])\d{1,2}(?P=b)(?:\d\d|(?:19|20)\d\d))(?:[ T]\d{1,2}.*)?"
    r"|(?:19|20)\d\d\s?[-–/]\s?(?:19|20)\d\d"  # noqa: RUF001
    r"|[0-2]?\d[.:]?[0-5]\d\s?[-–]\s?[0-2]?\d[.:]?[0-5]\d"  # noqa: RUF001 ("0830-0930")
)
_CROWD = re.compile(r"[+(]{0,2}\d(?:[ \t\xa0().\-/+]{0,3}\d)+")
_MIN_PHONE_DIGITS = 7
_MAX_PHONE_DIGITS = 15


def phones(text: str, regions: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """``("phone", start, end)`` of numbers that may be telephone numbers of a region.

    The library is slow: it is shown only stretches with enough digits, once for each region.
    """
    for first, last in dense_stretches(text, digits=_MIN_PHONE_DIGITS):
        for start, end in _in_a_stretch(text[first:last], regions):
            yield "phone", first + start, first + end


def _in_a_stretch(text: str, regions: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """The matcher loses its way in a crowd of numbers. One that it finds there masks the crowd."""
    import phonenumbers
    from phonenumbers import Leniency, PhoneNumberMatcher

    crowds = [
        crowd.span()
        for crowd in _CROWD.finditer(text)
        if sum(character.isdigit() for character in crowd[0]) > _MAX_PHONE_DIGITS
    ]
    for region in regions:
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE):
            is_valid = phonenumbers.is_valid_number(match.number)
            if _may_be_phone(text, match.start, match.end, is_valid=is_valid):
                yield _around(crowds, match.start, match.end)


def _around(crowds: list[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    place = bisect_right(crowds, start, key=itemgetter(0)) - 1
    if place >= 0 and crowds[place][1] > start:
        return min(start, crowds[place][0]), max(end, crowds[place][1])
    return start, end


def _may_be_phone(text: str, start: int, end: int, *, is_valid: bool) -> bool:
    number = text[start:end]
    digits = sum(character.isdigit() for character in number)
    if not _MIN_PHONE_DIGITS <= digits <= _MAX_PHONE_DIGITS:
        return False
    if _DATE_OR_TIME.fullmatch(number):
        return False
    if text[:start].rstrip()[-1:] in set(_MONEY) or _MONEY_AFTER.match(text, end):
        return False
    in_a_word = text[start - 1 : start].isalpha() or text[end : end + 1].isalpha()
    return is_valid or not (in_a_word or number.isdigit())
