"""Rows for tests: each factory knows one believable row, and takes what should differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, SQLModel

from voc.company import Company
from voc.models import (
    Answer,
    Channel,
    Consent,
    Customer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Identity,
    IdentityKind,
    Link,
    LinkPurpose,
    Loop,
    LoopKind,
    LoopState,
    LoopTicket,
    Message,
    MessageKind,
    MessageState,
    Priority,
    Purpose,
    Statement,
    Ticket,
    TicketState,
    Verdict,
)
from voc.rules.contact import Why
from voc.rules.tokens import token_hash

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VERBATIM = "The sofa came two weeks late. Nobody answered my calls."
OWNER = "delivery@shop.example"
APPROVER = "head@shop.example"
SECRET = b"a secret for tests"


def save(session: Session, *rows: SQLModel) -> None:
    """Insert in this order. SQLAlchemy orders tables by relationship, not by foreign key."""
    for row in rows:
        session.add(row)
        session.flush()


def make_company(**changes: object) -> Company:
    """A shop with three departments that writes in English, German and Spanish."""
    values = {
        "company": {
            "name": "Shop & Co",
            "sender": "Shop & Co <care@shop.example>",
            "postal_address": "1 High Street, London",
        },
        "departments": [
            make_department("delivery", "Delivery", escalation=["head.delivery@shop.example"]),
            make_department("billing", "Billing"),
            make_department("triage", "Triage"),
        ],
        "sources": [],
        "follow_up": {
            "languages": ["en", "de", "es"],
            "approval": {"approvers": [APPROVER]},
        },
    }
    return Company.model_validate(values | changes)


def make_department(key: str, name: str, escalation: list[str] | None = None) -> dict[str, Any]:
    return {
        "id": key,
        "name": name,
        "description": f"What {name} does.",
        "owners": [{"name": f"{name} desk", "email": f"{key}@shop.example"}],
        "escalation": [{"name": "Head", "email": email} for email in escalation or []],
    }


def make_customer(**changes: object) -> Customer:
    values = {"id": 1, "name": "Kim Ade", "language": "en", "created_at": NOW}
    return Customer.model_validate(values | changes)


def make_identity(**changes: object) -> Identity:
    values = {"customer_id": 1, "kind": IdentityKind.EMAIL, "value": "kim@customer.example"}
    return Identity.model_validate(values | {"at": NOW} | changes)


def make_consent(**changes: object) -> Consent:
    values = {"customer_id": 1, "purpose": Purpose.FOLLOW_UP, "granted": True, "how": "survey"}
    return Consent.model_validate(values | {"at": NOW} | changes)


def make_feedback(**changes: object) -> Feedback:
    values = {
        "id": 1,
        "source": "reviews",
        "external_id": "r-1",
        "channel": Channel.REVIEW,
        "customer_id": 1,
        "said_at": NOW - timedelta(days=3),
        "collected_at": NOW - timedelta(days=2),
        "language": "en",
        "state": FeedbackState.ROUTED,
    }
    return Feedback.model_validate(values | changes)


def make_version(**changes: object) -> FeedbackVersion:
    values = {
        "id": 1,
        "feedback_id": 1,
        "number": 1,
        "verbatim": VERBATIM,
        "content_hash": "0" * 64,
        "collected_at": NOW - timedelta(days=2),
    }
    return FeedbackVersion.model_validate(values | changes)


def make_statement(**changes: object) -> Statement:
    values = {"version_id": 1, "start": 0, "end": 29, "text_hash": "1" * 64}
    return Statement.model_validate(values | changes)


def make_loop(**changes: object) -> Loop:
    values = {
        "id": 1,
        "feedback_id": 1,
        "customer_id": 1,
        "kind": LoopKind.ISSUE,
        "state": LoopState.OPEN,
        "opened_at": NOW - timedelta(days=2),
    }
    return Loop.model_validate(values | changes)


def make_ticket(**changes: object) -> Ticket:
    values = {
        "id": 1,
        "customer_id": 1,
        "department": "delivery",
        "because": "suggested with 91%",
        "priority": Priority.NORMAL,
        "state": TicketState.OPEN,
        "opened_at": NOW - timedelta(days=2),
        "first_response_due_at": NOW + timedelta(hours=4),
        "resolution_due_at": NOW + timedelta(days=1),
    }
    return Ticket.model_validate(values | changes)


def make_message(**changes: object) -> Message:
    """A resolution that the customer got."""
    values = {
        "id": 1,
        "subject": "loop:1",
        "step": "resolution.1",
        "recipient": "customer:1",
        "kind": MessageKind.FOLLOW_UP,
        "template": "resolution",
        "customer_id": 1,
        "loop_id": 1,
        "state": MessageState.SENT,
        "planned_at": NOW - timedelta(days=1),
        "not_before": NOW - timedelta(days=1),
        "address": "kim@customer.example",
        "message_id": "<one@shop.example>",
        "settled_at": NOW - timedelta(hours=20),
    }
    return Message.model_validate(values | changes)


def make_alert(**changes: object) -> Message:
    """What the owner of the ticket got when it was opened."""
    values = {
        "id": 2,
        "subject": "ticket:1",
        "step": "opened.1",
        "recipient": OWNER,
        "kind": MessageKind.ALERT,
        "template": "ticket_opened",
        "customer_id": None,
        "loop_id": None,
        "ticket_id": 1,
        "address": OWNER,
        "message_id": "<two@shop.example>",
    }
    return make_message(**values | changes)


def make_link(token: str, purpose: LinkPurpose, **changes: object) -> Link:
    values = {
        "token_hash": token_hash(token),
        "purpose": purpose,
        "message_id": 1,
        "expires_at": NOW + timedelta(days=60),
    }
    return Link.model_validate(values | changes)


def make_answer(**changes: object) -> Answer:
    values = {"loop_id": 1, "round": 1, "verdict": Verdict.SOLVED, "at": NOW}
    return Answer.model_validate(values | changes)


def save_customer(session: Session, **changes: object) -> None:
    """A customer with an address, who agreed."""
    save(session, make_customer(**changes), make_identity(), make_consent())


def save_told_loop(session: Session, *, language: str = "en", **changes: object) -> None:
    """A case that was dealt with and told, its question open. Tokens: "answer", "silence"."""
    save_customer(session, language=language)
    done = {
        "state": TicketState.CLOSED,
        "root_cause": "The depot was closed.",
        "action_taken": "We delivered it today and refunded the delivery fee.",
        "resolved_at": NOW - timedelta(days=1),
    }
    told = {"state": LoopState.TOLD, "told_at": NOW - timedelta(hours=20)}
    save(
        session,
        make_feedback(),
        make_version(),
        make_loop(**told | changes),
        make_ticket(**done),
        make_statement(ticket_id=1),
        LoopTicket(loop_id=1, ticket_id=1),
        make_message(),
        make_link("answer", LinkPurpose.ANSWER),
        make_link("silence", LinkPurpose.UNSUBSCRIBE),
    )


def save_open_ticket(session: Session, **changes: object) -> None:
    """An owner's alert with a link for each purpose; their tokens are named like these."""
    save_customer(session)
    offers = [["delivery", 0.91], ["billing", 0.06]]
    save(
        session,
        make_feedback(),
        make_version(),
        make_loop(),
        make_ticket(**{"offers": offers} | changes),
        make_statement(ticket_id=1),
        LoopTicket(loop_id=1, ticket_id=1),
        make_alert(),
        *(
            make_link(purpose.value, purpose, message_id=2)
            for purpose in (LinkPurpose.ACCEPT, LinkPurpose.REASSIGN, LinkPurpose.RESOLVE)
        ),
    )


def save_waiting_reply(session: Session, content: bytes) -> None:
    """A reply that waits until an approver has read it. Token: "approve"."""
    save_told_loop(session, state=LoopState.OPEN)
    session.get_one(Ticket, 1).state = TicketState.RESOLVED
    message = session.get_one(Message, 1)
    message.state, message.reason = MessageState.HELD, Why.NEEDS_APPROVAL.value
    message.needs_approval, message.content = True, content
    asked = {"subject": "message:1", "step": "approve.1", "recipient": APPROVER}
    alert = make_alert(**asked, template="approval_wanted", ticket_id=None, loop_id=1)
    save(session, alert, make_link("approve", LinkPurpose.APPROVE, message_id=2))
