"""Unsubscribing: at once, for good, from every address, whatever the mail program sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete
from sqlmodel import col, select

from tests.desk import database, make_client, make_desk
from tests.factories import (
    NOW,
    SECRET,
    make_company,
    make_consent,
    make_customer,
    make_identity,
    make_message,
    save,
    save_told_loop,
)
from voc.actions.contact import start_sms, stop_sms, unsubscribe
from voc.models import (
    Consent,
    DeliveryChannel,
    Identity,
    IdentityKind,
    Link,
    MessageState,
    Purpose,
    Suppression,
)
from voc.rules.contact import Why, silences
from voc.rules.pseudonym import pseudonym
from voc.rules.tokens import token_hash
from voc.store.contact import facts_for, suppress, ways_to
from voc.store.database import transaction

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PHONE = "+441632960123"
THEIR_NUMBER = pseudonym(SECRET, PHONE)
STOPPED = {Why.STOPPED, Why.NO_CONSENT}
BOTH_WAYS = {"channels": ["email", "sms"], "sms_quiet_from": "23:00", "sms_quiet_until": "05:00"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_told_loop(session)
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


def suppressed(engine: Engine) -> dict[str, str]:
    with transaction(engine) as session:
        return {row.address_hash: row.reason for row in session.exec(select(Suppression))}


def consents(engine: Engine) -> list[tuple[bool, str]]:
    with transaction(engine) as session:
        rows = session.exec(select(Consent).order_by(Consent.id))  # type: ignore[arg-type]
        return [(row.granted, row.how) for row in rows]


def newest_consents(engine: Engine) -> dict[Purpose, bool]:
    with transaction(engine) as session:
        return {row.purpose: row.granted for row in session.exec(select(Consent).order_by("id"))}


def a_phone() -> Identity:
    return make_identity(kind=IdentityKind.PHONE, value=PHONE)


def reasons(
    engine: Engine, now: datetime = NOW, customer_id: int = 1
) -> dict[DeliveryChannel, set[Why]]:
    """Why this customer is not written to, by channel."""
    company = make_company(follow_up=BOTH_WAYS)
    with transaction(engine) as session:
        ways = ways_to(
            session, customer_id, company=company, secret=SECRET, kill_switch=False, now=now
        )
    found = {way.channel: silences(way, company.follow_up, now) for way in ways}
    return {channel: {s.reason for s in each if not s.until} for channel, each in found.items()}


@pytest.mark.parametrize(
    "body", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}]
)
def test_one_click_of_a_mail_program_is_obeyed_at_once(
    engine: Engine, client: TestClient, body: dict[str, dict[str, str]]
) -> None:
    response = client.post("/u/silence", **body, follow_redirects=False)  # type: ignore[arg-type]
    assert response.status_code == 200
    assert suppressed(engine) == {pseudonym(SECRET, "kim@customer.example"): "opted_out"}
    assert consents(engine) == [
        (True, "survey"),
        (False, "one-click unsubscribe"),  # to mails
        (False, "one-click unsubscribe"),  # and to text messages
    ]


def test_the_page_has_one_button_and_it_works(engine: Engine, client: TestClient) -> None:
    page = client.get("/u/silence")
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert 'name="button" value="stop"' in page.text
    done = client.post("/u/silence", data={"button": "stop"})
    assert "You will get no more mails" in done.text
    assert "last one" not in done.text
    assert consents(engine)[-1] == (False, "unsubscribe page")


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"button": "no"},
        {"List-Unsubscribe": "one click"},
        {"List-Unsubscribe": "One-Click", "button": "stop"},
        {"verdict": "solved"},
    ],
)
def test_anything_else_has_no_effect(
    engine: Engine, client: TestClient, typed: dict[str, str]
) -> None:
    assert client.post("/u/silence", data=typed).status_code == 422
    assert suppressed(engine) == {}
    assert consents(engine) == [(True, "survey")]


@pytest.mark.parametrize("token", ["answer", "nonsense"])
def test_a_link_for_something_else_silences_nobody(
    engine: Engine, client: TestClient, token: str
) -> None:
    assert client.get(f"/u/{token}").status_code == 404
    assert client.post(f"/u/{token}", data=ONE_CLICK).status_code == 404
    assert suppressed(engine) == {}


def test_repeating_it_changes_nothing(engine: Engine, client: TestClient) -> None:
    client.post("/u/silence", data=ONE_CLICK)
    before = suppressed(engine), consents(engine)
    assert client.post("/u/silence", data={"button": "stop"}).status_code == 200
    assert (suppressed(engine), consents(engine)) == before


def test_a_message_that_is_just_being_handed_over_is_not_kept_secret(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        sending = {"state": MessageState.SENDING, "settled_at": None, "message_id": "<3@x.example>"}
        save(session, make_message(id=3, step="reminder.1", **sending))
    assert "may still reach you" in client.post("/u/silence", data=ONE_CLICK).text


def test_every_address_of_the_customer_falls_silent_and_that_of_the_mail_too(
    engine: Engine,
) -> None:
    with transaction(engine) as session:
        save(session, make_identity(value="kim@work.example"), a_phone())
        unsubscribe(session, 1, secret=SECRET, how="test", now=NOW, address="old@gone.example")
    theirs = ("kim@customer.example", "kim@work.example", "old@gone.example", PHONE)
    assert suppressed(engine) == {pseudonym(SECRET, a): "opted_out" for a in theirs}


def test_stop_by_text_silences_the_number_and_no_mail(engine: Engine) -> None:
    with transaction(engine) as session:
        save(session, a_phone())
        assert stop_sms(session, THEIR_NUMBER, 1, now=NOW) is False
        assert stop_sms(session, THEIR_NUMBER, 1, now=NOW) is False  # said twice
    assert suppressed(engine) == {THEIR_NUMBER: "stopped"}
    assert newest_consents(engine) == {Purpose.FOLLOW_UP: True, Purpose.FOLLOW_UP_SMS: False}
    assert reasons(engine) == {DeliveryChannel.EMAIL: set(), DeliveryChannel.SMS: STOPPED}


def test_start_takes_back_a_stop(engine: Engine) -> None:
    with transaction(engine) as session:
        save(session, a_phone())
        stop_sms(session, THEIR_NUMBER, 1, now=NOW)
        assert start_sms(session, THEIR_NUMBER, 1, now=NOW) is True
        assert start_sms(session, THEIR_NUMBER, 1, now=NOW) is False
    assert suppressed(engine) == {}
    assert reasons(engine) == {DeliveryChannel.EMAIL: set(), DeliveryChannel.SMS: set()}


@pytest.mark.parametrize("first", ["stop", "page"])
def test_start_does_not_bring_back_who_unsubscribed_from_everything(
    engine: Engine, first: str
) -> None:
    with transaction(engine) as session:
        save(session, a_phone())
        if first == "stop":
            stop_sms(session, THEIR_NUMBER, 1, now=NOW)
        unsubscribe(session, 1, secret=SECRET, how="unsubscribe page", now=NOW)
        if first == "page":
            stop_sms(session, THEIR_NUMBER, 1, now=NOW)
        assert start_sms(session, THEIR_NUMBER, 1, now=NOW) is False
    assert set(suppressed(engine).values()) == {"opted_out"}
    assert set(newest_consents(engine).values()) == {False}


def test_start_does_not_lift_what_stop_did_not_make(engine: Engine) -> None:
    with transaction(engine) as session:
        save(session, a_phone())
        suppress(session, THEIR_NUMBER, reason=Why.BOUNCED, how="provider", now=NOW)
        stop_sms(session, THEIR_NUMBER, 1, now=NOW)
        assert start_sms(session, THEIR_NUMBER, 1, now=NOW) is False
    assert suppressed(engine) == {THEIR_NUMBER: "bounced"}


def test_stop_from_a_number_that_we_do_not_know_is_kept(engine: Engine) -> None:
    with transaction(engine) as session:
        stop_sms(session, THEIR_NUMBER, None, now=NOW)
    with transaction(engine) as session:
        save(session, a_phone(), make_consent(purpose=Purpose.FOLLOW_UP_SMS))
    assert reasons(engine)[DeliveryChannel.SMS] == {Why.STOPPED}


def test_who_unsubscribed_and_is_imported_again_stays_silent(engine: Engine) -> None:
    later = NOW + timedelta(days=100)
    with transaction(engine) as session:
        save(session, a_phone())
        unsubscribe(session, 1, secret=SECRET, how="unsubscribe page", now=NOW)
        for purpose in Purpose:  # a list says that they agreed
            save(session, make_consent(purpose=purpose, how="list", at=later))
        save(session, make_identity(value="kim@new.example", at=later))
    found = reasons(engine, later)
    assert list(found.values()) == [{Why.OPTED_OUT}, {Why.OPTED_OUT}]
    with transaction(engine) as session:
        session.exec(delete(Identity).where(col(Identity.customer_id) == 1))
        save(session, make_customer(id=2), make_identity(customer_id=2))
        save(session, make_consent(customer_id=2, how="list"))
    assert Why.OPTED_OUT in reasons(engine, later, customer_id=2)[DeliveryChannel.EMAIL]


def test_the_first_reason_for_silence_stays(engine: Engine, client: TestClient) -> None:
    key = pseudonym(SECRET, "kim@customer.example")
    with transaction(engine) as session:
        save(session, Suppression(address_hash=key, reason="complained", how="provider", at=NOW))
    client.post("/u/silence", data=ONE_CLICK)
    assert suppressed(engine) == {key: "complained"}


def test_a_consent_that_a_source_dates_later_does_not_outlive_it(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        save(session, make_consent(at=NOW + timedelta(days=1)))
    client.post("/u/silence", data=ONE_CLICK)
    with transaction(engine) as session:
        facts = facts_for(
            session, [1], company=make_company(), secret=SECRET, kill_switch=False, now=NOW
        )[1]
    assert facts.consent is False
    assert facts.suppressed == "opted_out"


def test_an_old_mail_can_still_be_used_to_stop_them(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        session.get_one(Link, token_hash("silence")).expires_at = NOW - timedelta(days=400)
    assert client.post("/u/silence", data=ONE_CLICK).status_code == 200
    assert len(suppressed(engine)) == 1
