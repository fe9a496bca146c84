"""Personal data in a text, replaced by what kind it was, before anyone else sees the text.

Errs towards masking: what the customer's record tells us is found for certain, patterns with a
checksum nearly so, telephone numbers on suspicion. Names of third persons are found only by a
model that is handed in (`nlp.masking.names`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from nlp.masking.identity import Known, known_spans
from nlp.masking.names import PersonNames, person_names
from nlp.masking.patterns import pattern_spans

__all__ = ["TOKEN", "Found", "Known", "Masked", "mask", "mask_by"]

KINDS = (
    *("name", "account", "address", "email", "url", "iban", "card"),
    *("ssn", "national_id", "ip", "phone", "order"),
)
TOKEN = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where in the input something was masked."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    text: str
    found: tuple[Found, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How much of each kind, in the order of the text; safe to log."""
        return dict(Counter(found.kind for found in self.found))


def mask(
    text: str,
    *,
    known: Sequence[Known] = (),
    regions: Sequence[str] = ("GB", "US", "DE"),
    patterns: Sequence[str] = (),
    names: PersonNames | None = None,
) -> Masked:
    """Replace personal data in *text* by ``[kind]``. Masking again changes nothing.

    Args:
        known: What the record of this customer says of them; found whatever the case, the
            accents and the separators.
        regions: Where a telephone number without a country code may be from.
        patterns: Regular expressions of the company's order numbers.
        names: Finds the names of people whom no record knows; nobody does by default.

    Raises:
        re.error: One of *patterns* is not a regular expression.
    """
    seek = _Seeker(tuple(known), tuple(regions), tuple(patterns), names)
    found: list[Found] = []
    kept = 0
    for token in TOKEN.finditer(text):
        found += seek.gap(text, kept, token.start())
        kept = token.end()
    found += seek.gap(text, kept, len(text))
    return Masked(text="".join(_replaced(text, found)), found=tuple(found))


class MaskingRules(Protocol):
    """What a company says of masking."""

    @property
    def phone_regions(self) -> Sequence[str]: ...

    @property
    def order_number_patterns(self) -> Sequence[str]: ...

    @property
    def person_names(self) -> str | None:
        """The pipeline that finds names; None: none does."""
        ...


def mask_by(rules: MaskingRules, text: str, *, known: Sequence[Known] = ()) -> Masked:
    """`mask` as the company wants it.

    Raises:
        ModelFileError: Its pipeline for names is not installed.
    """
    return mask(
        text,
        known=known,
        regions=rules.phone_regions,
        patterns=rules.order_number_patterns,
        names=person_names(rules.person_names),
    )


@dataclass(frozen=True, slots=True)
class _Seeker:
    known: tuple[Known, ...]
    regions: tuple[str, ...]
    patterns: tuple[str, ...]
    names: PersonNames | None

    def gap(self, text: str, start: int, end: int) -> list[Found]:
        """What is in a stretch without masks, in order, until looking again finds nothing.

        Each stretch is looked at as if it stood alone: that is how the masked text will
        look, and why masking twice is masking once.
        """
        found: list[Found] = []
        left = [(start, end)]
        while left:
            first, last = left.pop()
            stretch = _ascii_digits(text[first:last])
            hits = _merged([*known_spans(stretch, self.known), *self._pattern_spans(stretch)])
            found += [Found(kind=kind, start=first + a, end=first + b) for kind, a, b in hits]
            edges = [first, *(first + edge for _, *span in hits for edge in span), last]
            left += zip(edges[::2], edges[1::2], strict=True) if hits else ()
        return sorted(found, key=lambda each: each.start)

    def _pattern_spans(self, stretch: str) -> Iterator[tuple[str, int, int]]:
        yield from pattern_spans(stretch, self.regions)
        for pattern in self.patterns:
            for match in re.finditer(pattern, stretch):
                yield ("order", *match.span())
        if self.names and stretch.strip():
            for start, end in self.names.find(stretch):
                yield "name", start, end


def _ascii_digits(text: str) -> str:
    """Digits of all scripts as 0 to 9, place by place: checksums know no others."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _merged(hits: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Overlapping hits as one, named after the earliest, then the longest, then `KINDS`.

    One hit over all of them and not only the winner: no tail of the loser may stay readable.
    """
    merged: list[tuple[str, int, int]] = []
    order = sorted(hits, key=lambda hit: (hit[1], -hit[2], KINDS.index(hit[0])))
    for kind, start, end in order:
        if start == end:
            continue
        if merged and start < merged[-1][2]:
            first, begun, reached = merged[-1]
            merged[-1] = (first, begun, max(reached, end))
        else:
            merged.append((kind, start, end))
    return merged


def _replaced(text: str, found: list[Found]) -> Iterator[str]:
    kept = 0
    for hit in found:
        yield text[kept : hit.start]
        yield f"[{hit.kind}]"
        kept = hit.end
    yield text[kept:]
