"""A small company with customers, loops and planned messages, for tests of what leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlmodel import Session, SQLModel, col, select

from notifications.allowlist import Channels
from notifications.channel import Channel
from notifications.delivery import deliver_due, nothing_more
from notifications.liveness import liveness
from notifications.queueing import merge_waiting, queue_planned
from notifications.settling import OnSent
from voc.company.follow_up import FollowUpPolicy
from voc.company.model import Company
from voc.journal import Journal
from voc.models import (
    Channel as FeedbackChannel,
)
from voc.models import (
    Consent,
    Customer,
    DeliveryChannel,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Identity,
    IdentityKind,
    Loop,
    LoopKind,
    LoopTicket,
    Message,
    MessageKind,
    MessageState,
    Priority,
    Purpose,
    Statement,
    Ticket,
    TicketState,
)
from voc.store import messages
from voc.store.database import transaction, with_manners
from voc.store.installation import check_secret

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = b"a secret for tests only"
PUBLIC_URL = "https://feedback.noodles.test"
NO_JOURNAL = Journal(Path("there is none"))
VERBATIM = "Great food but the courier was rude."
POLICY = FollowUpPolicy(cap_7_days=2, languages=("en", "de", "es"))


def make_company(policy: FollowUpPolicy = POLICY) -> Company:
    person = {"name": "Ola", "email": "ola@noodles.test"}
    hours = {"timezone": "Europe/Berlin"}
    return Company.model_validate(
        {
            "company": {
                "name": "Noodles & Söhne",
                "sender": "Noodles <care@noodles.test>",
                "postal_address": "1 Soup Street, Berlin",
                "timezone": "Europe/Berlin",
            },
            "departments": [
                {"id": i, "name": n, "description": n, "owners": [person], "business_hours": hours}
                for i, n in (("triage", "Triage"), ("logistics", "Logistics"))
            ],
            "sources": [],
            "follow_up": policy,
        }
    )


def make_engine(folder: Path) -> Engine:
    engine = with_manners(create_engine(f"sqlite:///{folder / 'voc.db'}"))
    SQLModel.metadata.create_all(engine)
    check_secret(engine, SECRET)
    return engine


def save(session: Session, row: SQLModel) -> int:
    session.add(row)
    session.flush()
    return int(row.id)  # type: ignore[attr-defined]


def add_customer(
    engine: Engine,
    address: str | None = "kim@customer.test",
    *,
    consent: bool | None = True,
    **values: Any,
) -> int:
    with transaction(engine) as session:
        values = {"name": "Kim", "language": "en", "created_at": NOW} | values
        customer_id = save(session, Customer.model_validate(values))
        if address is not None:
            add_address(session, customer_id, address)
        if consent is not None:
            save_consent(session, customer_id, granted=consent, at=NOW - timedelta(days=30))
    return customer_id


def add_address(session: Session, customer_id: int, address: str, at: datetime = NOW) -> None:
    save(
        session,
        Identity(customer_id=customer_id, kind=IdentityKind.EMAIL, value=address, at=at),
    )


def save_consent(session: Session, customer_id: int, *, granted: bool, at: datetime) -> None:
    purpose = Purpose.FOLLOW_UP
    save(
        session, Consent(customer_id=customer_id, purpose=purpose, granted=granted, how="t", at=at)
    )


def add_loop(
    engine: Engine,
    customer_id: int,
    *,
    verbatim: str = VERBATIM,
    action: str | None = "We spoke with the courier.",
    state: TicketState = TicketState.RESOLVED,
    offers: list[list[str | float]] | None = None,
    department: str = "logistics",
) -> tuple[int, int]:
    """A loop with one ticket about the second half of the verbatim: (loop id, ticket id)."""
    with transaction(engine) as session:
        feedback_id = save(
            session,
            Feedback(
                source="nps",
                external_id=f"{customer_id}-{verbatim}",
                channel=FeedbackChannel.SURVEY,
                customer_id=customer_id,
                said_at=NOW - timedelta(days=1),
                collected_at=NOW,
                state=FeedbackState.ROUTED,
            ),
        )
        version = FeedbackVersion(
            feedback_id=feedback_id, number=1, verbatim=verbatim, content_hash="x", collected_at=NOW
        )
        version_id = save(session, version)
        loop_id = save(
            session,
            Loop(
                feedback_id=feedback_id,
                customer_id=customer_id,
                kind=LoopKind.ISSUE,
                opened_at=NOW,
            ),
        )
        ticket_id = save(session, _ticket(customer_id, department, action, state, offers or []))
        session.add(LoopTicket(loop_id=loop_id, ticket_id=ticket_id))
        start = len(verbatim) // 2
        save(
            session,
            Statement(
                version_id=version_id,
                start=start,
                end=len(verbatim),
                text_hash="h",
                ticket_id=ticket_id,
            ),
        )
    return loop_id, ticket_id


def _ticket(
    customer_id: int,
    department: str,
    action: str | None,
    state: TicketState,
    offers: list[list[str | float]],
) -> Ticket:
    return Ticket(
        customer_id=customer_id,
        department=department,
        because="rule 'couriers'",
        offers=offers,
        priority=Priority.HIGH,
        state=state,
        opened_at=NOW,
        first_response_due_at=NOW + timedelta(hours=8),
        resolution_due_at=NOW + timedelta(hours=24),
        action_taken=action,
    )


def plan_follow_up(
    engine: Engine,
    loop_id: int,
    customer_id: int,
    step: str = "resolution.1",
    now: datetime = NOW,
    **values: Any,
) -> int:
    with transaction(engine) as session:
        if step == "thanks":
            session.get_one(Loop, loop_id).kind = LoopKind.THANKS
        messages.plan(
            session,
            subject=f"loop:{loop_id}",
            step=step,
            recipient=f"customer:{customer_id}",
            kind=MessageKind.FOLLOW_UP,
            template=step.partition(".")[0],
            customer_id=customer_id,
            loop_id=loop_id,
            now=now,
            **values,
        )
    return the_message(engine, subject=f"loop:{loop_id}", step=step).id or 0


def plan_alert(
    engine: Engine, ticket_id: int, step: str = "opened.1", template: str = "ticket_opened"
) -> int:
    with transaction(engine) as session:
        messages.plan(
            session,
            subject=f"ticket:{ticket_id}",
            step=step,
            recipient="ola@noodles.test",
            kind=MessageKind.ALERT,
            template=template,
            ticket_id=ticket_id,
            now=NOW,
        )
    return the_message(engine, subject=f"ticket:{ticket_id}", step=step).id or 0


def the_message(engine: Engine, message_id: int | None = None, **where: Any) -> Message:
    with transaction(engine) as session:
        query = select(Message)
        if message_id is not None:
            query = query.where(col(Message.id) == message_id)
        return session.exec(query.filter_by(**where)).one()


def states(engine: Engine) -> Mapping[MessageState, int]:
    with transaction(engine) as session:
        return Counter(m.state for m in session.exec(select(Message)))


def ready_resolution(engine: Engine, address: str = "kim@customer.test", **customer: Any) -> int:
    """A queued resolution to a new customer; the id of the message."""
    customer_id = add_customer(engine, address, **customer)
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id)
    queue(engine)
    return message_id


def queue(
    engine: Engine,
    now: datetime = NOW,
    company: Company | None = None,
    journal: Journal = NO_JOURNAL,
) -> Counter[Any]:
    company = company or make_company()
    merged = merge_waiting(engine, company=company, secret=SECRET, now=now)
    return merged + queue_planned(
        engine,
        (0, 10**9),
        company=company,
        secret=SECRET,
        public_url=PUBLIC_URL,
        journal=journal,
        now=now,
    )


def everywhere(channel: Channel) -> Channels:
    """This channel, whatever the message."""
    return dict.fromkeys(DeliveryChannel, channel)


def deliver(
    engine: Engine,
    channel: Channel,
    folder: Path,
    *,
    now: datetime = NOW,
    sender_id: str = "sender",
    company: Company | None = None,
    on_sent: OnSent = nothing_more,
    limit: int = 1000,
    clock: Callable[[], datetime] | None = None,
    channels: Channels | None = None,
) -> Counter[MessageState]:
    with liveness(engine, folder / "locks").hold(sender_id) as sender:
        return deliver_due(
            engine,
            channels or everywhere(channel),
            company=company or make_company(),
            secret=SECRET,
            sender=sender,
            journal=Journal(folder / "journal"),
            kill_switch=folder / "KILL_SWITCH",
            clock=clock or (lambda: now),
            rng=Random(1),
            limit=limit,
            on_sent=on_sent,
        )
