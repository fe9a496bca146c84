"""Public replies to reviews: where they go, and what they must not say."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nlp.mask import mask
from notifications.channel import Capability, ChannelDownError, Envelope
from notifications.contexts import LANGUAGES, ReviewReply
from notifications.render import render_line
from notifications.reviews import ReviewChannel
from rehearsal.fakes.review_consoles import FakeConsoles, StoreReview
from rehearsal.fakes.server import Fault, How
from tests.outbox_cases import NOW
from voc.company.sources import FileSource, ITunesSource
from voc.errors import RefusedError, UnconfirmedError
from voc.models import DeliveryChannel
from voc.rules.public_reply import LONGEST, Private, console_of, reply_address, why_not_public
from voc.settings import ReviewSettings

SAID_AT = datetime(2026, 3, 1, 9, 10, 20, tzinfo=UTC)
GOOGLE = "google:accounts/1/locations/2/reviews/AbF"
PLAY = "play:com.noodles.app/gp:AOq"
APP_STORE = "app_store:00000021-9e2b"
BY_MOMENT = "app_store:apps/123/2026-03-01T09:10:20Z/2"
TEXT = "Thank you. Please write to care@noodles.test. Noodles"
REPLY = Envelope(
    channel=DeliveryChannel.REVIEW,
    message_id="<m1@noodles.test>",
    sender="",
    recipient=GOOGLE,
    content=TEXT.encode(),
    frozen_at=NOW,
)
PRIVATE = Private(
    name="Kim Lee",
    verbatim="The courier was rude and threw my noodles over the fence.",
    internal=("The depot is understaffed", "We hired two riders"),
    ours=("Noodles", "care@noodles.test"),
    usual="Thank you. Please write to us.",
)


@pytest.fixture
def consoles() -> Iterator[FakeConsoles]:
    with FakeConsoles() as consoles:
        yield consoles


def channel_to(consoles: FakeConsoles, *, token: str = "token") -> ReviewChannel:  # noqa: S107
    names = ("app_store", "google", "play")
    values = {f"{name}_token": token for name in names}
    values |= {f"{name}_url": consoles.url for name in names}
    return ReviewChannel(ReviewSettings.model_validate(values))


@pytest.fixture
def channel(consoles: FakeConsoles) -> Iterator[ReviewChannel]:
    channel = channel_to(consoles)
    yield channel
    channel.close()


def send(channel: ReviewChannel, recipient: str, text: str = TEXT) -> str:
    reply = replace(REPLY, recipient=recipient, content=text.encode())
    channel.prepare(reply)
    return channel.hand_over(reply)


@pytest.mark.parametrize(
    ("recipient", "review", "provider_id"),
    [
        (GOOGLE, "accounts/1/locations/2/reviews/AbF", ""),
        (PLAY, "com.noodles.app/gp:AOq", ""),
        (APP_STORE, "00000021-9e2b", "response-00000021-9e2b"),
    ],
)
def test_a_reply_stands_below_its_review(
    consoles: FakeConsoles, channel: ReviewChannel, recipient: str, review: str, provider_id: str
) -> None:
    assert send(channel, recipient) == provider_id
    assert consoles.replies == {review: TEXT}
    assert channel.route_for(recipient) == console_of(recipient)
    # A second one takes the place of the first: that is why a lost reply may be sent again.
    assert channel.capability_of(channel.route_for(recipient)) is Capability.IDEMPOTENT
    send(channel, recipient, "Again.")
    assert consoles.replies == {review: "Again."}


def test_a_review_of_the_public_feed_is_found_by_its_moment_and_stars(
    consoles: FakeConsoles, channel: ReviewChannel
) -> None:
    consoles.app_store += [
        StoreReview(f"new-{n}", f"2026-03-02T0{n}:00:00-07:00", 2) for n in range(4)
    ]
    consoles.app_store.append(StoreReview("other stars", "2026-03-01T02:10:20-07:00", 1))
    consoles.app_store.append(StoreReview("the-one", "2026-03-01T02:10:20-07:00", 2))
    consoles.app_store.append(StoreReview("older", "2026-02-01T02:10:20-07:00", 2))
    assert send(channel, BY_MOMENT) == "response-the-one"


@pytest.mark.parametrize("n", [0, 2])
def test_a_review_that_is_not_the_only_one_that_fits_gets_no_reply(
    consoles: FakeConsoles, channel: ReviewChannel, n: int
) -> None:
    consoles.app_store += [StoreReview(f"r{i}", "2026-03-01T09:10:20Z", 2) for i in range(n)]
    with pytest.raises(RefusedError, match=f"{n} reviews"):
        channel.prepare(replace(REPLY, recipient=BY_MOMENT))
    assert consoles.replies == {}


def test_the_token_goes_to_no_other_server(consoles: FakeConsoles, channel: ReviewChannel) -> None:
    elsewhere = b'{"data": [], "links": {"next": "https://evil.test/v1/apps/123/customerReviews"}}'
    consoles.misbehave(Fault(How.BODY, body=elsewhere))
    with pytest.raises(RefusedError, match="0 reviews"):
        channel.prepare(replace(REPLY, recipient=BY_MOMENT))
    assert len(consoles.requests) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(How.STATUS, status=500), UnconfirmedError),
        (Fault(How.RESET), UnconfirmedError),
        (Fault(How.BODY, body=b"<html>Please sign in</html>"), UnconfirmedError),
        (Fault(How.STATUS, status=429, unseen=True), ChannelDownError),
        (Fault(How.STATUS, status=401, unseen=True), ChannelDownError),
        (Fault(How.STATUS, status=404, unseen=True), RefusedError),
        (Fault(How.STATUS, status=400, unseen=True), RefusedError),
    ],
    ids=lambda value: f"{value.how}-{value.status}" if isinstance(value, Fault) else "",
)
def test_what_a_console_says_is_named_by_what_is_certain(
    consoles: FakeConsoles, channel: ReviewChannel, fault: Fault, error: type[Exception]
) -> None:
    consoles.misbehave(fault)
    with pytest.raises(error) as caught:
        send(channel, PLAY)
    assert type(caught.value) is error


def test_what_goes_wrong_while_we_only_look_costs_nothing(
    consoles: FakeConsoles, channel: ReviewChannel
) -> None:
    consoles.misbehave(Fault(How.STATUS, status=500))
    with pytest.raises(ChannelDownError):
        channel.prepare(replace(REPLY, recipient=BY_MOMENT))
    consoles.misbehave(Fault(How.BODY, body=b'{"data": [{"id": 1}]}'))
    with pytest.raises(ChannelDownError):
        channel.prepare(replace(REPLY, recipient=BY_MOMENT))


def test_what_cannot_be_published_is_refused_before_anything_is_asked(
    consoles: FakeConsoles, channel: ReviewChannel
) -> None:
    for recipient, text in ((PLAY, "x" * 351), ("review:7", TEXT)):
        with pytest.raises(RefusedError):
            channel.prepare(replace(REPLY, recipient=recipient, content=text.encode()))
    without = channel_to(consoles, token="")
    with pytest.raises(ChannelDownError, match="VOC_REVIEWS__GOOGLE_TOKEN"):
        without.prepare(REPLY)
    assert consoles.requests == []


def file_source(**values: object) -> FileSource:
    base = {"kind": "file", "id": "reviews", "channel": "review", "path": "r.csv"}
    return FileSource.model_validate(base | {"columns": {"text": "t", "id": "id"}} | values)


ITUNES = ITunesSource.model_validate(
    {"kind": "itunes", "id": "ios", "app_id": "123", "country": "de", "console": "app_store"}
)


def test_where_a_reply_goes_follows_from_its_source() -> None:
    play = file_source(console="play", console_app="com.noodles.app")
    assert reply_address(play, "gp:AOq", SAID_AT, 2) == PLAY
    google = file_source(console="google")
    name = GOOGLE.removeprefix("google:")
    assert reply_address(google, name, SAID_AT, None) == GOOGLE
    store = file_source(console="app_store")
    assert reply_address(store, "00000021-9e2b", SAID_AT, 2) == APP_STORE
    assert reply_address(ITUNES, "11223344", SAID_AT, 2) == BY_MOMENT


@pytest.mark.parametrize(
    ("source", "external_id", "why"),
    [
        (None, "x", "no console"),
        (file_source(), "x", "no console"),
        (file_source(console="google"), "row-12", "none of google's"),
        (file_source(console="google"), "accounts/1/../../v4/x", "none of google's"),
        (file_source(console="play", console_app="com.x"), "../../evil", "none of play's"),
        (ITUNES, "11223344", "no stars"),
    ],
)
def test_a_review_that_no_console_knows_has_no_place_for_a_reply(
    source: FileSource | ITunesSource | None, external_id: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        reply_address(source, external_id, SAID_AT, None)


@pytest.mark.parametrize(
    "values",
    [
        {"console": "google", "channel": "survey"},
        {"console": "google", "columns": {"text": "t"}},
        {"console": "play"},
        {"console": "google", "console_app": "com.x"},
    ],
)
def test_a_console_that_cannot_work_is_a_mistake_of_the_company_file(
    values: dict[str, object],
) -> None:
    with pytest.raises(ValueError, match="console"):
        file_source(**values)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TEXT, None),
        ("x" * 351, "longer"),
        ("Write to kim@customer.test.", "address"),
        ("See https://noodles.test/c/1.", "address"),
        ("Thank you, @kimlee.", "address"),
        ("Call +49 151 123-45 67.", "number"),
        ("About order 7712345: sorry.", "number"),
        ("Thank you, Kim.", "names"),
        ("We are sorry about the noodles.", None),
        ("The courier was rude and we are sorry.", "quotes"),
        ("Sorry, the depot had a bad day.", "internal"),
        ("We have hired more people.", "internal"),
    ],
)
def test_what_must_not_be_read_by_everybody(text: str, why: str | None) -> None:
    said = why_not_public(text, "play", PRIVATE)
    assert (said is None) == (why is None)
    assert why is None or why in (said or "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_replies_that_we_ship_fit_everywhere_and_hold_nothing_private(language: str) -> None:
    own = ReviewReply(language=language, company="Noodles", contact="care@noodles.test")
    text = render_line(own, "review.txt")
    assert len(text) < min(LONGEST.values()) - 100
    usual = render_line(replace(own, company="", contact=""), "review.txt")
    assert why_not_public(text, "play", replace(PRIVATE, usual=usual)) is None
    assert [found.kind for found in mask(text).found] == ["email"]  # the company's own
