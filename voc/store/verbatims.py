"""What customers said in a period, the newest first, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, select

from voc.models import Channel, Customer, Feedback, FeedbackVersion, Loop, RatingScale
from voc.rules.ratings import PASSIVE_FROM, PROMOTER_FROM, SATISFIED_FROM
from voc.store.message_lists import Spot
from voc.store.weekly import Wanted

LOOKED_THROUGH = 3_000
"""How many pieces of feedback one page looks through for those that the filter wants."""


@dataclass(frozen=True, slots=True)
class Rated:
    """Ratings of a scale from *low* up to, not including, *under*."""

    scale: RatingScale
    low: float
    under: float


GROUPS: Mapping[str, Rated] = MappingProxyType(
    {
        "promoters": Rated(RatingScale.NPS, PROMOTER_FROM, 11),
        "passives": Rated(RatingScale.NPS, PASSIVE_FROM, PROMOTER_FROM),
        "detractors": Rated(RatingScale.NPS, 0, PASSIVE_FROM),
        "satisfied": Rated(RatingScale.CSAT, SATISFIED_FROM, 6),
        "not_satisfied": Rated(RatingScale.CSAT, 1, SATISFIED_FROM),
        "little_effort": Rated(RatingScale.CES, 1, 4),
        "much_effort": Rated(RatingScale.CES, 4, 8),
        "four_or_five_stars": Rated(RatingScale.STARS, 4, 6),
        "up_to_three_stars": Rated(RatingScale.STARS, 1, 4),
    }
)
"""Whose words can be asked for, by what they gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """One piece of feedback, personal data masked."""

    words: str
    said_at: datetime
    channel: Channel
    touchpoint: str | None
    product: str | None
    rating: float | None
    scale: RatingScale | None
    customer_id: int
    loop_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Some verbatims, and the spot behind which the next page begins; None: nowhere."""

    verbatims: Sequence[Verbatim]
    after: Spot | None
    back_to: datetime | None
    """How far this page looked."""


def newest(
    session: Session,
    wanted: Wanted,
    span: tuple[datetime, datetime],
    group: str,
    *,
    after: Spot | None,
    limit: int,
) -> Found:
    """The newest that were said in *span*, older than *after*, of what *wanted* and *group* say."""
    said, key = col(Feedback.said_at), col(Feedback.id)
    begin, end = span
    behind = (
        true() if after is None else (said <= after.at) & ((said < after.at) | (key < after.id))
    )
    window = session.exec(
        select(said, key)
        .where(said >= begin, said < end, behind)
        .order_by(said.desc(), key.desc())
        .limit(LOOKED_THROUGH)
    ).all()
    if not window:
        return Found(verbatims=[], after=None, back_to=None)
    oldest = Spot(window[-1][0], window[-1][1] or 0)
    rows = session.exec(
        select(Feedback, FeedbackVersion.verbatim, col(Loop.id))
        .join(FeedbackVersion, col(FeedbackVersion.feedback_id) == key)
        .join(Customer, col(Customer.id) == Feedback.customer_id)
        .join(Loop, col(Loop.feedback_id) == key, isouter=True)
        .where(
            said.between(oldest.at, window[0][0]),
            behind,
            (said > oldest.at) | (key >= oldest.id),
            col(FeedbackVersion.number) == Feedback.version,
            FeedbackVersion.verbatim != "",
            *conditions(wanted),
            *_rated(group),
        )
        .order_by(said.desc(), key.desc())
        .limit(limit)
    ).all()
    is_full, is_cut = len(rows) == limit, len(window) == LOOKED_THROUGH
    last = Spot(rows[-1][0].said_at, rows[-1][0].id or 0) if is_full else oldest
    return Found(
        verbatims=[_verbatim(feedback, words, loop_id) for feedback, words, loop_id in rows],
        after=last if is_full or is_cut else None,
        back_to=last.at,
    )


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What a filter says of a piece of feedback and of its customer."""
    found = []
    if wanted.channel is not None:
        found.append(col(Feedback.channel) == wanted.channel)
    if wanted.touchpoints is not None:
        found.append(col(Feedback.touchpoint).in_(sorted(wanted.touchpoints)))
    if wanted.product is not None:
        found.append(col(Feedback.product) == wanted.product)
    if wanted.segment is not None:
        found.append(col(Customer.segment) == wanted.segment)
    return found


def _rated(group: str) -> list[ColumnElement[bool]]:
    if not (rated := GROUPS.get(group)):
        return []
    given = col(Feedback.rating)
    return [col(Feedback.rating_scale) == rated.scale, given >= rated.low, given < rated.under]


def _verbatim(feedback: Feedback, words: str, loop_id: int | None) -> Verbatim:
    return Verbatim(
        words=words,
        said_at=feedback.said_at,
        channel=feedback.channel,
        touchpoint=feedback.touchpoint,
        product=feedback.product,
        rating=feedback.rating,
        scale=feedback.rating_scale,
        customer_id=feedback.customer_id,
        loop_id=loop_id,
    )
