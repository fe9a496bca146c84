"""`prefect.yaml`: what is in it loads, explains itself, and never runs twice at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prefect.events.schemas.automations import AutomationCore
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from apps.cli.deployments import (
    ROOT,
    Deployment,
    Timing,
    for_company,
    read_automations,
    read_deployments,
)
from apps.cli.schedule_changes import Change, decide
from voc.company.schedules import Schedules
from voc.errors import ConfigurationError

DEPLOYMENTS = read_deployments()
each_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d.name)


def flow_of(deployment: Deployment) -> Flow[..., Any]:
    return load_flow_from_entrypoint(deployment.entrypoint, use_placeholder_flow=False)


def test_every_stage_and_the_loop_are_deployed() -> None:
    stages = {path.stem.replace("_", "-") for path in (ROOT / "flows").glob("[a-z]*.py")}

    assert {deployment.name for deployment in DEPLOYMENTS} == stages


@each_deployment
def test_a_deployment_loads_and_takes_its_parameters(deployment: Deployment) -> None:
    flow = flow_of(deployment)

    assert flow.name == deployment.name
    assert set(flow.validate_parameters(deployment.parameters)) <= {"params", "now"}


@each_deployment
def test_a_deployment_tells_operations_what_it_does_and_when_to_run_it(
    deployment: Deployment,
) -> None:
    assert deployment.description.startswith("**")
    assert "*Run it by hand*" in deployment.description
    assert deployment.tags == ["voc", "team:cx"]


@each_deployment
def test_a_deployment_runs_once_at_a_time_and_is_not_queued(deployment: Deployment) -> None:
    limit = deployment.concurrency_limit

    assert (limit.limit, limit.collision_strategy) == (1, "CANCEL_NEW")


@each_deployment
def test_a_schedule_has_a_slug_and_a_time_zone(deployment: Deployment) -> None:
    assert deployment.schedules
    for schedule in deployment.schedules:
        assert schedule.slug
        assert ZoneInfo(schedule.timezone)


@each_deployment
def test_a_run_sends_a_heartbeat_often_enough_for_the_automation(deployment: Deployment) -> None:
    heartbeat = int(deployment.work_pool.job_variables["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    within = read_automations()[0]["trigger"]["within"]

    assert heartbeat * 3 <= within


@each_deployment
def test_every_parameter_is_a_field_with_a_title_and_a_description(
    deployment: Deployment,
) -> None:
    schema = parameter_schema(flow_of(deployment)).model_dump(exclude_unset=True)

    for parameter in schema["properties"].values():
        assert parameter.get("description") or "$ref" in parameter  # then the model has one
    for model in schema.get("definitions", {}).values():
        assert model["description"]
        for field in model["properties"].values():
            assert field["title"][0].isupper()
            assert field.get("description") or "$ref" in field


def test_what_goes_out_is_served_before_what_takes_long() -> None:
    queues = {d.name: d.work_pool.work_queue_name for d in DEPLOYMENTS}

    assert {n for n, queue in queues.items() if queue == "urgent"} == {
        "follow-up",
        "close",
        "approve",
    }


def test_stages_that_the_loop_covers_wait_for_a_person() -> None:
    active = {d.name for d in DEPLOYMENTS if any(s.active for s in d.schedules)}

    assert active == {"loop", "follow-up", "close", "measure", "learn"}


def test_the_automations_are_such_as_prefect_takes() -> None:
    names = [AutomationCore.model_validate(entry).name for entry in read_automations()]

    assert len(set(names)) == len(names) == 2


def test_the_company_file_says_when_and_where_the_clock_is() -> None:
    said = Schedules(timezone="Europe/Berlin", follow_up="*/5 * * * *")

    timed = {d.name: d.schedules[0].timing for d in for_company(DEPLOYMENTS, said)}

    assert timed["follow-up"] == Timing(cron="*/5 * * * *", timezone="Europe/Berlin")
    assert timed["loop"] == Timing(cron="0 * * * *", timezone="Europe/Berlin")


def test_a_company_that_says_nothing_changes_nothing() -> None:
    assert for_company(DEPLOYMENTS, Schedules()) == DEPLOYMENTS


DEPLOYMENTS_YAML = (ROOT / "prefect.yaml").read_text(encoding="utf-8")


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_text(DEPLOYMENTS_YAML.replace("schedules:", "shedules:"), encoding="utf-8")

    with pytest.raises(ConfigurationError, match="shedules"):
        read_deployments(path)


NINE, TEN, ELEVEN = (Timing(cron=f"0 {hour} * * *") for hour in (9, 10, 11))


@pytest.mark.parametrize(
    ("wanted", "found", "deployed", "change"),
    [
        ({"s": NINE}, {}, {}, Change.ADD),
        ({"s": NINE}, {"s": NINE}, {"s": NINE}, Change.LEAVE),
        ({"s": TEN}, {"s": NINE}, {"s": NINE}, Change.MOVE),
        ({"s": TEN}, {"s": ELEVEN}, {"s": NINE}, Change.RESPECT),
        ({"s": TEN}, {"s": None}, {"s": NINE}, Change.RESPECT),
        ({"s": TEN}, {}, {"s": NINE}, Change.RESPECT),
        ({"s": TEN}, {"s": NINE}, {}, Change.RESPECT),
        ({}, {"s": NINE}, {"s": NINE}, Change.REMOVE),
        ({}, {"s": ELEVEN}, {"s": NINE}, Change.RESPECT),
        ({}, {}, {"s": NINE}, Change.LEAVE),
    ],
)
def test_only_what_nobody_touched_since_is_changed(
    wanted: dict[str, Timing],
    found: dict[str, Timing | None],
    deployed: dict[str, Timing],
    change: Change,
) -> None:
    assert decide(wanted, found, deployed) == {"s": change}


def test_a_schedule_of_others_is_none_of_our_business() -> None:
    assert "theirs" not in decide({"s": NINE}, {"s": NINE, "theirs": TEN}, {"s": NINE})
