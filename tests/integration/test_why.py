"""`voc why`, as it is typed: every reason, the strongest marked, and what stands behind it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from apps.cli.main import app
from tasks.workplace import Workplace, workplace
from tests.factories import (
    NOW,
    make_consent,
    make_customer,
    make_feedback,
    make_identity,
    make_loop,
    make_message,
    make_version,
    save,
)
from tests.story import write_company
from voc.actions.contact import stop_sms, unsubscribe
from voc.models import IdentityKind, MessageState, RehearsalClock
from voc.rules.contact import Why
from voc.rules.pseudonym import pseudonym
from voc.rules.sentences import SENTENCES
from voc.store.database import transaction

PHONE = "+441632960123"
STRICT = """
follow_up:
  cap_7_days: 1
  channels: [email, sms]
  countries: {DE: consent}
  quiet_from: "08:00"
  quiet_until: "12:00"
"""


def voc(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["why", *arguments], env={"COLUMNS": "200"})


def as_json(*arguments: str) -> dict[str, Any]:
    result = voc(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def shop(home: Path) -> Workplace:
    """Kim heard from us yesterday, and one more message waits."""
    write_company(home)
    file = home / "voc.yaml"
    kept = file.read_text(encoding="utf-8").partition("follow_up:")[0]
    file.write_text(kept + STRICT, encoding="utf-8")
    place = workplace()
    with transaction(place.engine) as session:
        save(session, RehearsalClock(moment=1, now=NOW))
        phone = make_identity(kind=IdentityKind.PHONE, value=PHONE)
        kim = make_customer(country="DE", timezone="Europe/Berlin")
        save(session, kim, make_identity(), phone, make_consent(at=NOW - timedelta(days=9)))
        save(session, make_feedback(), make_version(), make_loop())
        queued = {"settled_at": None, "address": "kim@customer.example", "message_id": "<2@x.test>"}
        yesterday = NOW - timedelta(days=1)
        thanks = {"step": "thanks", "template": "thanks", "settled_at": yesterday}
        save(session, make_message(id=1, state=MessageState.SENT, **thanks))
        receipt = {"step": "receipt", "template": "receipt", "state": MessageState.QUEUED}
        save(session, make_message(id=2, **receipt, **queued))
    return place


def test_a_waiting_message_tells_every_reason_and_until_when(shop: Workplace) -> None:
    result = voc("message", "2")

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Message 2: receipt of loop:1, queued")
    assert lines[1] == "  By email to k***@customer.example:"
    assert lines[2] == (
        " -> cap_7_days: they heard from us in the last 7 days, until 2026-03-08 09:00 UTC"
    )
    assert lines[3] == "    quiet_hours: it is quiet on their clock, until 2026-03-02 11:00 UTC"
    assert "    ground in DE: consent" in lines
    assert "    follow_up: agreed, 2026-02-21 09:00 UTC, survey" in lines
    assert "    counts against the caps: message 1: thanks of loop:1, sent, 2026-03-01" in (
        result.stdout
    )
    assert "    on their clock: 10:00 (Europe/Berlin)" in lines
    assert "    held out: no" in lines
    assert "kim@" not in result.stdout


def test_a_message_that_has_left_has_no_reasons(shop: Workplace) -> None:
    result = voc("message", "1")
    assert "It has left, or may have." in result.stdout
    assert as_json("message", "1")["ways"] == []


def test_a_customer_is_explained_for_each_channel(shop: Workplace) -> None:
    with transaction(shop.engine) as session:
        stop_sms(session, pseudonym(shop.secret, PHONE), 1, now=NOW)
    found = as_json("customer", "1")
    codes = {way["channel"]: [r["code"] for r in way["reasons"]] for way in found["ways"]}
    assert codes == {
        "email": [Why.CAP_7_DAYS, Why.QUIET_HOURS],
        "sms": [Why.STOPPED, Why.NO_CONSENT, Why.CAP_7_DAYS],
    }
    assert [each["address"] for each in found["suppressions"]] == ["***23"]
    assert [each["id"] for each in found["unsent"]] == [2]
    by_address = as_json("customer", " KIM@customer.example ")
    assert by_address == found


def test_an_opt_out_is_told_with_its_date_and_way(shop: Workplace) -> None:
    with transaction(shop.engine) as session:
        unsubscribe(session, 1, secret=shop.secret, how="unsubscribe page", now=NOW)
    lines = voc("customer", "1").stdout.splitlines()
    assert " -> opted_out: they asked us to stop" in lines
    assert "    follow_up: refused, 2026-03-02 09:00 UTC, unsubscribe page" in lines
    suppressed = "opted_out, 2026-03-02 09:00 UTC, unsubscribe page"
    assert f"    suppressed: k***@customer.example, {suppressed}" in lines
    assert f"    suppressed: ***23, {suppressed}" in lines


def test_the_kill_switch_and_the_approval_are_shown(shop: Workplace) -> None:
    shop.settings.kill_switch.touch()
    with transaction(shop.engine) as session:
        held = {"state": MessageState.HELD, "reason": Why.NEEDS_APPROVAL, "content": b"Hello"}
        more = {"needs_approval": True, "settled_at": None, "message_id": "<3@x.test>"}
        save(session, make_message(id=3, step="resolution.1", **held, **more))
    found = as_json("message", "3")
    codes = [reason["code"] for reason in found["ways"][0]["reasons"]]
    assert codes[0] == Why.KILL_SWITCH
    assert Why.NEEDS_APPROVAL in codes
    assert "approval: nobody has approved it" in voc("message", "3").stdout


def test_a_merged_message_names_the_one_that_says_it(shop: Workplace) -> None:
    with transaction(shop.engine) as session:
        merged = {"state": MessageState.CANCELLED, "reason": "merged", "message_id": None}
        save(session, make_message(id=3, subject="loop:9", merged_into_id=2, **merged))
    assert "cancelled (merged into message 2)" in voc("message", "3").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("message", "99"), "there is no message 99"),
        (("customer", "99"), "there is no customer 99"),
        (("customer", "lee@nowhere.example"), "we know no customer with this e-mail address"),
    ],
)
def test_who_is_not_there_is_said_in_one_sentence(
    shop: Workplace, arguments: tuple[str, str], told: str
) -> None:
    result = voc(*arguments)
    assert result.exit_code == 1
    assert result.stderr == f"voc: {told}\n"


def test_every_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Why)
