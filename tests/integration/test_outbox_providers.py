"""Providers that are down, lose replies, or can be asked: what the outbox does about each."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from notifications.channel import Capability, ChannelDownError, Envelope
from notifications.mailbox import MailboxChannel
from notifications.recovery import long_in_doubt, recover
from notifications.settling import MOST_DOUBTS
from notifications.smtp import SmtpChannel
from tests.outbox_cases import (
    NOW,
    POLICY,
    add_customer,
    add_loop,
    deliver,
    everywhere,
    make_company,
    make_engine,
    plan_alert,
    queue,
    ready_resolution,
    states,
    the_message,
)
from tests.smtp_fakes import FaultySmtpServer
from voc.errors import NotSentError, UnconfirmedError
from voc.journal import Journal
from voc.models import Breaker, DeliveryChannel, Message, MessageKind, TicketEvent
from voc.models import MessageState as Is
from voc.settings import SmtpSettings
from voc.store import breakers, outbox
from voc.store.database import transaction

MINUTE = timedelta(minutes=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path)
    yield engine
    engine.dispose()


class Provider(MailboxChannel):
    """Does with each message what the next of its moods says, and remembers."""

    def __init__(self, folder: Path, *moods: str, capability: Capability) -> None:
        super().__init__(folder)
        self.moods = list(moods)
        self.capability = capability
        self.tried: list[str] = []
        self.knows: dict[str, str] = {}

    def route_for(self, recipient: str) -> str:
        return "provider"

    def capability_of(self, route: str) -> Capability:
        return self.capability

    def prepare(self, mail: Envelope) -> None:
        if self.moods and self.moods[0] == "down":
            self.moods.pop(0)
            self.tried.append("down")
            raise ChannelDownError("535 when connecting")
        if self.moods and self.moods[0] == "odd":
            raise ValueError(mail.recipient)

    def hand_over(self, mail: Envelope) -> str:
        mood = self.moods.pop(0) if self.moods else "ok"
        self.tried.append(mood)
        if mood == "bug":
            raise KeyError(mail.recipient)
        if mood == "lost":
            raise UnconfirmedError("ReadTimeout")
        if mood == "later":
            raise NotSentError("HTTP 429", 7200)
        return "P1"

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return self.knows.get(mail.message_id)


def neither(tmp_path: Path, *moods: str) -> Provider:
    return Provider(tmp_path / "mailbox", *moods, capability=Capability.NEITHER)


def history(engine: Engine, message_id: int) -> list[tuple[str, str]]:
    with transaction(engine) as session:
        return [(e.kind.value, e.detail) for e in outbox.history(session, message_id)]


def asked_again(
    engine: Engine, tmp_path: Path, channel: Provider, now: datetime = NOW
) -> dict[Is, int]:
    return recover(engine, tmp_path / "locks", channels=everywhere(channel), now=now)


@pytest.mark.parametrize("mood", ["bug", "lost"])
def test_an_error_that_says_nothing_leaves_the_message_in_doubt(
    engine: Engine, tmp_path: Path, mood: str
) -> None:
    message_id = ready_resolution(engine)
    assert deliver(engine, neither(tmp_path, mood), tmp_path) == {Is.UNKNOWN: 1}
    message = the_message(engine, message_id)
    assert "kim@" not in (message.reason or "")
    assert [kind for kind, _ in history(engine, message_id)] == ["message_sending", "message_ended"]
    assert Journal(tmp_path / "journal").times_handed_over().total() == 1
    assert deliver(engine, neither(tmp_path), tmp_path) == {}


def test_an_odd_error_before_anything_was_handed_over_is_no_doubt_and_stops_nobody(
    engine: Engine, tmp_path: Path
) -> None:
    ready_resolution(engine, "odd@customer.test")
    channel = neither(tmp_path, "odd")
    assert deliver(engine, channel, tmp_path) == {Is.QUEUED: 1}
    assert the_message(engine).reason == "unexpected ValueError before handing over"
    assert Journal(tmp_path / "journal").times_handed_over() == {}


def test_a_provider_that_drops_repetitions_is_asked_once_more(
    engine: Engine, tmp_path: Path
) -> None:
    channel = Provider(tmp_path / "mailbox", "lost", capability=Capability.IDEMPOTENT)
    message_id = ready_resolution(engine)
    assert deliver(engine, channel, tmp_path) == {Is.QUEUED: 1}
    later = the_message(engine, message_id).not_before
    assert NOW < later <= NOW + MINUTE
    assert deliver(engine, channel, tmp_path, now=later) == {Is.SENT: 1}
    assert history(engine, message_id)[-1] == ("message_sent", "P1")


def test_a_provider_that_can_be_asked_is_asked_until_it_knows(
    engine: Engine, tmp_path: Path
) -> None:
    channel = Provider(tmp_path / "mailbox", "lost", capability=Capability.LOOKUP)
    message_id = ready_resolution(engine)
    deliver(engine, channel, tmp_path)
    assert asked_again(engine, tmp_path, channel) == {}
    assert the_message(engine, message_id).state is Is.UNKNOWN
    channel.knows[the_message(engine, message_id).message_id or ""] = "P9"
    assert asked_again(engine, tmp_path, channel) == {Is.SENT: 1}
    assert the_message(engine, message_id).provider_id == "P9"


def test_doubt_alarms_after_a_quarter_of_an_hour_and_is_given_up_after_three_days(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    channel = neither(tmp_path, "lost")
    message_id = ready_resolution(engine)
    deliver(engine, channel, tmp_path)
    assert long_in_doubt(engine, now=NOW + 14 * MINUTE) == 0
    assert caplog.messages == []
    assert long_in_doubt(engine, now=NOW + 15 * MINUTE) == 1
    assert f": {message_id} (" in caplog.text
    assert "kim@" not in caplog.text
    days = timedelta(days=1)
    assert asked_again(engine, tmp_path, channel, NOW + 3 * days - MINUTE) == {}
    assert asked_again(engine, tmp_path, channel, NOW + 3 * days) == {Is.ABANDONED: 1}
    assert deliver(engine, channel, tmp_path, now=NOW + 4 * days) == {}


def test_who_asks_us_to_wait_is_not_asked_earlier(engine: Engine, tmp_path: Path) -> None:
    message_id = ready_resolution(engine)
    assert deliver(engine, neither(tmp_path, "later"), tmp_path) == {Is.QUEUED: 1}
    assert the_message(engine, message_id).not_before == NOW + timedelta(hours=2)
    assert Journal(tmp_path / "journal").times_handed_over() == {}  # it said clearly: not taken


def test_a_mail_server_that_names_a_time_is_believed(engine: Engine, tmp_path: Path) -> None:
    with FaultySmtpServer() as server:
        channel = SmtpChannel(SmtpSettings(host="127.0.0.1", port=server.port))
        message_id = ready_resolution(engine, "rcpt_450_in_an_hour@customer.test")
        assert deliver(engine, channel, tmp_path) == {Is.QUEUED: 1}
        assert the_message(engine, message_id).not_before == NOW + timedelta(hours=1)


def test_a_provider_that_is_down_is_left_alone_longer_and_longer(
    engine: Engine, tmp_path: Path
) -> None:
    for n in range(3):
        ready_resolution(engine, f"c{n}@customer.test")
    channel = neither(tmp_path, *["down"] * 6)
    now, pauses = NOW, []
    for _ in range(6):
        assert deliver(engine, channel, tmp_path, now=now) == {Is.QUEUED: 1}
        with transaction(engine) as session:
            breaker = session.get_one(Breaker, "provider")
        assert deliver(engine, channel, tmp_path, now=now) == {Is.QUEUED: 1}  # nobody is tried
        assert breaker.open_until is not None
        pauses.append((breaker.open_until - now) / MINUTE)
        now = breaker.open_until
    assert len(channel.tried) == 6
    assert pauses == [1, 5, 15, 30, 60, 60]
    assert breaker.reason == "535 when connecting"
    assert deliver(engine, channel, tmp_path, now=now) == {Is.SENT: 3}
    with transaction(engine) as session:
        assert breakers.open_ones(session) == []
        assert {m.attempts for m in session.exec(select(Message))} == {0}


def test_other_channels_go_on_while_one_is_down(engine: Engine, tmp_path: Path) -> None:
    for n in range(2):
        ready_resolution(engine, f"c{n}@customer.test")
    for ticket_id in (1, 2):
        plan_alert(engine, ticket_id, step="something_new")
    queue(engine)
    with transaction(engine) as session:
        for alert in session.exec(select(Message).where(Message.kind == MessageKind.ALERT)):
            alert.channel, alert.content = DeliveryChannel.SLACK, b"{}"
    down = neither(tmp_path, "down")
    mailbox = MailboxChannel(tmp_path / "mailbox")
    channels = {DeliveryChannel.EMAIL: down, DeliveryChannel.SLACK: mailbox}
    assert deliver(engine, down, tmp_path, channels=channels) == {Is.QUEUED: 1, Is.SENT: 2}
    assert states(engine) == {Is.QUEUED: 2, Is.SENT: 2}


def test_a_room_that_is_gone_does_not_keep_the_alerts_of_others_waiting(
    engine: Engine, tmp_path: Path
) -> None:
    for n in range(3):
        _, ticket_id = add_loop(engine, add_customer(engine, f"c{n}@customer.test"))
        plan_alert(engine, ticket_id, step="something_new")
    queue(engine)
    with transaction(engine) as session:
        for alert in session.exec(select(Message)):
            alert.channel, alert.content = DeliveryChannel.SLACK, b"{}"
            alert.address = "kitchen" if alert.ticket_id == 3 else "gone"

    class Rooms(Provider):
        def route_for(self, recipient: str) -> str:
            return f"slack:{recipient}"

        def prepare(self, mail: Envelope) -> None:
            if mail.recipient == "gone":
                self.tried.append("gone")
                raise ChannelDownError("HTTP 404")

    rooms = Rooms(tmp_path / "mailbox", capability=Capability.NEITHER)
    assert deliver(engine, rooms, tmp_path) == {Is.QUEUED: 2, Is.SENT: 1}
    assert rooms.tried == ["gone", "ok"]


def test_what_ruins_every_try_of_a_provider_does_not_ruin_it_for_the_others(
    engine: Engine, tmp_path: Path
) -> None:
    for name in ("odd", "kim", "lee"):
        ready_resolution(engine, f"{name}@customer.test")

    class Picky(Provider):
        def prepare(self, mail: Envelope) -> None:
            if mail.recipient.startswith("odd"):
                raise ChannelDownError("555 at MAIL")

    channel = Picky(tmp_path / "mailbox", capability=Capability.NEITHER)
    assert deliver(engine, channel, tmp_path) == {Is.QUEUED: 1}
    later = NOW + MINUTE
    assert deliver(engine, channel, tmp_path, now=later) == {Is.QUEUED: 1, Is.SENT: 2}


def test_a_provider_that_loses_every_reply_is_left_alone_before_all_is_in_doubt(
    engine: Engine, tmp_path: Path
) -> None:
    for n in range(MOST_DOUBTS + 2):
        ready_resolution(engine, f"c{n}@customer.test")
    channel = neither(tmp_path, *["lost"] * (MOST_DOUBTS + 1))
    assert deliver(engine, channel, tmp_path) == {Is.UNKNOWN: MOST_DOUBTS}
    later = NOW + MINUTE
    assert deliver(engine, channel, tmp_path, now=later) == {Is.UNKNOWN: 1}  # its trial
    assert deliver(engine, channel, tmp_path, now=later + 5 * MINUTE) == {Is.SENT: 1}
    with transaction(engine) as session:
        assert breakers.open_ones(session) == []


def test_after_the_pause_one_sender_tries_and_the_others_wait(engine: Engine) -> None:
    with transaction(engine) as session:
        until = breakers.has_failed(session, "provider", reason="down", now=NOW)
    with transaction(engine) as session:
        assert breakers.ask(session, "provider", NOW).until == until
        assert breakers.ask(session, "provider", until).on_trial
    with transaction(engine) as session:
        assert breakers.ask(session, "provider", until).until == until + breakers.TRY


def test_a_long_drain_does_not_send_into_the_quiet_hours(engine: Engine, tmp_path: Path) -> None:
    quiet = {"quiet_from": time(20), "quiet_until": time(8)}
    company = make_company(POLICY.model_copy(update=quiet))
    for n in range(2):
        ready_resolution(engine, f"c{n}@customer.test", timezone="UTC")
    moments = [NOW]

    class TakesHours(MailboxChannel):
        def hand_over(self, mail: Envelope) -> str:
            moments.append(NOW + timedelta(hours=12))
            return super().hand_over(mail)

    channel = TakesHours(tmp_path / "mailbox")
    counts = deliver(engine, channel, tmp_path, company=company, clock=lambda: moments[-1])
    assert counts == {Is.SENT: 1, Is.QUEUED: 1}
    assert the_message(engine, state=Is.QUEUED).reason == "quiet_hours"


def test_a_database_that_fails_for_a_moment_does_not_make_us_forget_what_was_taken(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [2, 9]

    def fails(_session: Session, _message: Message, _now: datetime) -> None:
        if failures[0]:
            failures[0] -= 1
            raise OperationalError("insert", {}, Exception("database or disk is full"))

    message_id = ready_resolution(engine)
    assert deliver(engine, neither(tmp_path), tmp_path, on_sent=fails) == {Is.SENT: 1}
    failures.pop(0)
    other_id = ready_resolution(engine, "lee@customer.test")
    with pytest.raises(OperationalError):
        deliver(engine, neither(tmp_path), tmp_path, on_sent=fails)
    assert the_message(engine, message_id).state is Is.SENT
    assert the_message(engine, other_id).state is Is.SENDING
    assert f"message {other_id} was taken as 'P1'" in caplog.text
    assert asked_again(engine, tmp_path, neither(tmp_path)) == {Is.UNKNOWN: 1}


def test_without_a_journal_nothing_leaves(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    channel = neither(tmp_path)
    ready_resolution(engine)
    with pytest.raises(OSError, match="journal"):
        deliver(engine, channel, tmp_path)
    assert channel.tried == []
    assert states(engine) == {Is.QUEUED: 1}
    assert the_message(engine).attempts == 0  # it is not the message's fault


def test_the_words_of_the_ledger_are_codes(engine: Engine, tmp_path: Path) -> None:
    for mood in ("ok", "lost", "bug", "later"):
        ready_resolution(engine, f"{mood}@customer.test")
    deliver(engine, neither(tmp_path, "ok", "lost", "bug", "later"), tmp_path)
    with transaction(engine) as session:
        details = " ".join(e.detail for e in session.exec(select(TicketEvent)))
    assert "@" not in details
    assert "courier" not in details


def test_a_mail_server_that_has_had_enough_is_left_alone_by_all(
    engine: Engine, tmp_path: Path
) -> None:
    for n in range(3):
        ready_resolution(engine, f"c{n}@customer.test")
    with FaultySmtpServer() as server:
        server.fault = "mail_421"
        channel = SmtpChannel(SmtpSettings(host="127.0.0.1", port=server.port))
        assert deliver(engine, channel, tmp_path) == {Is.QUEUED: 1}
        tried = server.connections
        assert deliver(engine, channel, tmp_path) == {Is.QUEUED: 1}
        assert server.connections == tried
        with transaction(engine) as session:
            assert session.get_one(Breaker, "smtp").reason == "421 at MAIL"
        server.fault = "ok"
        assert deliver(engine, channel, tmp_path, now=NOW + MINUTE) == {Is.SENT: 3}
    assert len(server.stored) == 3
