"""Providers tell us things by themselves: only signed ones count, and each counts once."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import func, select
from standardwebhooks import Webhook

from apps.desk.app import create_app
from apps.desk.guards import MAX_PUSHED
from apps.desk.signatures import HookSecrets
from tests.desk import database, kill_switch_of, make_client
from tests.factories import NOW, SECRET, make_company, make_identity, save, save_told_loop
from voc.models import (
    Answer,
    AnswerWay,
    Consent,
    DeliveryChannel,
    IdentityKind,
    InboundEvent,
    Message,
    MessageState,
    Purpose,
    Suppression,
    Verdict,
)
from voc.rules.contact import Why
from voc.rules.pseudonym import pseudonym
from voc.store.database import transaction

TOKEN = "twilio-token"
MAILER = "whsec_" + b64encode(b"a secret of the mailer's own").decode()
PUBLIC = "https://feedback.shop.example"
PHONE = "+4915112345678"
SECRETS = HookSecrets(
    public_url=PUBLIC, twilio=SecretStr(TOKEN), by_name={"mailer": (SecretStr(MAILER),)}
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A customer was told by text message SM1, and asked whether it is solved."""
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_told_loop(session)
            save(session, make_identity(kind=IdentityKind.PHONE, value=PHONE))
            message = session.get_one(Message, 1)
            message.channel, message.address = DeliveryChannel.SMS, PHONE
            message.provider_id, message.sending_at = "SM1", NOW - timedelta(hours=20)
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    app = create_app(
        engine=engine,
        company=make_company(),
        secret=SECRET,
        clock=lambda: NOW,
        report=None,
        kill_switch=kill_switch_of(engine),
        hooks=SECRETS,
        ticks=lambda: 0.0,
    )
    return make_client(app)


def signed(path: str, form: dict[str, str], base: str = PUBLIC) -> str:
    text = base + path + "".join(k + form[k] for k in sorted(form))
    return b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()


def twilio(
    client: TestClient,
    what: str,
    *,
    base: str = PUBLIC,
    signature: str | None = None,
    **form: str,
) -> Any:
    path = f"/hooks/twilio/{what}"
    headers = {
        "X-Twilio-Signature": signed(path, form, base) if signature is None else signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return client.post(path, content=urlencode(form), headers=headers)


def says(client: TestClient, body: str, sid: str = "SM9", **form: str) -> Any:
    return twilio(client, "inbound", MessageSid=sid, From=PHONE, To="+4930", Body=body, **form)


def status(client: TestClient, status: str, code: str = "", sid: str = "SM1") -> Any:
    form = {"MessageSid": sid, "MessageStatus": status, "To": PHONE, "ErrorCode": code}
    return twilio(client, "status", **{k: v for k, v in form.items() if v})


def headers_for(body: str, *, number: str = "msg_1", at: datetime | None = None) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    return {
        "webhook-id": number,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(MAILER).sign(number, moment, body),
    }


def report(client: TestClient, number: str = "msg_1", **fields: str) -> Any:
    body = json.dumps({"occurred_at": NOW.isoformat()} | fields)
    return client.post("/hooks/mailer", content=body, headers=headers_for(body, number=number))


def the_state(engine: Engine) -> MessageState:
    with transaction(engine) as session:
        return session.get_one(Message, 1).state


def suppressed(engine: Engine) -> dict[str, str]:
    with transaction(engine) as session:
        return {row.address_hash: row.reason for row in session.exec(select(Suppression))}


def answered(engine: Engine) -> list[Answer]:
    with transaction(engine) as session:
        return list(session.exec(select(Answer)))


def kept(engine: Engine) -> int:
    with transaction(engine) as session:
        return session.exec(select(func.count()).select_from(InboundEvent)).one()


def test_a_text_is_delivered_once_however_often_we_are_told(
    engine: Engine, client: TestClient
) -> None:
    for word in ("queued", "sent", "delivered", "delivered"):
        assert status(client, word).status_code == 200
    assert the_state(engine) is MessageState.DELIVERED
    assert kept(engine) == 1


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        ("30005", MessageState.BOUNCED, Why.BOUNCED),
        ("30003", MessageState.BOUNCED, None),
        ("30007", MessageState.BOUNCED, None),
        ("21610", MessageState.BOUNCED, Why.STOPPED),
    ],
)
def test_why_a_text_failed_decides_about_the_number(
    engine: Engine, client: TestClient, code: str, state: MessageState, reason: Why | None
) -> None:
    assert status(client, "undelivered", code).status_code == 200
    assert the_state(engine) is state
    assert suppressed(engine).get(pseudonym(SECRET, PHONE)) == reason


def test_a_text_answers_the_last_message_to_that_phone(engine: Engine, client: TestClient) -> None:
    reply = says(client, "No. Call me on 0151 9876543")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/xml")
    (answer,) = answered(engine)
    assert (answer.loop_id, answer.round, answer.way) == (1, 1, AnswerWay.SMS)
    assert answer.words is not None
    assert "9876543" not in answer.words


def test_stop_silences_the_number_and_start_takes_it_back(
    engine: Engine, client: TestClient
) -> None:
    assert says(client, "Please stop texting", "SM7").status_code == 200
    assert suppressed(engine) == {pseudonym(SECRET, PHONE): Why.STOPPED}
    says(client, "Start", "SM8")
    assert suppressed(engine) == {}
    with transaction(engine) as session:
        query = select(Consent.granted).where(Consent.purpose == Purpose.FOLLOW_UP_SMS)
        assert session.exec(query).all() == [False, True]
    assert answered(engine) == []


def test_what_twilio_has_understood_counts(engine: Engine, client: TestClient) -> None:
    says(client, "pas de panique", OptOutType="STOP")
    assert suppressed(engine) == {pseudonym(SECRET, PHONE): Why.STOPPED}


def test_words_that_may_mean_stop_are_for_a_person(engine: Engine, client: TestClient) -> None:
    says(client, "stop by the shop and it works")
    assert suppressed(engine) == {}
    assert answered(engine)[0].verdict is Verdict.UNCLEAR


def test_help_is_answered_by_twilio_itself(engine: Engine, client: TestClient) -> None:
    assert says(client, "HELP").status_code == 200
    assert (answered(engine), suppressed(engine), kept(engine)) == ([], {}, 1)


def test_the_address_is_known_with_its_port_and_without(engine: Engine, client: TestClient) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    for base in (PUBLIC, f"{PUBLIC}:443"):
        assert twilio(client, "status", base=base, **form).status_code == 200
    for base in (f"{PUBLIC}:8443", "https://elsewhere.example"):
        assert twilio(client, "status", base=base, **form).status_code == 401
    assert kept(engine) == 1


@pytest.mark.parametrize("signature", ["", "AAAA", "é".encode("latin-1").decode("latin-1")])
def test_what_twilio_did_not_sign_is_refused_and_leaves_nothing(
    engine: Engine, client: TestClient, signature: str
) -> None:
    headers = {"X-Twilio-Signature": signature.encode("latin-1")}
    form = {"MessageSid": "SM2", "From": PHONE, "Body": "STOP"}
    for path in ("/hooks/twilio/inbound", "/hooks/twilio/status"):
        assert client.post(path, data=form, headers=headers).status_code == 401  # type: ignore[arg-type]
    assert (kept(engine), suppressed(engine)) == (0, {})


def test_a_provider_of_mail_reports_bounces_complaints_and_deliveries(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        message = session.get_one(Message, 1)
        message.channel, message.address = DeliveryChannel.EMAIL, "kim@customer.example"
    assert report(client, type="delivered", message_id="<one@shop.example>").status_code == 200
    assert the_state(engine) is MessageState.DELIVERED
    report(client, "msg_2", type="bounced", code="5.1.1", provider_id="SM1")
    assert the_state(engine) is MessageState.BOUNCED
    report(client, "msg_3", type="complained", message_id="<one@shop.example>")
    assert the_state(engine) is MessageState.COMPLAINED
    assert suppressed(engine)[pseudonym(SECRET, "kim@customer.example")] == Why.COMPLAINED


def test_a_reply_that_a_provider_took_in_is_masked_and_logged_nowhere(
    engine: Engine, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    words = "Yes, solved. Kim Ade, kim@customer.example"
    report(client, type="replied", message_id="<one@shop.example>", words=words)
    (answer,) = answered(engine)
    assert answer.words is not None
    assert "kim@" not in answer.words
    assert "solved" not in caplog.text


def test_what_is_about_nobody_we_know_is_answered_like_everything_else(
    engine: Engine, client: TestClient
) -> None:
    known = report(client, type="delivered", message_id="<one@shop.example>")
    strange = report(client, "msg_2", type="complained", message_id="<none@shop.example>")
    reply = report(client, "msg_3", type="replied", message_id="<none@shop.example>", words="hi")
    ignored = report(client, "msg_4", type="opened", message_id="<one@shop.example>")
    answers = {(r.status_code, r.content) for r in (known, strange, reply, ignored)}
    assert answers == {(200, b"")}
    unknown = twilio(client, "inbound", MessageSid="SM5", From="+4930999", Body="Hello")
    assert (unknown.status_code, unknown.content) == (200, says(client, "Hello").content)
    assert answered(engine) and suppressed(engine) == {}  # noqa: PT018


def test_a_reply_by_a_provider_that_asks_for_silence_gets_it(
    engine: Engine, client: TestClient
) -> None:
    report(client, type="replied", message_id="<one@shop.example>", words="Unsubscribe me, please")
    assert set(suppressed(engine).values()) == {Why.OPTED_OUT}
    assert answered(engine) == []


def test_a_text_that_says_no_and_stop_is_heard_in_both(engine: Engine, client: TestClient) -> None:
    says(client, "No. Stop texting me")
    assert suppressed(engine) == {pseudonym(SECRET, PHONE): Why.STOPPED}
    assert [answer.verdict for answer in answered(engine)] == [Verdict.NOT_SOLVED]


def test_a_bounce_without_a_code_is_not_for_good(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        session.get_one(Message, 1).channel = DeliveryChannel.EMAIL
    report(client, type="bounced", message_id="<one@shop.example>")
    assert the_state(engine) is MessageState.BOUNCED
    assert suppressed(engine) == {}


def test_a_zero_byte_in_a_text_does_not_make_twilio_try_for_ever(
    engine: Engine, client: TestClient
) -> None:
    assert says(client, "No\0", "SM\0009").status_code == 200
    with transaction(engine) as session:
        assert session.exec(select(InboundEvent.event_id)).one() == "SM9"


BODY = json.dumps(
    {"type": "complained", "occurred_at": NOW.isoformat(), "message_id": "<one@shop.example>"}
)


def other_bytes() -> tuple[str, dict[str, str]]:
    return json.dumps(json.loads(BODY), separators=(",", ":")), headers_for(BODY)


def too_old() -> tuple[str, dict[str, str]]:
    return BODY, headers_for(BODY, at=datetime.now(UTC) - timedelta(minutes=6))


def too_new() -> tuple[str, dict[str, str]]:
    return BODY, headers_for(BODY, at=datetime.now(UTC) + timedelta(minutes=6))


def other_id() -> tuple[str, dict[str, str]]:
    return BODY, headers_for(BODY) | {"webhook-id": "msg_other"}


def rubbish() -> tuple[str, dict[str, str]]:
    return BODY, headers_for(BODY) | {"webhook-signature": "v1"}


def no_base64() -> tuple[str, dict[str, str]]:
    return BODY, headers_for(BODY) | {"webhook-signature": "v1,a"}


def without(name: str) -> tuple[str, dict[str, str]]:
    headers = headers_for(BODY)
    del headers[name]
    return BODY, headers


# Made in the test: what was signed while the tests were collected is old when it begins.
WRONG = [
    *(other_bytes, too_old, too_new, other_id, rubbish, no_base64),
    *(partial(without, name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")),
]


@pytest.mark.parametrize("make", WRONG)
def test_what_is_not_signed_now_and_byte_for_byte_is_refused_and_leaves_nothing(
    engine: Engine, client: TestClient, make: Callable[[], tuple[str, dict[str, str]]]
) -> None:
    body, headers = make()
    assert client.post("/hooks/mailer", content=body, headers=headers).status_code == 401
    assert kept(engine) == 0
    assert the_state(engine) is MessageState.SENT


def test_a_provider_without_a_secret_is_not_listened_to(engine: Engine, client: TestClient) -> None:
    for path in ("/hooks/stranger", "/hooks/twilio"):
        assert client.post(path, content=BODY, headers=headers_for(BODY)).status_code == 401
    assert kept(engine) == 0


def test_a_replay_is_known_for_ever(engine: Engine, client: TestClient) -> None:
    for _ in range(2):
        assert report(client, type="delivered", message_id="<one@shop.example>").status_code == 200
    assert kept(engine) == 1


NO_SUCH_TIME = json.dumps({"type": "delivered", "occurred_at": "0001-01-01T00:00:00+14:00"})
NO_SUCH_ID = json.dumps(
    {"type": "delivered", "occurred_at": NOW.isoformat(), "provider_id": "queue\0"}
)


@pytest.mark.parametrize(
    "body",
    [
        *("[]", "{", '{"type": "delivered"}', "[" * 5000, '"\\ud800"'),
        *(NO_SUCH_TIME, NO_SUCH_ID, NO_SUCH_ID.replace("provider", "message")),
    ],
)
def test_a_signed_body_that_says_nothing_is_told_so(
    engine: Engine, client: TestClient, body: str
) -> None:
    reply = client.post("/hooks/mailer", content=body, headers=headers_for(body))
    assert reply.status_code == 422
    assert kept(engine) == 0


def test_hooks_have_no_limit_of_visits_but_one_of_size(client: TestClient) -> None:
    for number in range(60):
        sent = report(client, f"msg_{number}", type="opened", message_id="<one@shop.example>")
        assert sent.status_code == 200
    long = client.post("/hooks/mailer", content=b"x" * (MAX_PUSHED + 1))
    assert long.status_code == 413
