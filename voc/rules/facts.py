"""What the measures are made of: plain rows, as `voc.store.measures` reads them.

No customer's words and no addresses: the report may go to anyone in the company.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from voc.models import (
    Channel,
    FeedbackState,
    LoopKind,
    LoopState,
    MessageState,
    QuarantineState,
    RatingScale,
    TicketState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One rating of one piece of feedback. `loop_id` leads to its departments, if any."""

    rating: float
    scale: RatingScale
    channel: Channel
    said_at: datetime
    loop_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopFact:
    """One loop, with the moment and the channel of the feedback that opened it."""

    id: int
    kind: LoopKind
    state: LoopState
    reason: str | None
    reopened: int
    channel: Channel
    said_at: datetime
    first_told_at: datetime | None
    closed_at: datetime | None
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFact:
    """One ticket and its clocks."""

    id: int
    department: str
    topic: str | None
    state: TicketState
    hand: int
    first_response_due_at: datetime
    resolution_due_at: datetime
    accepted_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCount:
    state: MessageState
    reason: str | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackCount:
    state: FeedbackState
    reason: str | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineCount:
    state: QuarantineState
    reason: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that `voc.rules.measures.measure` needs, read at *now* in one transaction."""

    now: datetime
    since: datetime | None
    rated: tuple[Rated, ...]
    loops: tuple[LoopFact, ...]
    tickets: tuple[TicketFact, ...]
    links: tuple[tuple[int, int], ...]
    """(loop id, ticket id). Many to many: one ticket may serve several loops."""
    messages: tuple[MessageCount, ...]
    feedback: tuple[FeedbackCount, ...]
    quarantined: tuple[QuarantineCount, ...]
