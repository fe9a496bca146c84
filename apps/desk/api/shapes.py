"""What the API shows and takes. The fields are the contract: they are added to, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Generic, TypeVar

from fastapi import Header, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from voc.columns import LARGEST
from voc.models import (
    Channel,
    FeedbackState,
    LoopKind,
    LoopState,
    Priority,
    RatingScale,
    TicketState,
)
from voc.rules.cloud_events import EventType
from voc.rules.queue import SnoozeUntil

MOST = 100

OfCustomer = Annotated[int | None, Query(ge=1, le=LARGEST, description="Only this customer's.")]
IfMatch = Annotated[
    str | None,
    Header(
        description='The version that you have seen, in quotes: `"4711"`. `*` means whichever.',
        examples=['"4711"'],
        max_length=100,
    ),
]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is asked for."""

    after: Annotated[
        int,
        Query(ge=0, le=LARGEST, description="Only what has a larger number: `next` of a page."),
    ] = 0
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most.")] = 50


class _Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(_Shape, Generic[Item]):
    """Some of a list, by number."""

    items: list[Item]
    next: int | None = Field(description="Ask with it as `after` for more. null: that was all.")


class TicketShown(_Shape):
    """One issue, owned by one department."""

    id: int = Field(examples=[12])
    version: int = Field(
        description="Grows with whatever happens to it: for `If-Match`.", examples=[4711]
    )
    state: TicketState
    department: str = Field(examples=["delivery"])
    topic: str | None = Field(examples=["late_parcel"])
    priority: Priority
    level: int = Field(description="0: the owners; each escalation adds one.")
    round: int = Field(description="Grows each time it is reopened.")
    owner: str | None = Field(description="Who has taken it: a colleague, or token:NAME.")
    customer_id: int
    opened_at: AwareDatetime
    first_response_due_at: AwareDatetime
    resolution_due_at: AwareDatetime
    snoozed_until: AwareDatetime | None
    accepted_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    merged_into_id: int | None
    root_cause: str | None
    action_taken: str | None


class CommentShown(_Shape):
    """What a colleague wrote for colleagues."""

    id: int
    author: str
    words: str
    at: AwareDatetime


class WholeTicket(TicketShown):
    """A ticket with what hangs on it."""

    loops: list[int] = Field(description="Those that wait for it.")
    feedback: list[int] = Field(description="What it is about.")
    comments: list[CommentShown]


class Assign(_Body):
    """Give it to a colleague of its department."""

    owner: str = Field(min_length=1, max_length=255, examples=["dee@corner.example"])


class Reassign(_Body):
    """Hand it to the department that owns it. Teaches the router."""

    department: str = Field(min_length=1, max_length=64, examples=["billing"])


class Comment(_Body):
    words: str = Field(min_length=1, max_length=5_000, examples=["The courier calls back at noon."])


class RemoveComment(_Body):
    comment: int = Field(ge=1, le=LARGEST, description="Its `id`.", examples=[7])


class Merge(_Body):
    """Let another ticket of the same customer stand for this one, too."""

    into: int = Field(ge=1, le=LARGEST, description="The other ticket.", examples=[13])


class Snooze(_Body):
    """Put it off. Its clocks run on."""

    until: SnoozeUntil
    day: date | None = Field(default=None, description="With until = date only.")


class Resolve(_Body):
    """Say that it is dealt with. The customer reads `action_taken`."""

    root_cause: Words = Field(examples=["The depot was closed."])
    action_taken: Words = Field(examples=["We delivered it today and refunded the fee."])


class FeedbackShown(_Shape):
    """One thing one customer sent us. Personal data in its words is masked."""

    id: int
    source: str = Field(examples=["nps_mail"])
    external_id: str = Field(description="The source's own id.")
    channel: Channel
    customer_id: int
    said_at: AwareDatetime
    collected_at: AwareDatetime
    words: str = Field(examples=["The sofa came two weeks late."])
    rating: float | None
    rating_scale: RatingScale | None
    language: str | None
    touchpoint: str | None
    product: str | None
    state: FeedbackState
    reason: str | None = Field(description="Why it was filed.")


class Judgement(_Shape):
    """What is thought of a statement."""

    value: str | None = Field(description="null: the model was not sure enough.")
    probability: float | None = Field(description="The model's; null: a person said it.")
    by: str = Field(description="The model's version, or `person`.")


class StatementShown(_Shape):
    """A span of the words that says one thing."""

    id: int
    start: int
    end: int
    ticket_id: int | None
    sentiment: Judgement | None
    topic: Judgement | None
    department: Judgement | None


class WholeFeedback(FeedbackShown):
    """Feedback with what was understood of it."""

    loop: int | None
    statements: list[StatementShown]


class CustomerShown(_Shape):
    """A person we serve. No name and no address: the desk has those, for those who may."""

    id: int
    language: str | None
    country: str | None
    segment: str | None
    value: float | None = Field(description="What they are worth a year, in money.")
    created_at: AwareDatetime
    merged_into_id: int | None
    consents: dict[str, bool] = Field(
        description="By purpose what they said last.", examples=[{"follow_up": True}]
    )


class LoopShown(_Shape):
    """What we owe one customer for one piece of feedback."""

    id: int
    kind: LoopKind
    state: LoopState
    reason: str | None = Field(description="Why it ended without them told, or how it closed.")
    round: int
    customer_id: int
    feedback_id: int
    tickets: list[int]
    opened_at: AwareDatetime
    told_at: AwareDatetime | None
    closed_at: AwareDatetime | None


class WeekShown(_Shape):
    """What was said in one ISO week, counted, and what became of it."""

    week: str = Field(description="In the company's time zone.", examples=["2026-W09"])
    counts: dict[str, int] = Field(
        description="By name, those above 0; docs/measures.md says what each means.",
        examples=[{"feedback": 12, "closed": 9}],
    )


class Weeks(_Shape):
    """The numbers by week, the oldest first."""

    counted_at: AwareDatetime | None = Field(description="How fresh they are. null: not yet.")
    items: list[WeekShown]


class WebhookShown(_Shape):
    """A program that is told of events."""

    name: str
    events: list[EventType]
    told_up_to: int | None = Field(description="The newest event that was looked at for it.")
    waiting: int = Field(description="Messages that have not left.")
    in_doubt: int = Field(description="Messages that a person has to look at.")


class Webhooks(_Shape):
    items: list[WebhookShown]


class CloudEventData(BaseModel):
    """Ids and codes only: whoever wants to know more asks the API."""

    ticket: int | None
    loop: int | None
    code: str = Field(description="A department, a level or a reason; else empty.")


class CloudEvent(BaseModel):
    """What a webhook is told, signed as Standard Webhooks has it."""

    specversion: str = Field(examples=["1.0"])
    id: str = Field(description="The event's hash in the ledger: the same at every attempt.")
    source: str
    type: str = Field(examples=["vocloop.ticket.opened.v1"])
    subject: str = Field(examples=["tickets/12"])
    time: AwareDatetime
    datacontenttype: str = Field(examples=["application/json"])
    sequence: str = Field(description="Its number in the ledger: sorts by what came first.")
    data: CloudEventData
