"""SMTP as it is spoken, with a server that does one thing wrong at a time."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select

from notifications.allowlist import AllowlistChannel
from notifications.channel import ChannelDownError, Envelope, NoSuchMailboxError
from notifications.mailbox import MailboxChannel
from notifications.smtp import SmtpChannel
from tests.outbox_cases import (
    NOW,
    SECRET,
    add_loop,
    deliver,
    make_engine,
    plan_alert,
    queue,
    ready_resolution,
    states,
    the_message,
)
from tests.smtp_fakes import FaultySmtpServer
from voc.errors import NotSentError, RefusedError, UnconfirmedError
from voc.models import MessageState as Is
from voc.models import Suppression, TicketState
from voc.rules.pseudonym import pseudonym
from voc.rules.retries import BACKOFF
from voc.settings import SmtpSettings
from voc.store.database import transaction

MAIL = Envelope(
    message_id="<m1@noodles.test>",
    sender="care@noodles.test",
    recipient="ok@customer.test",
    content=b"Message-ID: <m1@noodles.test>\r\nSubject: s\r\n\r\n" + b"Hello.\r\n.dot\r\n" * 5000,
    frozen_at=NOW,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def server() -> Iterator[FaultySmtpServer]:
    with FaultySmtpServer() as server:
        yield server


@pytest.fixture
def channel(server: FaultySmtpServer) -> Iterator[SmtpChannel]:
    channel = SmtpChannel(settings_for(server.port))
    yield channel
    channel.close()


def settings_for(port: int, **values: object) -> SmtpSettings:
    values = {"host": "127.0.0.1", "port": port, "reply_timeout_s": 0.5} | values
    return SmtpSettings.model_validate(values)


def send(channel: SmtpChannel, recipient: str = "ok@customer.test") -> None:
    mail = replace(MAIL, recipient=recipient)
    channel.prepare(mail)
    channel.hand_over(mail)


def test_a_mail_arrives_whole(server: FaultySmtpServer, channel: SmtpChannel) -> None:
    send(channel)
    assert server.stored == ["<m1@noodles.test>"]
    assert server.contents == [MAIL.content]
    assert server.recipients == ["ok@customer.test"]


@pytest.mark.parametrize(
    ("fault", "error", "arrived"),
    [
        ("greeting_421", ChannelDownError, 0),
        ("greeting_dropped", ChannelDownError, 0),
        ("mail_451", NotSentError, 0),
        ("mail_421", ChannelDownError, 0),
        ("mail_530", ChannelDownError, 0),
        ("mail_552", RefusedError, 0),
        ("mail_dropped", ChannelDownError, 0),
        ("rcpt_450", NotSentError, 0),
        ("rcpt_550", NoSuchMailboxError, 0),
        ("rcpt_550_policy", RefusedError, 0),
        ("rcpt_552_full", RefusedError, 0),
        ("rcpt_dropped", NotSentError, 0),
        ("cut_before_354", UnconfirmedError, 0),
        ("cut_in_the_body", UnconfirmedError, 0),
        ("data_451", NotSentError, 0),
        ("data_552", RefusedError, 0),
        ("data_554", RefusedError, 0),
        ("data_garbage_unstored", UnconfirmedError, 0),
        ("dropped_before_storing", UnconfirmedError, 0),
        ("dropped_after_storing", UnconfirmedError, 1),
        ("hangs_after_storing", UnconfirmedError, 1),
        ("garbage_after_storing", UnconfirmedError, 1),
        ("half_a_reply_after_storing", UnconfirmedError, 1),
    ],
)
def test_every_fault_is_named_by_what_is_certain(
    server: FaultySmtpServer,
    channel: SmtpChannel,
    fault: str,
    error: type[Exception],
    arrived: int,
) -> None:
    server.fault = fault
    with pytest.raises(error) as caught:
        send(channel)
    assert type(caught.value) is error
    assert len(server.stored) == arrived
    assert "customer.test" not in str(caught.value)
    # The next mail is not confused by what was left of this one.
    server.fault = "ok"
    send(channel, "next@customer.test")
    assert server.recipients[arrived:] == ["next@customer.test"]


def test_a_drop_after_the_answer_changes_nothing(
    server: FaultySmtpServer, channel: SmtpChannel
) -> None:
    send(channel, "dropped_at_quit@customer.test")
    channel.close()
    assert len(server.stored) == 1


def test_nobody_listening_means_that_the_channel_is_down() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        channel = SmtpChannel(settings_for(unused.getsockname()[1]))
        with pytest.raises(ChannelDownError, match="when connecting"):
            channel.prepare(MAIL)
        channel.close()


def test_a_server_without_starttls_is_not_given_the_mail(server: FaultySmtpServer) -> None:
    channel = SmtpChannel(settings_for(server.port, security="starttls"))
    with pytest.raises(ChannelDownError):
        channel.prepare(MAIL)
    channel.close()


def test_a_login_that_is_not_possible_stops_the_channel(server: FaultySmtpServer) -> None:
    login = {"username": "kim", "password": SecretStr("hunter2")}
    channel = SmtpChannel(settings_for(server.port, **login))
    with pytest.raises(ChannelDownError) as caught:
        channel.prepare(MAIL)
    assert "hunter2" not in str(caught.value)
    channel.close()


def test_one_connection_serves_many_mails(server: FaultySmtpServer, channel: SmtpChannel) -> None:
    channel.prepare(MAIL)
    before = server.connections
    for _ in range(3):
        send(channel)
    assert len(server.stored) == 3
    assert server.connections == before


def test_a_connection_that_the_server_tired_of_is_replaced(
    server: FaultySmtpServer, channel: SmtpChannel
) -> None:
    server.mails_a_connection = 2
    for _ in range(5):
        send(channel)
    assert len(server.stored) == 5


def test_an_envelope_that_was_prepared_in_vain_is_taken_back(
    server: FaultySmtpServer, channel: SmtpChannel
) -> None:
    channel.prepare(MAIL)  # the last look said no
    send(channel, "next@customer.test")
    assert server.recipients == ["next@customer.test"]


def test_addresses_outside_ascii_are_sent_where_the_server_takes_them(
    server: FaultySmtpServer, channel: SmtpChannel
) -> None:
    send(channel, "zoë@customer.test")
    assert server.recipients == ["zoë@customer.test"]


def test_an_address_that_would_break_the_protocol_is_refused(channel: SmtpChannel) -> None:
    with pytest.raises(RefusedError):
        send(channel, "a@b.test> NOTIFY=NEVER <c@d.test")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("ok", (Is.SENT, None)),
        ("rcpt_450", (Is.QUEUED, "450 at RCPT")),
        ("rcpt_550", (Is.FAILED, "550 at RCPT")),
        ("data_451", (Is.QUEUED, "451 at DATA")),
        ("data_554", (Is.FAILED, "554 at DATA")),
        ("cut_in_the_body", (Is.UNKNOWN, "SMTPServerDisconnected at DATA")),
        ("dropped_after_storing", (Is.UNKNOWN, "SMTPServerDisconnected at DATA")),
        ("dropped_before_storing", (Is.UNKNOWN, "SMTPServerDisconnected at DATA")),
        ("garbage_after_storing", (Is.UNKNOWN, "unclear answer at DATA")),
        ("dropped_at_quit", (Is.SENT, None)),
    ],
)
def test_where_a_message_ends(
    engine: Engine,
    channel: SmtpChannel,
    tmp_path: Path,
    fault: str,
    expected: tuple[Is, str | None],
) -> None:
    message_id = ready_resolution(engine, f"{fault}@customer.test")
    assert deliver(engine, channel, tmp_path) == {expected[0]: 1}
    message = the_message(engine, message_id)
    assert (message.state, message.reason) == expected
    assert message.attempts == (0 if message.state is Is.SENT else 1)


def test_in_doubt_is_never_sent_again_by_itself(
    engine: Engine, server: FaultySmtpServer, channel: SmtpChannel, tmp_path: Path
) -> None:
    ready_resolution(engine, "dropped_after_storing@customer.test")
    for days in range(4):
        deliver(engine, channel, tmp_path, now=NOW + timedelta(days=days))
    assert states(engine) == {Is.UNKNOWN: 1}
    assert len(server.stored) == 1


def test_an_address_that_does_not_exist_is_never_written_to_again(
    engine: Engine, channel: SmtpChannel, tmp_path: Path
) -> None:
    ready_resolution(engine, "rcpt_550@customer.test")
    deliver(engine, channel, tmp_path)
    with transaction(engine) as session:
        suppression = session.exec(select(Suppression)).one()
    assert suppression.address_hash == pseudonym(SECRET, "rcpt_550@customer.test")
    assert suppression.reason == "bounced"


@pytest.mark.parametrize("fault", ["rcpt_550_policy", "rcpt_552_full", "data_554"])
def test_a_refusal_that_is_not_about_the_address_suppresses_nobody(
    engine: Engine, channel: SmtpChannel, tmp_path: Path, fault: str
) -> None:
    ready_resolution(engine, f"{fault}@customer.test")
    assert deliver(engine, channel, tmp_path) == {Is.FAILED: 1}
    with transaction(engine) as session:
        assert session.exec(select(Suppression)).all() == []


def test_a_grey_list_is_waited_out_and_then_given_up(
    engine: Engine, channel: SmtpChannel, tmp_path: Path
) -> None:
    message_id = ready_resolution(engine, "rcpt_450@customer.test")
    now = NOW
    for wait in BACKOFF:
        assert deliver(engine, channel, tmp_path, now=now) == {Is.QUEUED: 1}
        not_before = the_message(engine, message_id).not_before
        assert wait / 2 <= not_before - now <= wait
        assert deliver(engine, channel, tmp_path, now=not_before - timedelta(seconds=1)) == {}
        now = not_before
    assert deliver(engine, channel, tmp_path, now=now) == {Is.DEAD: 1}
    assert the_message(engine, message_id).reason == "gave up after 9 attempts: 450 at RCPT"


def test_a_channel_that_is_down_costs_no_message_an_attempt(
    engine: Engine, server: FaultySmtpServer, channel: SmtpChannel, tmp_path: Path
) -> None:
    for local in ("a", "b", "c"):
        ready_resolution(engine, f"{local}@customer.test")
    server.fault = "greeting_421"
    before = server.connections
    assert deliver(engine, channel, tmp_path) == {Is.QUEUED: 1}
    assert server.connections == before + 1
    assert states(engine) == {Is.QUEUED: 3}
    assert the_message(engine, 1).attempts == 0
    server.fault = "ok"
    later = NOW + timedelta(minutes=1)
    assert deliver(engine, channel, tmp_path, now=later) == {Is.SENT: 3}


def test_only_those_on_the_list_are_written_to(
    engine: Engine, server: FaultySmtpServer, channel: SmtpChannel, tmp_path: Path
) -> None:
    mailbox = MailboxChannel(tmp_path / "mailbox")
    both = AllowlistChannel(channel, mailbox, allowed={"Kim@Customer.test", "@noodles.test"})
    first = ready_resolution(engine, "kim@customer.test")
    second = ready_resolution(engine, "lee@customer.test")
    _, ticket_id = add_loop(engine, 1, verbatim="Cold.", state=TicketState.OPEN)
    alert = plan_alert(engine, ticket_id)
    queue(engine)
    assert deliver(engine, both, tmp_path) == {Is.SENT: 3}
    assert server.recipients == ["kim@customer.test", "ola@noodles.test"]
    assert [the_message(engine, m).route for m in (first, second, alert)] == [
        "smtp",
        "mailbox",
        "smtp",
    ]
    assert mailbox.find(the_message(engine, second).message_id or "") is not None
