"""Other programs are told what happened: signed, each event once, whatever breaks."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select
from standardwebhooks import Webhook

from rehearsal.fakes.server import Answer, Asked, FakeService, Fault, How
from tasks import follow_up
from tests.story import COMPANY, Story, story_in, write_company
from voc.actions.webhooks import plan_news
from voc.arrivals import Page
from voc.company.load import load_company
from voc.models import (
    Breaker,
    DeliveryChannel,
    LoopState,
    Message,
    MessageState,
    TicketEvent,
    WebhookCursor,
)
from voc.settings import Settings
from voc.store.database import transaction
from voc.store.events import newest

SECRET = "whsec_" + b64encode(b"a secret that we share with crm").decode()
LATE = "The parcel came late and the courier was rude."
WEBHOOKS = """
webhooks:
  - {name: crm, events: [ticket.opened, ticket.resolved, loop.told]}
"""


class Receiver(FakeService):
    """Somebody else's program: checks the signature, and keeps what it has not got yet."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, dict[str, Any]] = {}
        self.posts: list[Asked] = []

    def respond(self, asked: Asked) -> Answer:
        self.posts.append(asked)
        told = Webhook(SECRET).verify(asked.body, dict(asked.headers))
        self.kept.setdefault(asked.headers["webhook-id"], told)
        return Answer(200, b"stored, thank you")

    @property
    def types(self) -> list[str]:
        return [told["type"] for told in self.kept.values()]


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@contextmanager
def shop(
    folder: Path, patch: pytest.MonkeyPatch, url: str, text: str = COMPANY + WEBHOOKS
) -> Iterator[Story]:
    patch.setenv("VOC_DELIVERY", "allowlist")
    patch.setenv("VOC_DELIVERY_ALLOWLIST", '["crm"]')
    patch.setenv("VOC_WEBHOOKS__CRM__URL", f"{url}/voc?key=s3cret")
    patch.setenv("VOC_WEBHOOKS__CRM__SECRET", SECRET)
    with story_in(folder, text) as story:
        story.runs()  # from here on it is told
        yield story


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crm: Receiver) -> Iterator[Story]:
    with shop(tmp_path, monkeypatch, crm.url) as story:
        yield story


def news(story: Story) -> list[Message]:
    with transaction(story.place.engine) as session:
        query = select(Message).where(Message.channel == DeliveryChannel.WEBHOOK)
        return list(session.exec(query.order_by(Message.id)))  # type: ignore[arg-type]


def test_a_program_is_told_what_it_asked_for_in_the_order_of_the_ledger(
    story: Story, crm: Receiver
) -> None:
    story.says(LATE, rating=2)
    story.runs()
    story.wait(days=2)
    story.resolves(story.ticket())
    story.runs()
    story.wait(minutes=5)
    story.runs()  # the reply went in the last run: now the loop's end is in the ledger

    assert crm.types == [
        "vocloop.ticket.opened.v1",
        "vocloop.ticket.resolved.v1",
        "vocloop.loop.told.v1",
    ]
    opened = crm.posts[0]
    assert opened.headers["content-type"] == "application/cloudevents+json"
    told = json.loads(opened.body)
    with transaction(story.place.engine) as session:
        event = session.get_one(TicketEvent, int(told["sequence"]))
    assert told == {
        "specversion": "1.0",
        "id": event.hash,
        "source": "http://127.0.0.1:8321",
        "type": "vocloop.ticket.opened.v1",
        "subject": "tickets/1",
        "time": "2026-03-02T09:00:00Z",
        "datacontenttype": "application/json",
        "sequence": f"{event.id:012d}",
        "data": {"ticket": 1, "loop": 1, "code": "delivery"},
    }
    assert story.broken_books() == []


def test_no_event_holds_a_word_or_an_address(story: Story, crm: Receiver) -> None:
    story.says(LATE, rating=2)
    story.runs()
    story.resolves(story.ticket())
    story.runs()
    sent = b"".join(post.body for post in crm.posts).decode()
    for secret in ("parcel", "courier", "kim@", "dee@", "broken", "mended", "s3cret"):
        assert secret not in sent


FAULTS = (
    Fault(How.STATUS, status=500),
    Fault(How.STATUS, status=400),
    Fault(How.STATUS, status=302, headers={"Location": "http://127.0.0.1:1/else"}),
    Fault(How.RESET),  # it has stored it, and hangs up
    Fault(How.SHORT),
)


def test_what_is_in_doubt_is_sent_again_and_the_receiver_knows_it_again(
    story: Story, crm: Receiver
) -> None:
    for number, fault in enumerate(FAULTS, 1):
        crm.misbehave(fault)
        story.says(f"{LATE} Number {number}.", rating=2, email=f"kim{number}@example.com")
        story.runs()
        assert news(story)[-1].state is MessageState.QUEUED, fault

        story.wait(minutes=5)
        story.runs()

        assert news(story)[-1].state is MessageState.SENT, fault
        first, second = crm.posts[-2:]
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert crm.types == ["vocloop.ticket.opened.v1"] * number
    assert story.broken_books() == []


def test_a_program_that_is_away_holds_up_nobody_and_misses_nothing(
    story: Story, crm: Receiver
) -> None:
    crm.always = Fault(How.STATUS, status=404, unseen=True)
    story.says(LATE, rating=2)
    story.says("My invoice was charged twice.", email="lee@example.com", rating=1)
    story.runs()
    assert {message.state for message in news(story)} == {MessageState.QUEUED}
    assert len(crm.requests) == 1  # the second one does not knock at a closed door
    assert story.mails(to="dee@corner.example")
    with transaction(story.place.engine) as session:
        (breaker,) = session.exec(select(Breaker)).all()
    assert breaker.provider == "webhook:crm"
    assert "s3cret" not in breaker.reason

    crm.always = None
    story.wait(hours=2)
    story.runs()
    assert crm.types == ["vocloop.ticket.opened.v1"] * 2


def test_planning_again_or_after_a_crash_plans_nothing_twice_and_loses_nothing(
    story: Story, crm: Receiver
) -> None:
    story.says(LATE, rating=2)
    story.runs()
    company, engine = story.place.company, story.place.engine
    with Session(engine) as session:  # from the beginning, as if the cursor had been lost
        session.merge(WebhookCursor(webhook="crm", event_id=0, moved_at=story.now))
        assert plan_news(session, company, now=story.now) == (0, False)
    story.resolves(story.ticket())
    with Session(engine) as session:  # it ends without a commit
        assert plan_news(session, company, now=story.now) == (1, False)
    with transaction(engine) as session:
        assert plan_news(session, company, now=story.now) == (1, False)
        assert plan_news(session, company, now=story.now) == (0, False)
        assert session.get_one(WebhookCursor, "crm").event_id == newest(session)
    assert len({(m.subject, m.step) for m in news(story)}) == 2


def test_a_long_backlog_is_planned_in_pieces(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voc.actions.webhooks.BATCH", 1)
    story.says(LATE, rating=2)
    story.says("My invoice was charged twice.", email="lee@example.com", rating=1)
    story.runs()
    planned = follow_up.plan_due.fn(story.now)
    assert planned.get("news", 0) == 0
    assert len(news(story)) == 2


def test_whoever_is_new_is_told_of_what_happens_from_now_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crm: Receiver
) -> None:
    (tmp_path / "other").mkdir()
    with shop(tmp_path, monkeypatch, crm.url, COMPANY) as story:
        story.says(LATE, rating=2)
        story.runs()
        company = load_company(write_company(tmp_path / "other", COMPANY + WEBHOOKS))
        with transaction(story.place.engine) as session:
            assert plan_news(session, company, now=story.now) == (0, False)
        with transaction(story.place.engine) as session:  # and whoever leaves is forgotten
            plan_news(session, story.place.company, now=story.now)
            assert session.exec(select(WebhookCursor)).all() == []


def test_nothing_is_sent_while_the_kill_switch_is_set(story: Story, crm: Receiver) -> None:
    story.place.settings.kill_switch.touch()
    story.says(LATE, rating=2)
    story.runs()
    assert crm.requests == []
    assert [m.state for m in news(story)] == [MessageState.HELD]
    story.place.settings.kill_switch.unlink()
    story.runs()
    assert crm.types == ["vocloop.ticket.opened.v1"]


def test_where_nobody_may_be_written_to_events_are_kept_in_the_mailbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOC_DELIVERY", "off")
    with story_in(tmp_path, COMPANY + WEBHOOKS) as story:
        story.runs()
        story.says(LATE, rating=2)
        story.runs()
        (kept,) = story.place.settings.mailbox.glob("*/*.json")
        assert json.loads(kept.read_text())["to"] == "crm"


def test_erasing_what_a_customer_said_takes_no_news_back(story: Story, crm: Receiver) -> None:
    crm.always = Fault(How.STATUS, status=500)
    key = story.says(LATE, rating=2)
    story.runs()
    story.collects(Page(items=[], cursor="gone", deleted=[key]))
    assert story.loop().state is LoopState.NOT_ACTIONABLE
    crm.always = None
    story.wait(minutes=5)
    story.runs()
    assert "vocloop.ticket.opened.v1" in crm.types


@pytest.mark.parametrize(
    "target",
    [
        {"url": "http://crm.example/hook", "secret": SECRET},
        {"url": "ftp://crm.example/hook", "secret": SECRET},
        {"url": "https:///hook", "secret": SECRET},
        {"url": "https://crm.example/hook", "secret": "whsec_c2hvcnQ="},
        {"url": "https://crm.example/hook", "secret": "no base64 at all, but long"},
    ],
)
def test_an_address_or_a_secret_that_is_not_safe_is_refused(target: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must"):
        Settings.model_validate({"webhooks": {"crm": target}})
