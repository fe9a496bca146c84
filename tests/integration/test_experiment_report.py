"""An experiment as it runs: drawn before anything leaves, written in its way, counted fairly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from typer.testing import CliRunner

from apps.cli.main import app
from tasks.workplace import workplace
from tests.outbox_cases import (
    NOW,
    POLICY,
    add_customer,
    add_loop,
    make_company,
    make_engine,
    plan_follow_up,
    queue,
    the_message,
)
from tests.small_company import COMPANY, write_company
from voc.actions import experiments
from voc.company.experiments import Experiment
from voc.company.model import Company
from voc.errors import NotFoundError
from voc.models import (
    Answer,
    Customer,
    Exposure,
    Feedback,
    FeedbackState,
    Loop,
    LoopKind,
    LoopState,
    Message,
    MessageState,
    Verdict,
)
from voc.models import Channel as FeedbackChannel
from voc.rules.comparing import Judgement
from voc.rules.contact import Why
from voc.rules.experiments import HOLD_OUT
from voc.store.database import transaction
from voc.store.upsert import insert_new

TONE: dict[str, Any] = {
    "id": "tone",
    "variants": [
        {"id": "plain"},
        {"id": "warm", "tone": "warm", "subject": "{{ company }}: good news"},
    ],
    "begins": "2026-01-01",
}


def company(**changes: Any) -> Company:
    one = Experiment.model_validate(TONE | changes)
    return make_company(POLICY).model_copy(update={"experiments": (one,)})


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(tmp_path)


def planned(engine: Engine, n: int, step: str = "resolution.1") -> list[int]:
    """The messages of *n* new customers."""
    ids = []
    for number in range(n):
        customer_id = add_customer(engine, f"kim{number}@customer.test")
        loop_id, _ = add_loop(engine, customer_id, action=f"We saw to case {number}.")
        ids.append(plan_follow_up(engine, loop_id, customer_id, step))
    return ids


def exposures(engine: Engine) -> dict[int, str]:
    with transaction(engine) as session:
        rows = session.exec(select(Exposure).order_by(col(Exposure.customer_id)))
        return {row.customer_id: row.variant for row in rows}


def words(message: Message) -> tuple[str, str]:
    mail = message_from_bytes(message.content or b"", policy=default)
    body = mail.get_body(("plain",))
    assert body is not None
    return str(mail["Subject"]), body.get_content()


def test_each_customer_gets_the_variant_that_is_written_down_for_them(engine: Engine) -> None:
    ids = planned(engine, 8)
    queue(engine, company=company())
    drawn = exposures(engine)
    assert set(drawn.values()) == {"plain", "warm"}
    for message in (the_message(engine, number) for number in ids):
        arm = drawn[message.customer_id or 0]
        assert message.variant == f"tone:{arm}"
        subject, text = words(message)
        assert (subject == "Noodles & Söhne: good news") == (arm == "warm")
        assert ("We are sorry that we let you down" in text) == (arm == "warm")


def test_the_hold_out_is_drawn_before_anything_is_sent_and_not_written_to(engine: Engine) -> None:
    (message_id,) = planned(engine, 1)
    queue(engine, company=company(hold_out=0.99))
    message = the_message(engine, message_id)
    assert (message.state, message.reason) == (MessageState.HELD, Why.HOLD_OUT)
    assert message.content is None
    assert message.variant == f"tone:{HOLD_OUT}"
    assert list(exposures(engine).values()) == [HOLD_OUT]


def test_who_cannot_be_written_to_counts_all_the_same(engine: Engine) -> None:
    customer_id = add_customer(engine, address=None)
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id)
    queue(engine, company=company())
    assert the_message(engine, message_id).state is MessageState.SUPPRESSED
    assert list(exposures(engine)) == [customer_id]


def test_the_first_draw_holds_whatever_the_company_file_says_later(engine: Engine) -> None:
    customer_id = add_customer(engine)
    for plain, warm in ((1e9, 1e-9), (1e-9, 1e9)):
        loop_id, _ = add_loop(engine, customer_id, verbatim=f"It is cold, {plain}.")
        plan_follow_up(engine, loop_id, customer_id)
        shares = [{"id": "plain", "share": plain}, {"id": "warm", "share": warm}]
        queue(engine, company=company(variants=shares))
    assert exposures(engine) == {customer_id: "plain"}
    with transaction(engine) as session:
        assert set(session.exec(select(Message.variant))) == {"tone:plain"}
        assert session.exec(select(Exposure.loop_id)).one() == 1  # the first that counted


@pytest.mark.parametrize(
    "changes", [{"message": "reminder"}, {"begins": "2026-03-03"}, {"ends": "2026-03-01"}]
)
def test_other_messages_and_other_days_are_no_part_of_it(
    engine: Engine, changes: dict[str, str]
) -> None:
    (message_id,) = planned(engine, 1)
    queue(engine, company=company(**changes))
    message = the_message(engine, message_id)
    assert (message.state, message.variant) == (MessageState.QUEUED, None)
    assert exposures(engine) == {}


# The report


def expose(session: Session, arm: str, n: int, at: datetime, solved: int = 0) -> None:
    """*n* customers of an arm, of whom some said that it is solved."""
    start = len(session.exec(select(Customer.id)).all()) + 1
    numbers = range(start, start + n)
    feedback = {"source": "s", "channel": FeedbackChannel.SURVEY, "state": FeedbackState.ROUTED}
    said = {"said_at": at, "collected_at": at, "version": 1}
    loop = {"kind": LoopKind.ISSUE, "state": LoopState.TOLD, "opened_at": at, "round": 1}
    exposure = {"experiment": "tone", "variant": arm, "at": at}
    answer = {"round": 1, "verdict": Verdict.SOLVED, "at": at + timedelta(days=1), "way": "page"}
    tables: Sequence[tuple[type[Any], list[dict[str, Any]]]] = (
        (Customer, [{"id": i, "created_at": at} for i in numbers]),
        (Feedback, [feedback | said | _of(i) for i in numbers]),
        (Loop, [loop | {"id": i, "feedback_id": i, "customer_id": i} for i in numbers]),
        (Exposure, [exposure | {"customer_id": i, "loop_id": i} for i in numbers]),
        (Answer, [answer | {"loop_id": i} for i in numbers[:solved]]),
    )
    for model, rows in tables:
        insert_new(session, model, rows)


def _of(number: int) -> dict[str, object]:
    return {"id": number, "external_id": f"f-{number}", "customer_id": number}


LONG_AGO = NOW - timedelta(days=30)


def test_the_report_compares_who_was_drawn_and_says_who_is_not_done(engine: Engine) -> None:
    with transaction(engine) as session:
        expose(session, "plain", 400, LONG_AGO, solved=120)
        expose(session, "warm", 400, LONG_AGO, solved=190)
        expose(session, "warm", 5, NOW - timedelta(days=2), solved=5)
        report = experiments.report(session, company(), "tone", now=NOW)
    plain, warm = report.arms
    assert (plain.tally.n, plain.tally.events) == (400, 120)
    assert (warm.tally.n, warm.tally.events, warm.tally.waiting) == (400, 190, 5)
    assert warm.judgement is Judgement.BETTER
    assert report.running
    assert not report.mismatch


def test_the_last_report_is_the_report_of_that_moment(engine: Engine) -> None:
    with transaction(engine) as session:
        expose(session, "warm", 40, LONG_AGO, solved=20)
        expose(session, "left the file", 4, LONG_AGO)
        expose(session, "plain", 30, LONG_AGO, solved=9)
    experiments.count(engine, company(), now=NOW - timedelta(days=1))
    with transaction(engine) as session:
        expose(session, "plain", 10, LONG_AGO, solved=1)
    experiments.count(engine, company(), now=NOW)
    with transaction(engine) as session:
        now_told = experiments.report(session, company(), "tone", now=NOW)
        expose(session, "plain", 10, LONG_AGO, solved=1)
        kept = experiments.last_report(session, company(), "tone", now=NOW)
    assert kept == now_told
    assert [arm.tally.n for arm in kept.arms] == [40, 40, 4]


def test_who_is_not_asked_cannot_answer_worse_but_may_come_back_more(engine: Engine) -> None:
    with transaction(engine) as session:
        for arm in ("plain", "warm", HOLD_OUT):
            expose(session, arm, 40, LONG_AGO)
        solved, came_back = (
            experiments.report(session, company(hold_out=0.3, outcome=o), "tone", now=NOW)
            for o in ("solved", "came_back")
        )
    assert [arm.difference is None for arm in solved.arms] == [True, False, True]
    assert [arm.difference is None for arm in came_back.arms] == [True, False, False]


def test_coming_back_is_another_issue_after_the_exposure(engine: Engine) -> None:
    with transaction(engine) as session:
        expose(session, "plain", 2, LONG_AGO)
        for number, kind in ((1, LoopKind.ISSUE), (2, LoopKind.THANKS)):
            again = LONG_AGO + timedelta(days=3)
            told = {"channel": FeedbackChannel.SURVEY, "said_at": again, "collected_at": again}
            row = Feedback(id=90 + number, source="s", external_id="x", customer_id=number, **told)
            row.external_id = f"again-{number}"
            session.add(row)
            session.flush()
            session.add(
                Loop(feedback_id=90 + number, customer_id=number, kind=kind, opened_at=again)
            )
        found = experiments.report(session, company(outcome="came_back"), "tone", now=NOW)
    assert (found.arms[0].tally.n, found.arms[0].tally.events) == (2, 1)


def test_an_unknown_experiment_names_those_that_there_are(engine: Engine) -> None:
    with transaction(engine) as session, pytest.raises(NotFoundError, match="there is: tone"):
        experiments.report(session, company(), "tune", now=NOW)


SETTINGS = """
experiments:
  - {id: tone, begins: 2026-01-01, variants: [{id: plain}, {id: warm, tone: warm}]}
"""


@pytest.fixture
def place(home: Path) -> Path:
    write_company(home)
    (home / "voc.yaml").write_text(COMPANY + SETTINGS, encoding="utf-8")
    return home


def voc(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_prints_draws_and_raises_the_alarm(place: Path) -> None:
    assert "tone" in voc("experiment", "list")
    nothing = json.loads(voc("experiment", "report", "tone", "--json"))
    assert nothing["picture"] is None
    with transaction(workplace().engine) as session:
        expose(session, "plain", 400, LONG_AGO, solved=120)
        expose(session, "warm", 250, LONG_AGO, solved=120)
    told = voc("experiment", "report", "tone")
    assert "better" in told
    assert "Alarm" in told
    picture = place / "reports" / "experiment-tone.svg"
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    found = json.loads(voc("experiment", "report", "tone", "--json"))
    assert found["picture"] == str(picture)
    assert found["sample_ratio_alarm"]
    warm = found["variants"][1]
    assert (warm["customers"], warm["events"], warm["verdict"]) == (250, 120, "better")
    assert warm["difference"][1] > 0
