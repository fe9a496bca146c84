"""Text messages: a real HTTP conversation with a fake that does one thing wrong at a time."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from notifications.channel import (
    Capability,
    ChannelDownError,
    Envelope,
    NoSuchMailboxError,
    OptedOutError,
)
from notifications.sms import TwilioChannel
from rehearsal.fakes.server import Fault, How
from rehearsal.fakes.twilio import FakeTwilio
from tests.outbox_cases import NOW, PUBLIC_URL
from voc.errors import NotSentError, RefusedError, UnconfirmedError
from voc.models import DeliveryChannel
from voc.settings import TwilioSettings

KIM = "+4915112345678"
SMS = Envelope(
    channel=DeliveryChannel.SMS,
    message_id="<m1@noodles.test>",
    sender="",
    recipient=KIM,
    content="Noodles & Söhne: done. https://f.test/a/token-1".encode(),
    frozen_at=NOW,
)


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as twilio:
        yield twilio


def channel_to(twilio: FakeTwilio, **values: object) -> TwilioChannel:
    login = {"account_sid": "AC123", "auth_token": "token", "sender": "+441234567890"}
    values = {**login, "base_url": twilio.url, "timeout_s": 10} | values
    return TwilioChannel(TwilioSettings.model_validate(values), public_url=PUBLIC_URL)


@pytest.fixture
def channel(twilio: FakeTwilio) -> Iterator[TwilioChannel]:
    channel = channel_to(twilio)
    yield channel
    channel.close()


def send(channel: TwilioChannel, sms: Envelope = SMS) -> str:
    channel.prepare(sms)
    return channel.hand_over(sms)


def test_a_text_arrives_whole_and_its_fate_is_reported_to_us(
    twilio: FakeTwilio, channel: TwilioChannel
) -> None:
    sid = send(channel)
    (taken,) = twilio.taken
    assert taken.sid == sid
    assert taken.form == {
        "To": KIM,
        "From": "+441234567890",
        "Body": SMS.content.decode(),
        "StatusCallback": f"{PUBLIC_URL}/hooks/twilio/status",
    }


def test_a_messaging_service_sends_under_its_own_name(twilio: FakeTwilio) -> None:
    channel = channel_to(twilio, sender="MG1")
    send(channel)
    channel.close()
    assert twilio.taken[0].form["MessagingServiceSid"] == "MG1"
    assert "From" not in twilio.taken[0].form


def test_the_account_is_looked_at_once(twilio: FakeTwilio, channel: TwilioChannel) -> None:
    for _ in range(3):
        send(channel)
    assert len(twilio.requests) == 4


@pytest.mark.parametrize(
    ("fault", "error", "taken"),
    [
        (Fault(How.STATUS, status=500), UnconfirmedError, 1),
        (Fault(How.STATUS, status=503, unseen=True), UnconfirmedError, 0),
        (Fault(How.STATUS, status=302, headers={"Location": "/x"}), UnconfirmedError, 1),
        (Fault(How.STATUS, status=408, unseen=True), UnconfirmedError, 0),
        (Fault(How.STATUS, status=429, unseen=True), ChannelDownError, 0),
        (Fault(How.STATUS, status=401, unseen=True), ChannelDownError, 0),
        (Fault(How.STATUS, status=403, unseen=True), ChannelDownError, 0),
        (Fault(How.STATUS, status=404, unseen=True), ChannelDownError, 0),
        (Fault(How.STATUS, status=400, unseen=True), RefusedError, 0),
        (Fault(How.RESET), UnconfirmedError, 1),
        (Fault(How.SHORT), UnconfirmedError, 1),
        (Fault(How.CUT), UnconfirmedError, 1),
        (Fault(How.HANG), UnconfirmedError, 1),
        (Fault(How.DRIP), UnconfirmedError, 1),
        (Fault(How.DRIP_HEADERS), UnconfirmedError, 1),
        (Fault(How.BODY, body=b"<html>Please sign in</html>", unseen=True), UnconfirmedError, 0),
        (Fault(How.BODY, body=b"[" * 100_000), UnconfirmedError, 1),
    ],
    ids=lambda value: f"{value.how}-{value.status}" if isinstance(value, Fault) else "",
)
def test_every_fault_is_named_by_what_is_certain(
    twilio: FakeTwilio, channel: TwilioChannel, fault: Fault, error: type[Exception], taken: int
) -> None:
    twilio.misbehave(fault)
    slow = fault.how in {How.HANG, How.DRIP, How.DRIP_HEADERS}
    tried = channel_to(twilio, timeout_s=0.2 if slow else 10)
    with pytest.raises(error) as caught:
        tried.hand_over(SMS)
    tried.close()
    assert type(caught.value) is error
    assert len(twilio.taken) == taken
    assert "4915112345678" not in str(caught.value)
    assert "token" not in str(caught.value)
    # A lost reply can be looked up: what is there is proof.
    found = channel.look_up("twilio", SMS)
    assert (found is not None) == (taken == 1)


def test_a_limit_says_when_to_come_back(twilio: FakeTwilio, channel: TwilioChannel) -> None:
    twilio.misbehave(Fault(How.STATUS, status=429, headers={"Retry-After": "90"}))
    with pytest.raises(ChannelDownError) as caught:
        send(channel)
    assert caught.value.retry_after_s == 90


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (21211, NoSuchMailboxError),
        (21614, NoSuchMailboxError),
        (21610, OptedOutError),
        (21606, ChannelDownError),
        (21408, RefusedError),
    ],
)
def test_its_codes_say_whom_a_refusal_is_about(
    twilio: FakeTwilio, channel: TwilioChannel, code: int, error: type[Exception]
) -> None:
    twilio.refused[KIM] = code
    with pytest.raises(error) as caught:
        send(channel)
    assert type(caught.value) is error


def test_a_wrong_login_costs_no_message(twilio: FakeTwilio) -> None:
    channel = channel_to(twilio, auth_token=SecretStr("wrong"))
    with pytest.raises(ChannelDownError, match="HTTP 401"):
        channel.prepare(SMS)
    channel.close()


def test_an_account_that_is_not_set_up_says_what_to_set() -> None:
    channel = TwilioChannel(TwilioSettings(), public_url=PUBLIC_URL)
    with pytest.raises(ChannelDownError, match="VOC_TWILIO__ACCOUNT_SID"):
        channel.prepare(SMS)
    channel.close()


@pytest.mark.parametrize("number", ["kim@customer.test", "0151 1234567", "+49", "+49 151 12345678"])
def test_what_is_no_whole_number_is_refused_before_anything_is_asked(
    twilio: FakeTwilio, channel: TwilioChannel, number: str
) -> None:
    with pytest.raises(RefusedError):
        channel.prepare(replace(SMS, recipient=number))
    assert twilio.requests == []


def test_nobody_listening_means_that_nothing_was_sent(twilio: FakeTwilio) -> None:
    channel = channel_to(twilio, base_url="http://127.0.0.1:9")
    with pytest.raises(NotSentError, match="when connecting"):
        channel.prepare(SMS)
    with pytest.raises(NotSentError, match="when connecting"):
        channel.hand_over(SMS)
    assert channel.look_up("twilio", SMS) is None
    channel.close()


def test_a_login_is_never_given_to_a_line_that_anyone_can_read(twilio: FakeTwilio) -> None:
    channel = channel_to(twilio, base_url="http://twilio.example")
    with pytest.raises(ChannelDownError, match="https"):
        channel.prepare(SMS)
    channel.close()


def test_the_look_up_reads_every_page_and_wants_the_very_words(
    twilio: FakeTwilio, channel: TwilioChannel
) -> None:
    sid = send(channel)
    for n in range(5):
        send(channel, replace(SMS, content=b"Another %d" % n))
    assert channel.capability_of("twilio") is Capability.LOOKUP
    assert channel.look_up("twilio", SMS) == sid
    assert channel.look_up("twilio", replace(SMS, content=SMS.content + b"0")) is None
    assert channel.look_up("twilio", replace(SMS, recipient="+4915187654321")) is None
    assert channel.look_up("mailbox", SMS) is None
