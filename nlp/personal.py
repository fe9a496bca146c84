"""Personal data that can be known by its shape: checksums where there are any, else by form."""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from operator import itemgetter

Span = tuple[str, int, int]

_EMAIL = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}(?:@|\s?[\[(]at[\])]\s?)(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}",
    re.IGNORECASE,
)
_SECRET_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}://(?:[^\s/@]{1,256}@\S{1,2048}"
    r"|[^\s?#]{1,1024}[?#]\S{0,1024}?"
    r"(?:token|key|secret|password|passwd|pwd|sig|signature|session|auth|code)=\S{1,2048})",
    re.IGNORECASE,
)
_IBAN = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}", re.IGNORECASE)
_DIGIT_GROUPS = re.compile(r"(?<![\w.,])\d+(?:[ .-]\d+)*(?!\w)")
_CARD_START = re.compile(r"4|5[0-8]|6|3[04-9]|2[2-7]|2131|1800")
_CARD_DIGITS = range(12, 20)
_SSN = re.compile(
    r"(?<![\w-])(?!000|666|9)\d{3}(?P<gap>[- ])(?!00)\d{2}(?P=gap)(?!0000)\d{4}(?![\w-])"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:])", re.IGNORECASE)
_VERSION_BEFORE = re.compile(r"(?:\bv|version|release|build|firmware|ios|android)\W{0,2}$", re.I)
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


def pattern_spans(text: str, regions: tuple[str, ...]) -> Iterator[Span]:
    """``(kind, start, end)``, kind by kind; telephone numbers only where nothing else is."""
    certain = [
        *(("email", *match.span()) for match in _EMAIL.finditer(text)),
        *(("url", *match.span()) for match in _SECRET_URL.finditer(text)),
        *_ibans(text),
        *_cards(text),
        *(("ssn", *match.span()) for match in _SSN.finditer(text)),
        *_ip_addresses(text),
    ]
    yield from certain
    yield from _phones(_blanked(text, certain), regions)


def _ibans(text: str) -> Iterator[Span]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        for end in _word_ends(text, match.start() + 15, match.end()):
            if iban.is_valid(text[match.start() : end]):
                yield "iban", match.start(), end
                break


def _word_ends(text: str, shortest: int, longest: int) -> Iterator[int]:
    """Where a number may end, longest first: the words after it may look like part of it."""
    for end in range(longest, shortest - 1, -1):
        if end == len(text) or not text[end].isalnum():
            yield end


def _cards(text: str) -> Iterator[Span]:
    from stdnum import luhn

    for run in _DIGIT_GROUPS.finditer(text):
        groups = [(m.start(), m.end()) for m in re.finditer(r"\d+", text[run.start() : run.end()])]
        for first in range(len(groups)):
            start = run.start() + groups[first][0]
            lengths = accumulate(end - begin for begin, end in groups[first : first + 19])
            fitting = [
                run.start() + groups[first + n][1]
                for n, length in enumerate(lengths)
                if length in _CARD_DIGITS
            ]
            for end in reversed(fitting):
                digits = re.sub(r"\D", "", text[start:end])
                if _CARD_START.match(digits) and luhn.is_valid(digits):
                    yield "card", start, end
                    break


def _ip_addresses(text: str) -> Iterator[Span]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            address = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
            before = text[max(0, match.start() - 12) : match.start()]
            if _is_ip(address) and not _VERSION_BEFORE.search(before):
                yield "ip", match.start(), match.start() + len(address)


def _is_ip(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not parsed.is_unspecified


def _phones(text: str, regions: tuple[str, ...]) -> Iterator[Span]:
    """Numbers that may be telephone numbers of a region.

    The matcher loses its way in a crowd of numbers. One that it finds there masks the crowd.
    """
    if sum(character.isdigit() for character in text) < _MIN_PHONE_DIGITS:
        return
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
                start, end = _around(crowds, match.start, match.end)
                yield "phone", start, end


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


def _blanked(text: str, spans: Iterable[Span]) -> str:
    """*text* with those stretches replaced by what nothing here can match; same length."""
    characters = list(text)
    for _, start, end in spans:
        characters[start:end] = "|" * (end - start)
    return "".join(characters)
