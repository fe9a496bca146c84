"""Alerts in chat rooms and in whatever apprise knows, over real HTTP."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from notifications.apprise_alerts import AppriseChannel
from notifications.cards import (
    TEAMS_BYTES,
    Card,
    card_of,
    plain_message,
    slack_message,
    teams_message,
)
from notifications.channel import Capability, Channel, ChannelDownError, Envelope
from notifications.chat import ChatChannel
from notifications.contexts import TicketOpened, TicketReopened
from rehearsal.fakes.chat import FakeSlack, FakeTeams
from rehearsal.fakes.server import Answer, Asked, FakeService, Fault, How
from tests.mail_cases import context_of
from tests.outbox_cases import NOW
from voc.errors import RefusedError, UnconfirmedError
from voc.models import DeliveryChannel

ALERT = context_of(TicketOpened, "en")
assert isinstance(ALERT, TicketOpened)
CARD = card_of(ALERT)


def envelope(channel: DeliveryChannel, content: bytes) -> Envelope:
    return Envelope(
        channel=channel,
        message_id="<m1@noodles.test>",
        sender="",
        recipient="kitchen_room",
        content=content,
        frozen_at=NOW,
    )


SLACK = envelope(DeliveryChannel.SLACK, slack_message(CARD))
TEAMS = envelope(DeliveryChannel.TEAMS, teams_message(CARD))
APPRISE = envelope(DeliveryChannel.APPRISE, plain_message(CARD))


def send(channel: Channel, mail: Envelope) -> str:
    channel.prepare(mail)
    return channel.hand_over(mail)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def room(slack: FakeSlack) -> Iterator[ChatChannel]:
    url = SecretStr(f"{slack.url}/services/T0/B0/s3cret")
    channel = ChatChannel("slack", {"kitchen_room": url})
    yield channel
    channel.close()


def test_a_room_in_slack_shows_the_alert_with_links_to_act(
    slack: FakeSlack, room: ChatChannel
) -> None:
    assert send(room, SLACK) == ""
    ((where, message),) = slack.posted
    assert where == "s3cret"
    assert message["text"] == "Ticket 12 for Logistics: high priority"
    buttons = message["blocks"][-1]["elements"]
    assert [(b["text"]["text"], b["url"]) for b in buttons] == [
        ("I take it", "https://f.test/t/token-1"),
        ("Not ours", "https://f.test/t/token-2"),
        ("It is resolved", "https://f.test/t/token-3"),
    ]
    assert "The courier was rude." in json.dumps(message)
    assert "mrkdwn" not in json.dumps(message)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(How.STATUS, status=500), UnconfirmedError),
        (Fault(How.STATUS, status=429, unseen=True), ChannelDownError),
        (Fault(How.STATUS, status=400, body=b"invalid_payload", unseen=True), RefusedError),
        (Fault(How.STATUS, status=404, body=b"channel_not_found"), ChannelDownError),
        (Fault(How.STATUS, status=410, body=b"channel_is_archived"), ChannelDownError),
        (Fault(How.STATUS, status=200, body=b"channel_is_archived"), ChannelDownError),
        (Fault(How.STATUS, status=403, body=b"action_prohibited"), ChannelDownError),
        (Fault(How.BODY, body=b"<html>Please sign in</html>"), UnconfirmedError),
        (Fault(How.RESET), UnconfirmedError),
        (Fault(How.CUT), UnconfirmedError),
    ],
    ids=lambda value: f"{value.how}-{value.status}" if isinstance(value, Fault) else "",
)
def test_what_slack_says_is_named_by_what_is_certain(
    slack: FakeSlack, room: ChatChannel, fault: Fault, error: type[Exception]
) -> None:
    slack.misbehave(fault)
    with pytest.raises(error) as caught:
        send(room, SLACK)
    assert type(caught.value) is error
    assert "s3cret" not in repr(caught.value)
    assert room.look_up("slack:kitchen_room", SLACK) is None


def test_slack_says_when_to_come_back(slack: FakeSlack, room: ChatChannel) -> None:
    slack.misbehave(Fault(How.STATUS, status=429, headers={"Retry-After": "30"}))
    with pytest.raises(ChannelDownError) as caught:
        send(room, SLACK)
    assert caught.value.retry_after_s == 30


def test_each_room_is_a_way_of_its_own(room: ChatChannel) -> None:
    """So that an archived room does not close the others."""
    assert room.route_for("kitchen_room") == "slack:kitchen_room"
    assert room.capability_of("slack:kitchen_room") is Capability.NEITHER


def test_a_route_without_an_address_waits(room: ChatChannel) -> None:
    with pytest.raises(ChannelDownError, match="VOC_ALERT_URLS"):
        room.prepare(replace(SLACK, recipient="another_room"))


def test_an_address_is_in_no_log(
    slack: FakeSlack, room: ChatChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send(room, SLACK)
    assert "s3cret" not in caplog.text


def test_a_room_in_teams_shows_a_card() -> None:
    with FakeTeams() as teams:
        channel = ChatChannel(
            "teams", {"kitchen_room": SecretStr(f"{teams.url}/workflows/1?sig=s")}
        )
        assert send(channel, TEAMS) == ""
        channel.close()
        (message,) = teams.posted
    card = message["attachments"][0]["content"]
    assert [action["title"] for action in card["actions"]] == [
        "I take it",
        "Not ours",
        "It is resolved",
    ]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}


def test_a_card_for_teams_keeps_to_its_size() -> None:
    long = replace(CARD, quotes=("😀" * 1000,) * 9)
    message = teams_message(long)
    assert TEAMS_BYTES / 2 < len(message) <= TEAMS_BYTES
    assert len(json.loads(message)["attachments"][0]["content"]["body"]) > 7


def test_texts_for_slack_keep_to_their_size() -> None:
    with FakeSlack() as slack:
        channel = ChatChannel("slack", {"kitchen_room": SecretStr(f"{slack.url}/services/x")})
        long = replace(CARD, quotes=("&" * 5000, "x " * 4000), title="&" * 400)
        send(channel, replace(SLACK, content=slack_message(long)))
        channel.close()
        assert len(slack.posted) == 1


def test_a_card_says_what_the_customer_answered() -> None:
    reopened = context_of(TicketReopened, "en", refusal=None)
    assert isinstance(reopened, TicketReopened)
    card = card_of(reopened)
    assert card.quotes == ("The courier was rude.", "It happened again.")
    assert card.lead == "The customer says that it is not solved. Please look at it once more."


def test_services_whose_markup_we_do_not_know_get_no_words_of_customers() -> None:
    card = Card(
        title="t", lead="l", quotes=("rude",), lines=("a: b",), links=(("go", "https://x"),)
    )
    assert json.loads(plain_message(card)) == {"title": "t", "body": "l\n\na: b\n\ngo: https://x"}


apprise_brings_imghdr = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")


class Hook(FakeService):
    """Takes whatever apprise posts."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[dict[str, str]] = []

    def respond(self, asked: Asked) -> Answer:
        self.posted.append(json.loads(asked.body))
        return Answer(200, {})


@apprise_brings_imghdr
def test_apprise_takes_title_and_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Hook() as hook:
        url = hook.url.replace("http://", "json://") + "/s3cret"
        channel = AppriseChannel({"kitchen_room": SecretStr(url)})
        assert send(channel, APPRISE) == ""
        assert len(hook.posted) == 1
        assert hook.posted[0]["title"] == "Ticket 12 for Logistics: high priority"
        assert "https://f.test/t/token-1" in hook.posted[0]["message"]
        hook.misbehave(Fault(How.STATUS, status=500))
        with pytest.raises(UnconfirmedError) as caught:
            send(channel, APPRISE)
        channel.close()
    assert "s3cret" not in repr(caught.value) + caplog.text


@apprise_brings_imghdr
def test_apprise_says_beforehand_that_it_knows_no_such_service() -> None:
    channel = AppriseChannel({"kitchen_room": SecretStr("gopher://x")})
    with pytest.raises(ChannelDownError, match="does not understand"):
        channel.prepare(APPRISE)
    assert channel.capability_of(channel.route_for("kitchen_room")) is Capability.NEITHER
