"""What we owe: the loop, its tickets, and everything that ever happened to them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime, text_enum


class LoopKind(StrEnum):
    ISSUE = "issue"  # has tickets
    THANKS = "thanks"  # a promoter's: open, told, closed


class LoopState(StrEnum):
    OPEN = "open"
    TOLD = "told"  # the customer has our answer; theirs is awaited
    CLOSED = "closed"  # solved, or silent for N days after being told
    COULD_NOT_TELL = "could_not_tell"  # `reason` says why
    NOT_ACTIONABLE = "not_actionable"
    DUPLICATE = "duplicate"


class Loop(SQLModel, table=True):
    """What we owe one customer for one piece of feedback."""

    __table_args__ = (
        sa.Index("ix_loop_state_id", "state", "id"),
        sa.Index("ix_loop_state_reason", "state", "reason"),
    )

    id: int | None = Field(default=None, primary_key=True)
    feedback_id: int = Field(foreign_key="feedback.id", unique=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    kind: LoopKind = Field(sa_column=sa.Column(text_enum(LoopKind), nullable=False))
    state: LoopState = Field(
        default=LoopState.OPEN, sa_column=sa.Column(text_enum(LoopState), nullable=False)
    )
    reason: str | None = Field(default=None, max_length=64)
    round: int = Field(
        default=1, description="Grows with 'not solved', and when an edit overtakes our reply."
    )
    reopened: int = Field(default=0, description="How often the customer said 'not solved'.")
    opened_at: datetime = Field(sa_type=UtcDateTime)
    first_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TicketState(StrEnum):
    OPEN = "open"  # routed to a department, nobody has taken it
    IN_PROGRESS = "in_progress"  # an owner has taken it
    RESOLVED = "resolved"  # the owner says so, with root cause and action
    CLOSED = "closed"  # the customer was told, or cannot be


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


NEXT_PROMISE = (
    "CASE WHEN state IN ('open', 'in_progress') THEN "
    "CASE WHEN accepted_at IS NULL AND first_response_due_at < resolution_due_at "
    "THEN first_response_due_at ELSE resolution_due_at END END"
)
"""In SQL what `voc.rules.queue.next_promise` says of a ticket."""


class Ticket(SQLModel, table=True):
    """One issue, owned by one department."""

    __table_args__ = (
        sa.Index("ix_ticket_state_id", "state", "id"),
        # What a queue shows first, and all that its filters and counts ask for.
        sa.Index(
            "ix_ticket_queue", "department", "due_at", "owner", "snoozed_until", "topic", "state"
        ),
        sa.Index("ix_ticket_department_opened_at", "department", "opened_at"),
        sa.Index("ix_ticket_department_resolved_at", "department", "resolved_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    department: str = Field(max_length=64, index=True)
    topic: str | None = Field(default=None, max_length=64)
    because: str = Field(max_length=255, description="Why this department: rule or suggestion.")
    offers: list[list[str | float]] = Field(
        default_factory=list,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="The best departments with their probabilities, for triage.",
    )
    priority: Priority = Field(sa_column=sa.Column(text_enum(Priority), nullable=False))
    state: TicketState = Field(
        default=TicketState.OPEN, sa_column=sa.Column(text_enum(TicketState), nullable=False)
    )
    level: int = Field(default=0, description="0: the owners; each escalation adds one.")
    round: int = Field(default=1, description="Grows each time it is reopened.")
    hand: int = Field(
        default=1, description="Another number each time it is handed over; 1: routed there."
    )
    reopened_hand: int | None = Field(
        default=None, description="Its hand when the customer last said 'not solved'."
    )
    owner: str | None = Field(default=None, max_length=255)
    opened_at: datetime = Field(sa_type=UtcDateTime, index=True)
    first_response_due_at: datetime = Field(sa_type=UtcDateTime)
    resolution_due_at: datetime = Field(sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    root_cause: str | None = None
    action_taken: str | None = None
    snoozed_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="Not in the queue before. Clocks run on."
    )
    merged_into_id: int | None = Field(
        default=None, foreign_key="ticket.id", index=True, description="The same issue as that one."
    )
    due_at: datetime | None = Field(
        default=None,
        sa_column=sa.Column(UtcDateTime, sa.Computed(NEXT_PROMISE)),
        description="The next promise, kept by the database. None: it is finished.",
    )


class TicketComment(SQLModel, table=True):
    """What a colleague wrote on a ticket, for colleagues."""

    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    author: str = Field(max_length=255)
    words: str
    at: datetime = Field(sa_type=UtcDateTime)


class TicketBefore(SQLModel, table=True):
    """What the newest deed with a ticket overwrote, as long as it can be undone."""

    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True)
    event_id: int = Field(foreign_key="ticketevent.id", description="The deed, in the ledger.")
    department: str = Field(max_length=64)
    because: str = Field(max_length=255)
    level: int
    hand: int
    owner: str | None = Field(default=None, max_length=255)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_response_due_at: datetime = Field(sa_type=UtcDateTime)
    resolution_due_at: datetime = Field(sa_type=UtcDateTime)
    snoozed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LoopTicket(SQLModel, table=True):
    """Which tickets a loop waits for. Many to many: the same issue joins the open ticket."""

    loop_id: int = Field(foreign_key="loop.id", primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True, index=True)


class TicketEventKind(StrEnum):
    OPENED = "opened"
    JOINED = "joined"  # another loop's same issue
    ACCEPTED = "accepted"
    REASSIGNED = "reassigned"
    ASSIGNED = "assigned"  # a colleague of the same department has it now
    RELEASED = "released"  # back in the queue: whoever took it does not do it
    RESOLVED = "resolved"
    TAKEN_BACK = "taken_back"  # not resolved after all; the customer was not told yet
    COMMENTED = "commented"
    COMMENT_REMOVED = "comment_removed"  # by who wrote it
    SNOOZED = "snoozed"
    WOKEN = "woken"
    MERGED = "merged"  # into another ticket of the same customer; `detail` says which
    ESCALATED = "escalated"
    REOPENED = "reopened"
    CLOSED = "closed"
    LOOP_OPENED = "loop_opened"
    LOOP_TOLD = "loop_told"
    LOOP_CLOSED = "loop_closed"
    LOOP_ENDED = "loop_ended"  # without the customer told; `detail` says why
    LOOP_REOPENED = "loop_reopened"
    DECIDED = "decided"  # why this issue went to this department, by which model or rule
    ANSWERED = "answered"  # the customer's word was taken in
    JUDGED = "judged"  # a person said what unclear words mean
    OPTED_OUT = "opted_out"  # from here on nothing is handed over to this customer
    OPTED_IN = "opted_in"
    CUSTOMER_MERGED = "customer_merged"  # a no of either is a no of both from here on
    CUSTOMER_UNMERGED = "customer_unmerged"
    MESSAGE_SENDING = "message_sending"
    MESSAGE_SENT = "message_sent"  # `detail` holds the provider's id
    MESSAGE_ENDED = "message_ended"  # any other end; `detail` says which, and why
    MESSAGE_QUEUED = "message_queued"  # again: it was not taken, or a person lets it go
    MESSAGE_APPROVED = "message_approved"
    MESSAGE_REFUSED = "message_refused"
    RESTORED = "restored"  # an older copy of the database was put back


class TicketEvent(SQLModel, table=True):
    """That something happened to a ticket or its loop. Append-only and hash-chained.

    Holds ids and codes, never a customer's words, so that erasure leaves the chain valid.
    """

    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    loop_id: int | None = Field(default=None, foreign_key="loop.id", index=True)
    message_id: int | None = Field(default=None, foreign_key="message.id", index=True)
    kind: TicketEventKind = Field(sa_column=sa.Column(text_enum(TicketEventKind), nullable=False))
    actor: str = Field(max_length=255)
    detail: str = Field(
        default="", max_length=255, description="A code: department, level, reason."
    )
    at: datetime = Field(sa_type=UtcDateTime)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64, unique=True)


class ChainHead(SQLModel, table=True):
    """The newest link of the chain: one row, locked on append, so that a cut end is seen."""

    id: int = Field(default=1, primary_key=True)
    length: int
    hash: str = Field(max_length=64)
    frontier: list[str] = Field(
        default_factory=list,
        sa_column=sa.Column(sa.JSON, nullable=False, server_default="[]"),
        description="Roots of the full subtrees over all events, the largest first.",
    )
