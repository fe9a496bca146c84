"""What comes in at the door: the shapes that sources yield and that collecting stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from voc.models import Channel, IdentityKind, RatingScale

MAIL_IN = "mail in"
"""Where mail comes from that lands in quarantine. No source of a company file can be called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRating:
    """A number and what it means; never one without the other."""

    value: float
    scale: RatingScale


@dataclass(frozen=True, slots=True, kw_only=True)
class RawIdentity:
    """One handle that the customer gave, as the source wrote it."""

    kind: IdentityKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeedback:
    """Feedback as its source tells it: the only shape that leaves `sources`.

    `verbatim` is normalised (`voc.text.normalise`) but not masked: collecting masks it
    before it is stored.
    """

    external_id: str
    verbatim: str
    said_at: datetime
    channel: Channel
    rating: RawRating | None = None
    identities: tuple[RawIdentity, ...] = ()
    name: str | None = None
    language: str | None = None
    country: str | None = None
    segment: str | None = None
    value: float | None = None
    consent: bool | None = None
    """True or False as the customer said; None when the source does not know."""
    touchpoint: str | None = None
    product: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An item that is not feedback as it stands. `raw` goes into quarantine, encrypted."""

    place: str
    """Where it stands, for a person: ``nps.csv line 12``. No customer's words."""
    reason: str
    """What is wrong and what would be right, one sentence. No customer's words."""
    raw: str
    """The item as it came; `Source.parse` reads it again after a fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some items, and the cursor to store *with* them, in the same transaction."""

    items: Sequence[RawFeedback]
    cursor: str
    rejected: Sequence[Rejected] = ()
    deleted: Sequence[str] = ()
    """External ids that the source says are gone: what was derived from them is erased."""
    in_order: bool = True
    """Whether what comes later is newer. Deliveries, and what is replayed, overtake each other."""
