"""Approving through Prefect: the run pauses with a form, and does what the form says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.flow_runs import resume_flow_run
from prefect.input.run_input import keyset_from_paused_state

from flows.approve import approve
from tasks.workplace import workplace
from tests.factories import make_customer, make_feedback, make_loop, make_message, save
from voc.actions.approval import fingerprint
from voc.models import Message, MessageState
from voc.rules.contact import Why
from voc.store.database import transaction

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_server")]

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET_WORDS = "the courier was rude"


@pytest.fixture
def waiting(found_company: Callable[..., Path]) -> list[Message]:
    """Four messages that wait, about one loop."""
    found_company()
    with transaction(workplace().engine) as session:
        save(session, make_customer(), make_feedback(), make_loop())
        rows = [
            make_message(
                id=number,
                step=f"reminder.{number}",
                template="reminder",
                state=MessageState.HELD,
                reason=Why.NEEDS_APPROVAL,
                needs_approval=True,
                message_id=f"<{number}@shop.example>",
                content=f"{number}: {SECRET_WORDS}".encode(),
            )
            for number in (1, 2, 3, 4)
        ]
        save(session, *rows)
    return rows


def start() -> FlowRun:
    """A run of the deployment, as far as it goes by itself."""
    deployment_id = approve.to_deployment(name="approve").apply()
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(deployment_id, parameters={"now": NOW})
    return go_on(run)


def go_on(run: FlowRun) -> FlowRun:
    """What a worker does with a run that is scheduled: start it from the top."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run.id)
        with suppress(Pause):  # how it leaves its process when it is suspended
            run_flow(approve, flow_run=run, parameters={"now": NOW}, return_type="state")
        return client.read_flow_run(run.id)


def form_of(run: FlowRun) -> tuple[str, dict[str, Any]]:
    """What the dialog shows: the introduction, and the form's fields."""
    assert run.state is not None
    keys = keyset_from_paused_state(run.state)
    with get_client(sync_client=True) as client:
        shown, schema = (
            client.request(
                "GET",
                "/flow_runs/{id}/input/{key}",
                path_params={"id": run.id, "key": keys[name]},
            ).json()
            for name in ("description", "schema")
        )
    return shown, schema["properties"]


def states() -> dict[int, str]:
    with transaction(workplace().engine) as session:
        rows = [session.get_one(Message, number) for number in (1, 2, 3, 4)]
        return {row.id or 0: row.state.value for row in rows}


def test_a_person_decides_in_the_form_and_only_what_they_were_shown_is_done(
    waiting: list[Message],
) -> None:
    run = start()
    assert run.state is not None
    assert run.state.is_paused(), run.state
    shown, fields = form_of(run)
    assert f"| 1 | reminder | 1 | `{fingerprint(waiting[0])}` |" in shown
    assert SECRET_WORDS not in f"{shown} {fields}"
    assert "customer.example" not in f"{shown} {fields}"
    assert {"approver", "approve", "refuse", "why", "seen"} <= set(fields)

    with transaction(workplace().engine) as session:  # one is written anew while it is decided
        session.get_one(Message, 2).content = b"other words"
    answer = {
        "approver": "Ada",
        "approve": [1, 2, 99],
        "refuse": [3],
        "why": "It promises too much.",
        "seen": fields["seen"]["default"],
    }
    resume_flow_run(run.id, run_input=answer)
    run = go_on(run)

    assert run.state is not None
    assert run.state.is_completed(), run.state
    assert states() == {1: "queued", 2: "held", 3: "cancelled", 4: "held"}
    with transaction(workplace().engine) as session:
        approved = session.get_one(Message, 1)
        assert (approved.approved_by, approved.approved_at) == ("Ada", NOW)
        assert session.get_one(Message, 3).refusal == "It promises too much."


def test_without_a_name_or_a_reason_nothing_is_decided(waiting: list[Message]) -> None:
    run = start()
    seen = form_of(run)[1]["seen"]["default"]
    with pytest.raises(RuntimeError, match="Cannot resume"):
        resume_flow_run(run.id, run_input={"approve": [1], "seen": seen})
    answer = {"approver": "Ada", "approve": [1], "refuse": [3], "seen": seen}
    resume_flow_run(run.id, run_input=answer)
    run = go_on(run)
    assert run.state is not None
    assert run.state.is_failed()
    assert "say why" in str(run.state.message)
    assert set(states().values()) == {"held"}


def test_when_nothing_waits_it_ends_at_once(found_company: Callable[..., Path]) -> None:
    found_company()
    assert approve(now=NOW) == {"waiting": 0}
