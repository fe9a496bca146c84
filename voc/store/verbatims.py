"""What customers said in a period, the newest first, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, func, true
from sqlmodel import Session, col, select

from voc.columns import unindexed
from voc.models import (
    Channel,
    Customer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Label,
    Loop,
    RatingScale,
    Statement,
    Suggestion,
    SuggestionKind,
)
from voc.rules.ratings import PASSIVE_FROM, PROMOTER_FROM, SATISFIED_FROM
from voc.rules.weeks import UNSURE
from voc.store.message_lists import Spot
from voc.store.said import Span, conditions, stretch
from voc.store.weekly import Wanted


def _rated(scale: RatingScale, low: float, under: float) -> ColumnElement[bool]:
    given = col(Feedback.rating)
    return (col(Feedback.rating_scale) == scale) & (given >= low) & (given < under)


def _felt(value: str) -> ColumnElement[bool]:
    """One of its statements feels so: says the newest label, or else the newest suggestion."""
    label, suggestion = (
        select(col(table.value))
        .where(col(table.statement_id) == Statement.id, table.kind == SuggestionKind.SENTIMENT)
        .order_by(col(table.id).desc())
        .limit(1)
        .scalar_subquery()
        for table in (Label, Suggestion)
    )
    felt = func.coalesce(label, suggestion, UNSURE)
    ours = col(Statement.version_id) == FeedbackVersion.id
    return select(Statement.id).where(ours, felt == value).exists()


def _stands(*states: FeedbackState) -> ColumnElement[bool]:
    return unindexed(Feedback.state).in_(states)


GROUPS: Mapping[str, ColumnElement[bool]] = MappingProxyType(
    {
        "promoters": _rated(RatingScale.NPS, PROMOTER_FROM, 11),
        "passives": _rated(RatingScale.NPS, PASSIVE_FROM, PROMOTER_FROM),
        "detractors": _rated(RatingScale.NPS, 0, PASSIVE_FROM),
        "satisfied": _rated(RatingScale.CSAT, SATISFIED_FROM, 6),
        "not_satisfied": _rated(RatingScale.CSAT, 1, SATISFIED_FROM),
        "little_effort": _rated(RatingScale.CES, 1, 4),
        "much_effort": _rated(RatingScale.CES, 4, 8),
        "four_or_five_stars": _rated(RatingScale.STARS, 4, 6),
        "up_to_three_stars": _rated(RatingScale.STARS, 1, 4),
        **{feeling: _felt(feeling) for feeling in ("negative", "neutral", "positive", UNSURE)},
        "routed": _stands(FeedbackState.ROUTED),
        "filed": _stands(FeedbackState.FILED),
        "waiting": _stands(FeedbackState.COLLECTED, FeedbackState.UNDERSTOOD),
    }
)
"""Whose words can be asked for: what they gave, how they feel, what became of it."""


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


def newest(
    session: Session, wanted: Wanted, span: Span, group: str, *, after: Spot | None, limit: int
) -> Found:
    """The newest that were said in *span*, older than *after*, of what *wanted* and *group* say."""
    said, key = col(Feedback.said_at), col(Feedback.id)
    looked_at = stretch(session, span, after)
    rows = session.exec(
        select(Feedback, FeedbackVersion.verbatim, col(Loop.id))
        .join(FeedbackVersion, col(FeedbackVersion.feedback_id) == key)
        .join(Customer, col(Customer.id) == Feedback.customer_id)
        .join(Loop, col(Loop.feedback_id) == key, isouter=True)
        .where(
            *looked_at.holds(key),
            col(FeedbackVersion.number) == Feedback.version,
            FeedbackVersion.verbatim != "",
            *conditions(wanted),
            GROUPS[group] if group else true(),
        )
        .order_by(said.desc(), key.desc())
        .limit(limit)
    ).all()
    last = Spot(rows[-1][0].said_at, rows[-1][0].id or 0) if len(rows) == limit else None
    return Found(
        verbatims=[_verbatim(feedback, words, loop_id) for feedback, words, loop_id in rows],
        after=looked_at.follows(last),
    )


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
