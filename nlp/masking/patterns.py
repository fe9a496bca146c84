"""Personal data that can be known by its shape: checksums where there are any, else by form."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from itertools import accumulate

from nlp.masking.national import national_numbers
from nlp.masking.phones import phones

Span = tuple[str, int, int]

_EMAIL = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}(?:@|\s?[\[(]at[\])]\s?)(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}",
    re.IGNORECASE,
)
_SPELLED_AT = re.compile(r"[\[(]at[\])]", re.IGNORECASE)
_FOUR_DIGITS = re.compile(r"\d(?:\D*\d){3}")
_SECRET_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}://(?:[^\s/@]{1,256}@\S{1,2048}"
    r"|[^\s?#]{1,1024}[?#]\S{0,1024}?"
    r"(?:token|key|secret|password|passwd|pwd|sig|signature|session|auth|code|jwt|otp|credentials?)=\S{1,2048})",
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
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9a-f]{0,4}:[0-9a-f]{0,4}:)[0-9a-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:])",
    re.IGNORECASE,
)
_VERSION_BEFORE = re.compile(r"(?:\bv|version|release|build|firmware|ios|android)\W{0,2}$", re.I)


def pattern_spans(text: str, regions: tuple[str, ...]) -> Iterator[Span]:
    """``(kind, start, end)``, kind by kind; telephone numbers only where nothing else is."""
    certain = [*_addresses(text), *(_numbers(text) if _FOUR_DIGITS.search(text) else ())]
    yield from certain
    yield from phones(_blanked(text, certain), regions)


def _addresses(text: str) -> Iterator[Span]:
    """On the net. Most texts hold none of the characters that every one of these has."""
    if "@" in text or _SPELLED_AT.search(text):
        yield from (("email", *match.span()) for match in _EMAIL.finditer(text))
    if "://" in text:
        yield from (("url", *match.span()) for match in _SECRET_URL.finditer(text))
    if text.count(":") > 1 or _FOUR_DIGITS.search(text):
        yield from _ip_addresses(text)


def _numbers(text: str) -> Iterator[Span]:
    yield from _ibans(text)
    yield from _cards(text)
    yield from (("ssn", *match.span()) for match in _SSN.finditer(text))
    yield from national_numbers(text)


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


def _blanked(text: str, spans: Iterable[Span]) -> str:
    """*text* with those stretches replaced by what nothing here can match; same length."""
    characters = list(text)
    for _, start, end in spans:
        characters[start:end] = "|" * (end - start)
    return "".join(characters)
