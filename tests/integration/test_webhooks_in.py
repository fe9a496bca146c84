"""Feedback that services push: only what they signed, each once for ever, nothing lost."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select
from standardwebhooks import Webhook

from apps.desk.app import create_app
from apps.desk.signatures import HookSecrets, is_typeform
from sources.base import RawFeedback, Rejected
from sources.catalogue import build
from tests.desk import database, kill_switch_of, make_client
from tests.factories import NOW, SECRET, make_company
from voc.company.sources import WebhookSource
from voc.models import (
    Consent,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Identity,
    InboundEvent,
    Quarantine,
    SourceCursor,
)
from voc.rules.sealing import Seal
from voc.store.database import transaction

KEY = "s3cret"
SHARED = "whsec_" + b64encode(b"a secret that we share with our shop").decode()
NPS: dict[str, Any] = {
    "kind": "webhook",
    "id": "nps_form",
    "provider": "typeform",
    "channel": "survey",
    "rating_scale": "nps",
    "columns": {
        "text": ["why", "reason"],
        "rating": "nps",
        "email": "mail",
        "account": "customer_id",
        "consent": "may_we",
        "touchpoint": "journey",
    },
}
SHOP: dict[str, Any] = {
    "kind": "webhook",
    "id": "shop",
    "provider": "standard",
    "channel": "review",
    "rating_scale": "stars",
    "columns": {
        "text": "data.review.text",
        "id": "data.review.id",
        "rating": "data.review.stars",
        "deleted": "data.review.gone",
    },
}
SECRETS = HookSecrets(
    by_name={"nps_form": SecretStr(KEY), "shop": SecretStr(SHARED), "slack": SecretStr(KEY)}
)


def answer(ref: str, kind: str, value: object) -> dict[str, object]:
    return {"field": {"id": f"id-{ref}", "type": kind, "ref": ref}, "type": kind, kind: value}


RESPONSE: dict[str, Any] = {
    "event_id": "01HX",
    "event_type": "form_response",
    "form_response": {
        "form_id": "lR6F4j",
        "token": "21085286190ffad1248d17c4135ee56f",
        "landed_at": "2026-03-01T09:11:02Z",
        "submitted_at": "2026-03-01T09:12:44Z",
        "hidden": {"customer_id": "C-1042", "journey": "delivery"},
        "definition": {"id": "lR6F4j", "title": "NPS", "fields": []},
        "answers": [
            answer("nps", "number", 3),
            answer("why", "text", "Parcel came late, écrivez à kim@example.com"),
            answer("reason", "choice", {"id": "aaa", "label": "Delivery", "ref": "del"}),
            answer("mail", "email", "kim@example.com"),
            answer("may_we", "boolean", True),
        ],
    },
}
FORM: dict[str, Any] = RESPONSE["form_response"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    company = make_company(
        sources=[NPS, SHOP], touchpoints=[{"id": "delivery", "stage": "purchase"}]
    )
    return make_client(
        create_app(
            engine=engine,
            company=company,
            secret=SECRET,
            clock=lambda: NOW,
            report=None,
            kill_switch=kill_switch_of(engine),
            hooks=SECRETS,
            ticks=lambda: 0.0,
        )
    )


def typeform(body: bytes, key: str = KEY) -> str:
    signature = b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    return f"sha256={signature}"


def push(client: TestClient, told: object, *, signature: str | None = None) -> int:
    body = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
    sent = (typeform(body) if signature is None else signature).encode()
    headers = {b"Typeform-Signature": sent}
    return client.post("/hooks/nps_form", content=body, headers=headers).status_code


def shop_push(client: TestClient, review: dict[str, object], number: str = "m1") -> int:
    body = json.dumps({"type": "review", "data": {"review": review}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SHARED).sign(number, now, body),
    }
    return client.post("/hooks/shop", content=body, headers=headers).status_code


def all_of(engine: Engine, model: type[Any]) -> list[Any]:
    with transaction(engine) as session:
        return list(session.exec(select(model)))


def test_the_signature_is_that_of_the_documentation() -> None:
    secrets = HookSecrets(by_name={"f": SecretStr("s3cr3t")})
    body = '{"a":"é"}'.encode()
    assert is_typeform(secrets, "f", body, "sha256=VcPYh8ICU9StRpP3jjZJKtDaDyOFrcOnRgNjy89NOyY=")


def test_a_response_becomes_feedback_with_its_words_masked(
    engine: Engine, client: TestClient
) -> None:
    assert push(client, RESPONSE) == 200
    (piece,) = all_of(engine, Feedback)
    (version,) = all_of(engine, FeedbackVersion)
    assert (piece.source, piece.external_id, piece.touchpoint) == (
        "nps_form",
        FORM["token"],
        "delivery",
    )
    assert (piece.rating, piece.rating_scale, piece.state) == (3.0, "nps", FeedbackState.COLLECTED)
    assert piece.said_at == datetime(2026, 3, 1, 9, 12, 44, tzinfo=UTC)
    assert version.verbatim == "Parcel came late, écrivez à [email]\n\nDelivery"
    assert {row.value for row in all_of(engine, Identity)} >= {"kim@example.com"}
    assert [row.granted for row in all_of(engine, Consent)] == [True]
    (event,) = all_of(engine, InboundEvent)
    assert (event.provider, event.event_id, event.outcome) == ("hook:nps_form", "01HX", "collected")
    assert event.applied_at is not None
    assert all_of(engine, SourceCursor)[0].read_at == NOW  # how fresh it is


def test_what_is_repeated_is_known_for_ever(engine: Engine, client: TestClient) -> None:
    for _ in range(3):
        assert push(client, RESPONSE) == 200
    changed = {**FORM, "answers": [answer("why", "text", "Edited."), answer("nps", "number", 9)]}
    assert push(client, RESPONSE | {"event_id": "02", "form_response": changed}) == 200
    assert push(client, RESPONSE) == 200  # an old delivery does not bring back the old words
    assert [piece.version for piece in all_of(engine, Feedback)] == [2]
    assert len(all_of(engine, InboundEvent)) == 2


def test_a_delivery_that_was_interrupted_is_taken_when_it_is_repeated(
    engine: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("voc.store.inbound.insert", lambda *_: 1 / 0)
        assert push(client, RESPONSE) == 500
    assert push(client, RESPONSE) == 200
    assert len(all_of(engine, Feedback)) == 1


@pytest.mark.parametrize("signature", ["", "sha256=", typeform(b"else"), "é", "x" * 5000])
def test_what_is_not_signed_leaves_nothing(
    engine: Engine, client: TestClient, signature: str
) -> None:
    assert push(client, RESPONSE, signature=signature) == 401
    for model in (Feedback, InboundEvent, Quarantine):
        assert all_of(engine, model) == []


@pytest.mark.parametrize(
    "told",
    [
        b"{",
        b"[]",
        b"\xff",
        {"event_type": "form_response", "event_id": "1", "form_response": None},
        RESPONSE | {"form_response": {**FORM, "token": None}},
        RESPONSE | {"form_response": {**FORM, "submitted_at": "soon"}},
        RESPONSE | {"form_response": {**FORM, "answers": []}},
        RESPONSE | {"form_response": {**FORM, "answers": [answer("nps", "number", 11)]}},
        RESPONSE | {"form_response": {**FORM, "answers": {"a": [[]]}, "hidden": [1]}},
    ],
)
def test_what_is_signed_and_no_feedback_waits_in_quarantine_with_its_reason(
    engine: Engine, client: TestClient, told: object
) -> None:
    assert push(client, told) == 200
    assert push(client, told) == 200
    (item,) = all_of(engine, Quarantine)
    assert (item.source, item.place) == ("nps_form", "nps_form")
    assert item.reason
    assert "kim@" not in item.reason
    assert all_of(engine, Feedback) == []
    (event,) = all_of(engine, InboundEvent)
    assert event.outcome == "quarantined"


def test_a_quarantined_response_is_read_again_after_a_fix(
    engine: Engine, client: TestClient
) -> None:
    late = RESPONSE | {"form_response": {**FORM, "answers": [answer("nps", "number", 11)]}}
    push(client, late)
    (item,) = all_of(engine, Quarantine)
    raw = Seal(SECRET).open(item.raw_encrypted)
    fixed = WebhookSource.model_validate(NPS | {"rating_scale": None, "columns": {"text": "nps"}})
    for config, kind in ((WebhookSource.model_validate(NPS), Rejected), (fixed, RawFeedback)):
        source = build(config, folder=Path(), secret=lambda _: None, seed=0)
        assert list(source.fetch(None)) == []
        assert isinstance(source.parse(raw), kind)


def test_other_events_of_a_form_are_taken_and_left(engine: Engine, client: TestClient) -> None:
    assert push(client, {"event_id": "9", "event_type": "form_response_partial"}) == 200
    assert all_of(engine, InboundEvent) == []


def test_any_standard_webhook_can_bring_feedback_and_take_it_back(
    engine: Engine, client: TestClient
) -> None:
    review: dict[str, object] = {"id": 7, "text": "Broke in a week", "stars": 1}
    assert shop_push(client, review) == 200
    (piece,) = all_of(engine, Feedback)
    assert (piece.external_id, piece.rating, piece.said_at) == ("7", 1.0, NOW)
    assert shop_push(client, review | {"gone": True}, "m2") == 200
    assert [each.state for each in all_of(engine, Feedback)] == [FeedbackState.FILED]
    assert [each.verbatim for each in all_of(engine, FeedbackVersion)] == [""]


def slack(client: TestClient, body: bytes, *, at: float | None = None, key: str = KEY) -> Any:
    moment = str(int(at or time.time()))
    signed = hmac.new(key.encode(), b"v0:" + moment.encode() + b":" + body, hashlib.sha256)
    headers = {
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={signed.hexdigest()}",
    }
    return client.post("/hooks/slack", content=body, headers=headers)


def test_slack_is_answered_when_it_is_slack(engine: Engine, client: TestClient) -> None:
    asked = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}).encode()
    assert slack(client, asked).json() == {"challenge": "3eZbrw1a"}
    pressed = slack(client, b"payload=%7B%22type%22%3A%22block_actions%22%7D")
    assert (pressed.status_code, pressed.content) == (200, b"")
    assert slack(client, b"[1]").status_code == 200
    assert slack(client, asked, at=time.time() - 301).status_code == 401
    assert slack(client, asked, at=time.time() + 301).status_code == 401
    assert slack(client, asked, key="other").status_code == 401
    assert client.post("/hooks/slack", content=asked).status_code == 401
    assert all_of(engine, InboundEvent) == []


@pytest.mark.parametrize("source_id", ["slack", "twilio", "a" * 28])
def test_an_address_that_is_taken_or_too_long_is_refused_in_the_company_file(
    source_id: str,
) -> None:
    with pytest.raises(ValueError, match="webhook's id"):
        WebhookSource.model_validate(NPS | {"id": source_id})
