"""From what is planned to what a customer, a room or a store gets, by every way but mail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session, select
from typer.testing import CliRunner

from apps.cli.main import app
from notifications.allowlist import Channels
from notifications.chat import ChatChannel
from notifications.mailbox import MailboxChannel
from notifications.queueing import queue_planned
from notifications.recovery import recover
from notifications.reviews import ReviewChannel
from notifications.sms import TwilioChannel
from rehearsal.fakes.chat import FakeSlack
from rehearsal.fakes.review_consoles import FakeConsoles
from rehearsal.fakes.server import Fault, How
from rehearsal.fakes.twilio import FakeTwilio
from tasks import understand
from tasks.workplace import workplace
from tests.outbox_cases import (
    NO_JOURNAL,
    NOW,
    PUBLIC_URL,
    SECRET,
    add_customer,
    add_loop,
    deliver,
    make_company,
    make_engine,
    plan_follow_up,
    queue,
    ready_resolution,
    save,
    the_message,
)
from tests.story import Story, fake_models, write_company
from voc.actions import approval, loops, tickets
from voc.actions.route import has_console
from voc.arrivals import Page, RawFeedback, RawRating
from voc.company.follow_up import FollowUpPolicy
from voc.company.model import AlertRoute, Company
from voc.models import (
    Channel,
    Consent,
    DeliveryChannel,
    Feedback,
    Identity,
    IdentityKind,
    Link,
    Loop,
    Message,
    Purpose,
    RatingScale,
    Suppression,
    Ticket,
    TicketState,
)
from voc.models import MessageState as Is
from voc.rules.tokens import ReturnPurpose, read_return_token
from voc.settings import ReviewSettings, TwilioSettings
from voc.store.database import transaction

KIM = "+4915112345678"
BY_SMS = FollowUpPolicy(channels=("email", "sms"), cap_7_days=5, cap_30_days=5)
NAME = "accounts/1/locations/2/reviews/AbF"
REVIEWS = {
    "kind": "file",
    "id": "nps",
    "channel": "review",
    "path": "reviews.csv",
    "columns": {"text": "text", "id": "id"},
    "console": "google",
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as twilio:
        yield twilio


def sms_channel(twilio: FakeTwilio) -> TwilioChannel:
    login = {"account_sid": "AC123", "auth_token": "token", "sender": "+441234567890"}
    settings = TwilioSettings.model_validate({**login, "base_url": twilio.url, "timeout_s": 0.5})
    return TwilioChannel(settings, public_url=PUBLIC_URL)


def add_caller(engine: Engine) -> int:
    """A customer of whom we know nothing but a telephone, and who agreed to be written to there."""
    customer_id = add_customer(engine, None, consent=None, timezone="Europe/Berlin")
    with transaction(engine) as session:
        values = {"customer_id": customer_id, "at": NOW - timedelta(days=1)}
        save(session, Identity.model_validate({"kind": IdentityKind.PHONE, "value": KIM, **values}))
        agreed = {"purpose": Purpose.FOLLOW_UP_SMS, "granted": True, "how": "t"}
        save(session, Consent.model_validate(agreed | values))
    return customer_id


def planned_sms(engine: Engine) -> int:
    customer_id = add_caller(engine)
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id)
    queue(engine, company=make_company(BY_SMS))
    return message_id


def test_a_customer_with_a_telephone_alone_gets_a_text_message(
    engine: Engine, twilio: FakeTwilio, tmp_path: Path
) -> None:
    message_id = planned_sms(engine)
    company = make_company(BY_SMS)
    assert deliver(engine, sms_channel(twilio), tmp_path, company=company) == {Is.SENT: 1}
    message = the_message(engine, message_id)
    (taken,) = twilio.taken
    assert (message.channel, message.route) == (DeliveryChannel.SMS, "twilio")
    assert message.provider_id == taken.sid
    assert taken.to == KIM
    assert taken.body.encode() == message.content
    assert taken.body.startswith('Noodles & Söhne about "Great food but the courier was rude."')
    with transaction(engine) as session:
        assert {link.message_id for link in session.exec(select(Link))} == {message_id}


def test_a_lost_reply_of_the_provider_is_looked_up(
    engine: Engine, twilio: FakeTwilio, tmp_path: Path
) -> None:
    message_id = planned_sms(engine)
    twilio.misbehave(None, Fault(How.RESET))
    company = make_company(BY_SMS)
    deliver(engine, sms_channel(twilio), tmp_path, company=company)
    assert the_message(engine, message_id).state is Is.UNKNOWN
    with closing(sms_channel(twilio)) as channel:
        channels = {DeliveryChannel.SMS: channel}
        recover(engine, tmp_path / "locks", channels=channels, now=NOW)
    found = the_message(engine, message_id)
    assert (found.state, found.provider_id) == (Is.SENT, twilio.taken[0].sid)
    assert len(twilio.taken) == 1


def test_whoever_told_the_provider_to_stop_is_not_written_to_again(
    engine: Engine, twilio: FakeTwilio, tmp_path: Path
) -> None:
    twilio.refused[KIM] = 21610
    planned_sms(engine)
    company = make_company(BY_SMS)
    assert deliver(engine, sms_channel(twilio), tmp_path, company=company) == {Is.FAILED: 1}
    with transaction(engine) as session:
        assert [s.reason for s in session.exec(select(Suppression))] == ["stopped"]


def test_every_mail_gives_out_addresses_that_name_it_to_us_alone(engine: Engine) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id)
    queue_planned(
        engine,
        (0, 10**9),
        company=make_company(),
        secret=SECRET,
        public_url=PUBLIC_URL,
        reply_address="care@noodles.test",
        now=NOW,
        journal=NO_JOURNAL,
    )
    message = the_message(engine, message_id)
    mail = message_from_bytes(message.content or b"", policy=default)
    said = {
        ReturnPurpose.BOUNCE: message.envelope_sender or "",
        ReturnPurpose.REPLY: mail["Reply-To"].addresses[0].addr_spec,
        ReturnPurpose.UNSUBSCRIBE: mail["List-Unsubscribe"].split("<mailto:")[1].rstrip(">"),
    }
    for purpose, address in said.items():
        local, _, domain = address.partition("@")
        assert domain == "noodles.test"
        assert len(local) <= 64
        token = local.removeprefix(f"care+{purpose}-")
        assert read_return_token(SECRET, purpose, token.upper()) == message_id
        for other in set(ReturnPurpose) - {purpose}:
            assert read_return_token(SECRET, other, token) is None
    assert mail["From"].addresses[0].addr_spec == "care@noodles.test"


@pytest.mark.parametrize("token", ["", "x", "a" * 24, "é" * 24, "7" * 1000])
def test_a_token_that_we_never_made_names_nothing(token: str) -> None:
    assert read_return_token(SECRET, ReturnPurpose.BOUNCE, token) is None


def test_a_department_is_alerted_by_mail_and_in_its_rooms(engine: Engine, tmp_path: Path) -> None:
    _, ticket_id = add_loop(engine, add_customer(engine), state=TicketState.OPEN, action=None)
    company = make_company()
    owners = company.department("logistics").owners
    rooms = [AlertRoute(name="depot_room", channel="slack")]
    for _ in range(2):  # causing it again plans nothing more
        with transaction(engine) as session:
            ticket = session.get_one(Ticket, ticket_id)
            step = "opened.1"
            tickets.alert(session, ticket, "ticket_opened", step, owners, rooms=rooms, now=NOW)
    queue(engine)
    mailbox = MailboxChannel(tmp_path / "mailbox")
    with FakeSlack() as slack:
        url = SecretStr(f"{slack.url}/services/T/B/s3cret")
        channels: Channels = {
            DeliveryChannel.EMAIL: mailbox,
            DeliveryChannel.SLACK: ChatChannel("slack", {"depot_room": url}),
        }
        deliver(engine, mailbox, tmp_path, channels=channels)
        assert [room for room, _ in slack.posted] == ["s3cret"]
    alert = the_message(engine, channel=DeliveryChannel.SLACK)
    assert (alert.state, alert.route) == (Is.SENT, "slack:depot_room")
    assert alert.address == "depot_room"
    assert b"s3cret" not in (alert.content or b"")
    assert the_message(engine, channel=DeliveryChannel.EMAIL).state is Is.SENT


def review_of(engine: Engine) -> tuple[Company, int]:
    """A company that answers reviews, and the planned reply to one."""
    company = make_company(FollowUpPolicy(review_replies=True))
    company = Company.model_validate({**company.model_dump(mode="json"), "sources": [REVIEWS]})
    loop_id, _ = add_loop(engine, add_customer(engine, None), state=TicketState.OPEN, action=None)
    with transaction(engine) as session:
        piece = _the_piece(session, loop_id)
        piece.channel, piece.external_id, piece.rating = Channel.REVIEW, NAME, 1
        session.add(piece)
        assert has_console(piece, company)
        assert not has_console(piece, make_company())
        assert loops.plan_review_reply(session, session.get_one(Loop, loop_id), now=NOW)
    return company, the_message(engine, step="review_reply").id or 0


def _the_piece(session: Session, loop_id: int) -> Feedback:
    return session.get_one(Feedback, session.get_one(Loop, loop_id).feedback_id)


def test_a_public_reply_waits_for_a_person_and_then_stands_below_its_review(
    engine: Engine, tmp_path: Path
) -> None:
    company, message_id = review_of(engine)
    queue(engine, company=company)
    waiting = the_message(engine, message_id)
    assert (waiting.state, waiting.reason) == (Is.HELD, "needs_approval")
    with FakeConsoles() as consoles:
        settings = {"google_token": "token", "google_url": consoles.url}
        channel = ReviewChannel(ReviewSettings.model_validate(settings))
        assert deliver(engine, channel, tmp_path, company=company) == {}
        with transaction(engine) as session:
            approval.approve(session, message_id, seen=None, actor="ola", now=NOW)
        assert deliver(engine, channel, tmp_path, company=company) == {Is.SENT: 1}
        assert consoles.replies == {NAME: (waiting.content or b"").decode()}
    reply = the_message(engine, message_id)
    assert (reply.route, reply.address) == ("google", f"google:{NAME}")
    assert "care@noodles.test" in consoles.replies[NAME]
    assert "courier" not in consoles.replies[NAME]


def test_a_reply_that_no_console_could_take_says_why_and_is_not_written(engine: Engine) -> None:
    company, message_id = review_of(engine)
    with transaction(engine) as session:
        loop_id = session.get_one(Message, message_id).loop_id or 0
        piece = _the_piece(session, loop_id)
        piece.external_id = "row-12"
        session.add(piece)
    queue(engine, company=company)
    message = the_message(engine, message_id)
    assert message.state is Is.DEAD
    assert "columns.id must be the console's own" in (message.reason or "")


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A shop that is alerted in a room, and answers reviews."""
    write_company(home)
    file = home / "voc.yaml"
    text = file.read_text(encoding="utf-8")
    for plain, changed in {
        "id: delivery\n": "id: delivery\n    alerts: [{name: dee_room, channel: slack}]\n",
        "channel: survey": "channel: review, console: google",
        "columns: {text: text}": "columns: {text: text, id: id}",
        "cap_7_days: 9": "cap_7_days: 9, review_replies: true",
    }.items():
        assert plain in text
        text = text.replace(plain, changed)
    file.write_text(text, encoding="utf-8")
    place = workplace()
    models = fake_models(place.company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    return Story(place)


def test_a_review_alerts_the_room_and_drafts_a_public_reply(shop: Story) -> None:
    review = RawFeedback(
        external_id=NAME,
        verbatim="The parcel came late.",
        said_at=shop.now,
        channel=Channel.REVIEW,
        rating=RawRating(value=1, scale=RatingScale.STARS),
        name="Kim Lee",
    )
    shop.collects(Page(items=[review], cursor="1"))
    shop.runs()
    reply = next(m for m in shop.rows(Message) if m.channel is DeliveryChannel.REVIEW)
    assert (reply.state, reply.reason) == (Is.HELD, "needs_approval")
    assert reply.address == f"google:{NAME}"
    assert b"parcel" not in (reply.content or b"")
    sent = {(m.channel, m.recipient) for m in shop.rows(Message) if m.state is Is.SENT}
    assert sent == {
        (DeliveryChannel.EMAIL, "dee@corner.example"),
        (DeliveryChannel.SLACK, "dee_room"),
    }
    assert shop.broken_books() == []


def test_checking_the_company_file_names_rooms_without_an_address(shop: Story) -> None:
    checked = CliRunner().invoke(app, ["check"])
    assert checked.exit_code == 0, checked.output
    assert "departments.0.alerts.0: VOC_ALERT_URLS has no address for 'dee_room'" in checked.stderr


def test_a_mail_to_a_customer_needs_no_approval_here(engine: Engine) -> None:
    assert the_message(engine, ready_resolution(engine)).state is Is.QUEUED
