"""Deploying into a real server, again and again, beside people who use its UI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule

from apps.cli.deploying import POOL, deploy_all
from apps.cli.deployments import for_company, read_automations, read_deployments
from voc.company.schedules import Schedules

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_server")]

T = TypeVar("T")


@pytest.fixture(autouse=True)
def clean_server(prefect_server: None) -> None:
    async def clean(client: PrefectClient) -> None:
        for deployment in await client.read_deployments():
            await client.delete_deployment(deployment.id)
        for variable in await client.read_variables():
            await client.delete_variable_by_name(variable.name)

    ask(clean)


def ask(work: Callable[[PrefectClient], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with get_client() as client:
            return await work(client)

    return asyncio.run(run())


def deploy(schedules: Schedules = Schedules()) -> dict[str, str]:  # noqa: B008  (frozen)
    async def work(client: PrefectClient) -> list[str]:
        deployments = for_company(read_deployments(), schedules)
        return [line async for line in deploy_all(client, deployments, read_automations())]

    return dict(line.split(": ", 1) for line in ask(work))


def found(name: str) -> DeploymentResponse:
    return ask(lambda client: client.read_deployment_by_name(name))


def crons(name: str) -> dict[str | None, str]:
    return {s.slug: getattr(s.schedule, "cron", "") for s in found(name).schedules}


def test_the_first_time_everything_is_created() -> None:
    told = deploy()

    assert told["loop/loop"] == "created; hourly 0 * * * * UTC"
    assert told["collect/collect"].endswith("(off)")
    loop = found("loop/loop")
    assert loop.entrypoint == "flows.loop.loop"
    assert (loop.work_pool_name, loop.work_queue_name) == (POOL, "bulk")
    assert loop.global_concurrency_limit is not None
    assert loop.global_concurrency_limit.limit == 1
    assert loop.concurrency_options is not None
    assert loop.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert "**The whole loop**" in str(loop.description)


def test_again_changes_nothing() -> None:
    deploy()
    before = found("loop/loop")

    told = deploy()

    assert told["loop/loop"] == "updated"
    after = found("loop/loop")
    assert after.schedules == before.schedules
    assert after.model_dump(exclude={"updated"}) == before.model_dump(exclude={"updated"})


def test_queues_are_served_in_their_order() -> None:
    deploy()

    async def priorities(client: PrefectClient) -> dict[str, int | None]:
        queues = await client.read_work_queues(work_pool_name=POOL)
        return {queue.name: queue.priority for queue in queues}

    assert {"urgent": 1, "bulk": 10}.items() <= ask(priorities).items()


def test_a_pause_a_switch_and_a_new_parameter_stay() -> None:
    deploy()

    async def use_the_ui(client: PrefectClient) -> None:
        loop = await client.read_deployment_by_name("loop/loop")
        await client.pause_deployment(loop.id)
        await client.update_deployment_schedule(loop.id, loop.schedules[0].id, active=False)

    ask(use_the_ui)

    told = deploy()

    assert told["loop/loop"] == "updated; paused, stays so; hourly is off, stays so"
    assert found("loop/loop").paused
    assert not found("loop/loop").schedules[0].active


def test_schedules_that_were_changed_or_added_in_the_ui_stay() -> None:
    deploy()

    async def use_the_ui(client: PrefectClient) -> None:
        loop = await client.read_deployment_by_name("loop/loop")
        often, rarely = (CronSchedule(cron=c, timezone="UTC") for c in ("7 * * * *", "0 3 * * *"))
        await client.update_deployment_schedule(loop.id, loop.schedules[0].id, schedule=often)
        await client.create_deployment_schedules(loop.id, [(rarely, True)])

    ask(use_the_ui)

    told = deploy(Schedules(loop="30 * * * *"))

    assert "hourly changed in the UI, kept; 1 schedule(s) added" in told["loop/loop"]
    assert crons("loop/loop") == {"hourly": "7 * * * *", None: "0 3 * * *"}


def test_a_schedule_that_was_deleted_in_the_ui_does_not_come_back() -> None:
    deploy()

    async def use_the_ui(client: PrefectClient) -> None:
        loop = await client.read_deployment_by_name("loop/loop")
        await client.delete_deployment_schedule(loop.id, loop.schedules[0].id)

    ask(use_the_ui)
    deploy()

    assert crons("loop/loop") == {}


def test_a_new_time_in_the_company_file_moves_an_untouched_schedule() -> None:
    deploy()

    told = deploy(Schedules(loop="30 * * * *"))

    assert told["loop/loop"] == "updated; hourly moved"
    assert crons("loop/loop") == {"hourly": "30 * * * *"}


def test_an_automation_is_there_once_and_stays_off() -> None:
    deploy()
    name = read_automations()[0]["name"]

    async def switch_off(client: PrefectClient) -> None:
        (automation,) = await client.read_automations_by_name(name)
        await client.pause_automation(automation.id)

    ask(switch_off)
    deploy()

    (automation,) = ask(lambda client: client.read_automations_by_name(name))
    assert not automation.enabled
