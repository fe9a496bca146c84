"""Walking through what was said, the newest first, so much at a time that a page stays fast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from voc.models import Customer, Feedback
from voc.store.message_lists import Spot
from voc.store.weekly import Wanted

LOOKED_THROUGH = 3_000
"""How many pieces one page looks through for those that are wanted."""

WHOLE = 0
"""Instead of a number in a spot: nothing of its moment is left."""

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one page looks through: from *end*, or from behind *after*, back to *begin*."""

    begin: datetime
    end: datetime
    after: Spot | None
    is_cut: bool = False
    """Whether more was said before *begin* that another page looks through."""

    def holds(self, key: Any) -> list[ColumnElement[bool]]:
        """Conditions on feedback; *key* is the column that spots name beside the moment."""
        said = col(Feedback.said_at)
        found = [said >= self.begin, said < self.end]
        if self.after is not None:
            at, number = self.after.at, self.after.id
            found += [said <= at, (said < at) | (key < number)]
        return found

    def follows(self, last: Spot | None) -> Spot | None:
        """Behind what the next page begins: *last*, of a full page, or all of this one."""
        return last or (Spot(self.begin, WHOLE) if self.is_cut else None)


def stretch(session: Session, span: Span, after: Spot | None) -> Stretch:
    """The newest of *span* behind *after*: `LOOKED_THROUGH` pieces, whole moments."""
    begin, end = span
    said = col(Feedback.said_at)
    query = select(said).where(said >= begin, said < end)
    if after is not None:
        query = query.where(said < after.at if after.id == WHOLE else said <= after.at)
    oldest = session.exec(query.order_by(said.desc()).offset(LOOKED_THROUGH - 1).limit(1)).first()
    return Stretch(oldest or begin, end, after, is_cut=oldest is not None)


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
