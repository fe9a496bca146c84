"""How well personal data is masked, against texts in which people marked it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nlp.mask import Known, mask

PROMISED = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "PHONE_NUMBER": "phone",
    "US_SSN": "ssn",
    "URL": "url",
}
"""What a label calls it, and our word. These are to be found without knowing the customer;
labels in our own words mean the same."""
KNOWN = {
    "PERSON": "name",
    "STREET_ADDRESS": "address",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "name": "name",
    "address": "address",
    "email": "email",
    "phone": "phone",
}
"""What a customer's record may say of them, in the words of `nlp.mask.Known`."""
IDENTITY = frozenset({"name", "address"})
"""Of these, what can be found only because the record says it."""


class Marked(NamedTuple):
    """Personal data that somebody marked: characters from *start* up to *end*."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Of one kind of personal data: how often it stood there, how often all of it was hidden."""

    values: int
    masked: int

    @property
    def share(self) -> float:
        return self.masked / self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskingReport:
    metrics: dict[str, float]
    """``recall_KIND`` of what we promise to find, ``recall_known_identity``, ``over_masked``."""
    kinds: dict[str, Recall]
    """By the name in the labels, all of them; nothing known of the customer."""
    known: dict[str, Recall]
    """By our word; the customer's record says what was marked in this text."""
    over_masked: dict[str, float]
    """By what we took it for: the share of characters that are no personal data."""


def evaluate_masking(texts: Sequence[str], spans: Sequence[Sequence[Marked]]) -> MaskingReport:
    """Mask each text twice: as a stranger's, and as one by a customer whom we know.

    A value counts as masked when every letter and digit of it is hidden. Over-masking is counted
    in letters and digits outside everything that was marked, whatever its kind.

    Raises:
        ValueError: A span does not lie inside its text.
    """
    found: list[tuple[str, bool]] = []
    identity: list[tuple[str, bool]] = []
    wrongly: Counter[str] = Counter()
    others = 0
    for text, marked in zip(texts, spans, strict=True):
        _require_inside(text, marked)
        hidden = _hidden(text, ())
        found += [(each.kind, _is_hidden(text, each, hidden)) for each in marked]
        identity += _as_customer(text, marked)
        personal = {place for each in marked for place in range(each.start, each.end)}
        rest = [i for i, c in enumerate(text) if c.isalnum() and i not in personal]
        wrongly.update(hidden[place] for place in rest if place in hidden)
        others += len(rest)
    return MaskingReport(
        metrics=_metrics(found, identity) | _share("over_masked", wrongly.total(), others),
        kinds=_recalls(found),
        known=_recalls(identity),
        over_masked={kind: count / others for kind, count in sorted(wrongly.items())},
    )


def _metrics(
    found: Sequence[tuple[str, bool]], identity: Sequence[tuple[str, bool]]
) -> dict[str, float]:
    promised = _recalls([(_promised(kind), ok) for kind, ok in found if _promised(kind)])
    only_known = [ok for kind, ok in identity if kind in IDENTITY]
    return {
        **{f"recall_{kind}": recall.share for kind, recall in promised.items()},
        **_share("recall_known_identity", sum(only_known), len(only_known)),
    }


def _share(name: str, part: int, whole: int) -> dict[str, float]:
    """Nothing where there is nothing to have a share of."""
    return {name: part / whole} if whole else {}


def _as_customer(text: str, marked: Sequence[Marked]) -> list[tuple[str, bool]]:
    """What is the customer's own in this text, and whether it is hidden once we know it."""
    own = [each for each in marked if each.kind in KNOWN]
    record = [Known(kind=KNOWN[each.kind], value=text[each.start : each.end]) for each in own]
    hidden = _hidden(text, record)
    return [(KNOWN[each.kind], _is_hidden(text, each, hidden)) for each in own]


def _hidden(text: str, known: Sequence[Known]) -> Mapping[int, str]:
    """The places that are masked, and what for."""
    return {
        place: found.kind
        for found in mask(text, known=known).found
        for place in range(found.start, found.end)
    }


def _is_hidden(text: str, marked: Marked, hidden: Mapping[int, str]) -> bool:
    places = range(marked.start, marked.end)
    telling = [place for place in places if text[place].isalnum()] or places
    return all(place in hidden for place in telling)


def _promised(kind: str) -> str:
    """Our word for a kind that we promise to find, or nothing."""
    return PROMISED.get(kind, kind if kind in PROMISED.values() else "")


def _recalls(found: Sequence[tuple[str, bool]]) -> dict[str, Recall]:
    values = Counter(kind for kind, _ in found)
    masked = Counter(kind for kind, is_hidden in found if is_hidden)
    return {kind: Recall(values=values[kind], masked=masked[kind]) for kind in sorted(values)}


def _require_inside(text: str, marked: Sequence[Marked]) -> None:
    for each in marked:
        if not 0 <= each.start < each.end <= len(text):
            raise ValueError(
                f"a span from {each.start} to {each.end} does not lie inside its text"
                f" of {len(text)} characters"
            )
