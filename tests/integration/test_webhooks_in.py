"""Feedback that services push: only what they signed, each once for ever, nothing lost."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
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
from apps.desk.guards import MAX_BODY, MAX_PUSHED
from apps.desk.signatures import HookSecrets, is_typeform
from sources.base import RawFeedback, Rejected
from sources.catalogue import build
from sources.webhook import read_pushed
from tests.desk import database, kill_switch_of, make_client
from tests.factories import NOW, SECRET, make_company
from voc.company.hooks import why_unheard
from voc.company.sources import WebhookSource
from voc.models import (
    Consent,
    Customer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Identity,
    InboundEvent,
    Quarantine,
    SourceCursor,
)
from voc.rules.sealing import Seal
from voc.settings import Settings
from voc.store.database import transaction

FEEDBACK = "apps.desk.hooks_feedback"
KEY = "a secret that we gave Typeform"
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
    by_name={
        "nps_form": (SecretStr(KEY),),
        "shop": (SecretStr(SHARED),),
        "slack": (SecretStr(KEY),),
    }
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


COMPANY = make_company(sources=[NPS, SHOP], touchpoints=[{"id": "delivery", "stage": "purchase"}])


def client_of(engine: Engine, secrets: HookSecrets) -> TestClient:
    return make_client(
        create_app(
            engine=engine,
            company=COMPANY,
            secret=SECRET,
            clock=lambda: NOW,
            report=None,
            kill_switch=kill_switch_of(engine),
            hooks=secrets,
            ticks=lambda: 0.0,
        )
    )


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return client_of(engine, SECRETS)


def typeform(body: bytes, key: str = KEY) -> str:
    signature = b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    return f"sha256={signature}"


def push(client: TestClient, told: object, *, signature: str | None = None) -> int:
    body = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
    sent = (typeform(body) if signature is None else signature).encode()
    headers = {b"Typeform-Signature": sent}
    return client.post("/hooks/nps_form", content=body, headers=headers).status_code


def shop_push(
    client: TestClient, review: dict[str, object], number: str = "m1", **others: object
) -> int:
    body = json.dumps({"type": "review", "data": {"review": review}} | others)
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
    secrets = HookSecrets(by_name={"f": (SecretStr("s3cr3t"),)})
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
    yes_is_11 = {"consent_yes": ["11"], "columns": {"text": "why", "deleted": "nps"}}
    gone = WebhookSource.model_validate(NPS | {"rating_scale": None} | yes_is_11)
    for config, kind in (
        (WebhookSource.model_validate(NPS), Rejected),
        (gone, Rejected),
        (fixed, RawFeedback),
    ):
        source = build(config, folder=Path(), secret=lambda _: None, seed=0)
        assert list(source.fetch(None)) == []
        assert isinstance(source.parse(raw), kind)
    broken = source.parse("{")
    assert isinstance(broken, Rejected)
    assert "whoever sent it" in broken.reason


def test_what_was_wrong_is_kept_whole_so_that_a_fix_may_name_another_part_of_it() -> None:
    told = {"timestamp": "2026-03-01T08:00:00Z", "data": {"review": {"id": 7}}, "why": "Late."}
    shop = WebhookSource.model_validate(SHOP)
    rejected = read_pushed(json.dumps(told).encode(), shop, now=NOW).found
    assert isinstance(rejected, Rejected)
    columns = shop.columns.model_copy(update={"text": "why"})
    fixed = shop.model_copy(update={"columns": columns})
    found = build(fixed, folder=Path(), secret=lambda _: None, seed=0).parse(rejected.raw)
    assert isinstance(found, RawFeedback)
    assert (found.verbatim, found.said_at) == ("Late.", datetime(2026, 3, 1, 8, tzinfo=UTC))


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


def test_what_was_taken_back_before_it_came_is_not_let_in(
    engine: Engine, client: TestClient
) -> None:
    review: dict[str, object] = {"id": 99, "text": "My secret words", "stars": 1}
    assert shop_push(client, review | {"gone": True}, "m1") == 200
    assert shop_push(client, review, "m2") == 200
    assert shop_push(client, review | {"id": 100}, "m3") == 200
    assert [piece.external_id for piece in all_of(engine, Feedback)] == ["100"]
    assert len(all_of(engine, Customer)) == 1


def test_an_older_delivery_that_comes_later_does_not_bring_its_words_back(
    engine: Engine, client: TestClient
) -> None:
    review: dict[str, object] = {"id": 5, "stars": 5}

    def told(words: str, number: str, **others: str) -> None:
        assert shop_push(client, review | {"text": words}, number, **others) == 200

    told("First.", "m1", timestamp="2026-03-01T08:00:00Z")
    told("Newest.", "m4", timestamp="2026-03-01T11:00:00Z")
    told("Between.", "m3", timestamp="2026-03-01T10:00:00Z")
    (piece,) = all_of(engine, Feedback)
    assert piece.said_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert [v.verbatim for v in all_of(engine, FeedbackVersion)] == ["First.", "Newest."]
    told("It says no time: it is the last that came.", "m5")
    assert all_of(engine, Feedback)[0].version == 3


def test_all_that_the_company_file_names_is_read_however_much_comes_along(
    engine: Engine, client: TestClient
) -> None:
    many: dict[str, object] = {f"x{number}": number for number in range(600)}
    review: dict[str, object] = {"id": 5, "text": "Hello.", "stars": 1}
    assert shop_push(client, review | many) == 200
    assert shop_push(client, {"gone": True} | review | many, "m2") == 200
    assert [each.state for each in all_of(engine, Feedback)] == [FeedbackState.FILED]

    columns = {"text": "a.b.c", "rating": "a.b.stars"}
    config = WebhookSource.model_validate(SHOP | {"columns": columns})
    bodies: tuple[tuple[dict[str, object], str], ...] = (
        ({"a.b": {"c": "x"}}, "x"),
        ({"a": {"b.c": "y"}}, "y"),
        ({"a": {"b": {"c": ["p", "q", {}]}}}, "p, q"),
    )
    for told, words in bodies:
        found = read_pushed(json.dumps(told).encode(), config, now=NOW).found
        assert isinstance(found, RawFeedback)
        assert found.verbatim == words
    too_many = read_pushed(json.dumps({"a": {"b.c": "y"}} | many).encode(), config, now=NOW)
    assert isinstance(too_many.found, Rejected)
    assert "columns.id" in too_many.found.reason


def test_what_was_chosen_and_what_was_typed_beside_it_are_both_kept(
    engine: Engine, client: TestClient
) -> None:
    beside = {"labels": ["Price", "Courier"], "other": "He shouted at me"}
    told = {**FORM, "answers": [answer("why", "choices", beside), answer("nps", "number", 3)]}
    push(client, RESPONSE | {"form_response": told})
    assert [v.verbatim for v in all_of(engine, FeedbackVersion)] == [
        "Price, Courier, He shouted at me"
    ]


@pytest.mark.parametrize("event_id", ["a\x00b", "\ud800", "x" * 300, {"a": [1]}])
def test_any_id_of_a_delivery_is_taken_and_known_again(
    engine: Engine, client: TestClient, event_id: object
) -> None:
    for _ in range(2):
        body = json.dumps(RESPONSE | {"event_id": event_id}).encode()
        assert push(client, body) == 200
    assert len(all_of(engine, InboundEvent)) == 1


def test_a_long_form_is_taken_and_one_that_is_too_long_leaves_a_line_in_the_log(
    engine: Engine, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    definition = {"fields": [{"title": "x" * MAX_BODY}]}
    assert push(client, RESPONSE | {"form_response": {**FORM, "definition": definition}}) == 200
    assert len(all_of(engine, Feedback)) == 1
    for _ in range(2):
        assert push(client, b"x" * (MAX_PUSHED + 1)) == 413
    assert [record.getMessage() for record in caplog.records if record.name == FEEDBACK] == [
        "a delivery of source nps_form was refused: 413 too long"
    ]


def test_a_source_whose_secret_is_wrong_leaves_a_line_in_the_log_and_no_word(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("nps_form", "nps_form", "shop", "nobody"):
        assert client.post(f"/hooks/{name}", json=RESPONSE).status_code == 401
    told = [record.getMessage() for record in caplog.records if record.name == FEEDBACK]
    assert [line.partition(" was refused: 401 ")[0] for line in told] == [
        "a delivery of source nps_form",
        "a delivery of source shop",
    ]
    assert "kim@" not in "".join(told)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ="])
def test_a_secret_that_anybody_can_guess_is_none(engine: Engine, secret: str) -> None:
    keys = {name: (SecretStr(secret),) for name in ("shop", "mailer")}
    keys |= {name: (SecretStr(""),) for name in ("nps_form", "slack")}
    client = client_of(engine, HookSecrets(by_name=keys))
    body = json.dumps(RESPONSE).encode()
    assert push(client, body, signature=typeform(body, "")) == 401
    assert slack(client, b"{}", key="").status_code == 401
    moment = str(int(time.time()))
    key = b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, b"m1." + moment.encode() + b"." + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{b64encode(signed).decode()}",
    }
    for name in ("shop", "mailer"):
        assert client.post(f"/hooks/{name}", content=body, headers=headers).status_code == 401
    assert all_of(engine, InboundEvent) == all_of(engine, Feedback) == []


@pytest.mark.parametrize("secrets", ["", "too short", [], ["long enough to be a secret", ""]])
def test_a_secret_that_is_none_is_refused_at_the_start(secrets: object) -> None:
    with pytest.raises(ValueError, match="webhook_secrets"):
        Settings.model_validate({"webhook_secrets": {"nps_form": secrets}})


def test_a_secret_has_to_be_one_that_its_provider_can_sign_with() -> None:
    given = {"nps_form": KEY, "slack": KEY, "shop": [SHARED, SHARED]}
    found = Settings.model_validate({"webhook_secrets": given}).webhook_secrets
    assert [why_unheard(COMPANY, name, keys) for name, keys in found.items()] == [None] * 3
    assert "whsec_" in (why_unheard(COMPANY, "shop", (SecretStr(SHARED), SecretStr(KEY))) or "")
    assert "whsec_" in (why_unheard(COMPANY, "mailer", (SecretStr(KEY),)) or "")


def test_a_secret_can_be_changed_while_both_are_in_use(engine: Engine) -> None:
    new = "another secret, as long"
    both = HookSecrets(by_name={"nps_form": (SecretStr(KEY), SecretStr(new))})
    client = client_of(engine, both)
    for number, key in enumerate((KEY, new)):
        body = json.dumps(RESPONSE | {"event_id": str(number)}).encode()
        assert push(client, body, signature=typeform(body, key)) == 200
    assert push(client, b"{}", signature=typeform(b"{}", "neither of the two")) == 401


def test_what_programs_are_refused_is_a_problem_and_no_page(client: TestClient) -> None:
    told = [
        client.post("/hooks/nps_form", json={}),
        client.get("/hooks/nps_form"),
        client.post("/hooks/nps_form/", json={}, follow_redirects=False),
        client.post("/hooks/shop", content=b"x" * (MAX_PUSHED + 1)),
    ]
    assert [response.status_code for response in told] == [401, 405, 404, 413]
    assert {response.headers["content-type"] for response in told} == {"application/problem+json"}
    assert told[1].headers["allow"] == "POST"
    assert "signed" in told[0].json()["detail"]


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
