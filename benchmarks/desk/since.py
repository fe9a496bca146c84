"""What has happened to a ticket of made-up books since it was opened, beside what always does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from voc.models import (
    Answer,
    AuditEntry,
    Message,
    MessageKind,
    MessageState,
    Quarantine,
    TicketComment,
    Verdict,
)
from voc.rules.contact import Why

ODD_STATES = (
    MessageState.UNKNOWN,
    MessageState.ABANDONED,
    MessageState.HELD,
    MessageState.FAILED,
    MessageState.DEAD,
    MessageState.BOUNCED,
    MessageState.SUPPRESSED,
    MessageState.EXPIRED,
    MessageState.PLANNED,
)
ODD_EVERY = 20  # one ticket in so many has a message in one of these states
ANSWERED, UNCLEAR, COMMENTED = 0.3, 0.01, 0.2
HELD_FOR = (Why.NEEDS_APPROVAL, Why.BY_HAND, Why.KILL_SWITCH, Why.HOLD_OUT)
REASONS = ("nothing said", "no date", "no id")


def happened(
    ticket: int, customer: int, opened: datetime
) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    """Rows about one ticket and its loop, which has the same number."""
    rng, at = random.Random(-ticket), opened + timedelta(minutes=4)
    if rng.random() < ANSWERED:
        is_unclear = rng.random() < UNCLEAR
        yield (
            Answer,
            {
                "loop_id": ticket,
                "round": 1,
                "verdict": Verdict.UNCLEAR if is_unclear else Verdict.SOLVED,
                "words": "Thanks for asking." if is_unclear else None,
                "at": at,
                "applied_at": None if is_unclear else at,
                "way": "mail" if is_unclear else "page",
            },
        )
    if rng.random() < COMMENTED:
        said = {"author": "lee@company.example", "words": "Asked the carrier.", "at": at}
        yield TicketComment, {"ticket_id": ticket, **said}
    owner = f"owner{ticket % 50}@company.example"
    saw = {"deed": "saw", "subject": f"ticket:{ticket}", "detail": "", "at": at}
    yield AuditEntry, {"actor": owner, **saw}
    if ticket % ODD_EVERY == 0:
        yield Message, _odd_message(rng, ticket, customer, at)
        yield (
            Quarantine,
            {
                "source": "survey",
                "place": f"survey.csv line {ticket}",
                "reason": rng.choice(REASONS),
                "raw_hash": f"{ticket:064}",
                "raw_encrypted": b"sealed",
                "at": at,
                "state": "waiting",
            },
        )


def _odd_message(rng: random.Random, ticket: int, customer: int, at: datetime) -> dict[str, object]:
    state = rng.choice(ODD_STATES)
    return {
        "subject": f"loop:{ticket}",
        "step": "reminder.1",
        "channel": "email",
        "recipient": f"customer:{customer}",
        "kind": MessageKind.FOLLOW_UP,
        "template": "reminder",
        "customer_id": customer,
        "loop_id": ticket,
        "ticket_id": None,
        "state": state,
        "reason": rng.choice(HELD_FOR) if state is MessageState.HELD else "made_up",
        "planned_at": at,
        "not_before": at,
        "settled_at": at,
        "attempts": 1,
        "needs_approval": state is MessageState.HELD,
    }
