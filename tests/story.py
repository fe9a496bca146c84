"""A small shop that a test can let live: customers say things, owners act, days pass.

The stages are the real ones, called as plain functions; only the models are stand-ins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, select

from nlp.reader import SeparateReader
from nlp.topics import Subject, SubjectModel
from nlp.understand import Models
from notifications.mailbox import MailboxChannel
from tasks import close, follow_up, ledger, route, understand
from tasks.door import build_door
from tasks.workplace import Workplace, workplace
from tests.nlp_fakes import FakeDetector, FakeEncoder, FakeSentiment
from voc.actions import collect, tickets
from voc.arrivals import Page, RawFeedback, RawIdentity, RawRating
from voc.company import Company
from voc.models import (
    Channel,
    IdentityKind,
    Loop,
    Message,
    MessageState,
    RatingScale,
    Ticket,
)
from voc.settings import get_settings
from voc.store.database import transaction
from voc.store.verify import verify

Row = TypeVar("Row", bound=SQLModel)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday

COMPANY = """
company:
  name: Corner Shop
  sender: Corner Shop <care@corner.example>
  postal_address: 1 Corner Street, London
departments:
  - id: delivery
    name: Delivery
    description: parcel courier delivery late
    owners: [{name: Dee, email: dee@corner.example}]
    escalation: [{name: Boss, email: boss@corner.example}]
  - id: billing
    name: Billing
    description: refund charged invoice money
    owners: [{name: Bill, email: bill@corner.example}]
  - id: triage
    name: Triage
    description: the rest
    owners: [{name: Tess, email: tess@corner.example}]
topics:
  - {id: late_parcel, department: delivery, description: late parcel courier}
  - {id: wrong_charge, department: billing, description: wrong refund charged money}
sources:
  - {id: box, kind: file, channel: survey, path: "inbox/*.csv", columns: {text: text}}
follow_up: {cap_7_days: 9, cap_30_days: 99}
"""


def fake_models(company: Company) -> Models:
    """Models that a test can predict: words decide."""
    encoder = FakeEncoder()
    subjects = [
        Subject(id=t.id, department=t.department, texts=(t.description,)) for t in company.topics
    ]
    departments = {d.id: (d.description,) for d in company.departments if d.id != "triage"}
    return Models(
        detector=FakeDetector(),
        reader=SeparateReader(encoder, FakeSentiment()),
        subjects=SubjectModel(subjects, departments, encoder),
    )


@dataclass
class Story:
    """One company's life, told by a test."""

    place: Workplace
    now: datetime = START
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def says(
        self,
        text: str,
        *,
        rating: float | None = None,
        email: str | None = "kim@example.com",
        consent: bool | None = True,
        external_id: str | None = None,
    ) -> str:
        """A customer says something; it is collected at once."""
        key = external_id or f"f{next(self._numbers)}"
        item = RawFeedback(
            external_id=key,
            verbatim=text,
            said_at=self.now,
            channel=Channel.SURVEY,
            rating=None if rating is None else RawRating(value=rating, scale=RatingScale.NPS),
            identities=(RawIdentity(kind=IdentityKind.EMAIL, value=email),) if email else (),
            name="Kim Lee",
            consent=consent,
        )
        self.collects(Page(items=[item], cursor=key))
        return key

    def collects(self, page: Page) -> Counter[str]:
        return collect.store_page(
            self.place.engine, "box", page, build_door(self.place), now=self.now
        )

    def routes(self) -> None:
        """What was said is read, and is somebody's ticket."""
        understand.understand_range.fn(0, 10**9)
        route.take_in_strays.fn(self.now)
        route.route_range.fn(0, 10**9, self.now)

    def runs(self) -> None:
        """All stages once, in order."""
        self.routes()
        follow_up.recover_messages.fn(self.now)
        follow_up.plan_due.fn(self.now)
        follow_up.render_planned.fn(self.now)
        follow_up.deliver.fn(10_000, self.now)
        close.apply_events.fn(self.now)
        close.take_in_answers.fn(self.now)
        close.end_loops.fn(self.now)
        ledger.anchor_ledger.fn(self.now)

    def resolves(self, ticket: Ticket, action: str = "We mended it.") -> None:
        with transaction(self.place.engine) as session:
            tickets.resolve(
                session,
                ticket.id or 0,
                root_cause="It was broken.",
                action_taken=action,
                actor="dee@corner.example",
                now=self.now,
            )

    def rows(self, model: type[Row]) -> list[Row]:
        with transaction(self.place.engine) as session:
            return list(session.exec(select(model).order_by(*sa.inspect(model).primary_key)))

    def loop(self) -> Loop:
        (loop,) = self.rows(Loop)
        return loop

    def ticket(self) -> Ticket:
        (ticket,) = self.rows(Ticket)
        return ticket

    def mails(self, subject: str = "", to: str = "") -> list[str]:
        """The text parts of the mails in the mailbox, by a pattern of subject and recipient."""
        found = []
        mailbox = MailboxChannel(self.place.settings.mailbox)
        sent = [row for row in self.rows(Message) if row.state is MessageState.SENT]
        for row in sorted(sent, key=lambda row: (row.settled_at, row.id)):
            path = mailbox.find(row.message_id or "")
            assert path is not None, "sent, but not in the mailbox"
            mail = message_from_bytes(path.read_bytes(), policy=default)
            body = mail.get_body(preferencelist=("plain",))
            if re.search(subject, mail["Subject"]) and to in mail["To"] and body:
                found.append(body.get_content())
        return found

    def broken_books(self) -> list[str]:
        with transaction(self.place.engine) as session:
            findings = verify(session, self.place.journal.heads())
            return [str(finding) for finding in findings.values() if finding]


def write_company(folder: Path, text: str = COMPANY) -> Path:
    path = folder / "voc.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def story_in(home: Path, company: str = COMPANY) -> Iterator[Story]:
    """A story for several tests that only read what became of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(home))
        get_settings.cache_clear()
        workplace.cache_clear()
        write_company(home, company)
        story = Story(workplace())
        patch.setattr(understand, "build_models", lambda _: fake_models(story.place.company))
        yield story
        story.place.engine.dispose()
        get_settings.cache_clear()
        workplace.cache_clear()
