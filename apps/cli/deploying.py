"""Putting deployments into a Prefect server, without undoing what operations changed there.

`prefect deploy` unpauses what was paused, switches schedules on again and deletes those that
were added in the UI. Here a deployment that exists already is changed without its schedules
and its pause, and each schedule by itself (`apps.cli.schedule_changes`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    VariableCreate,
    VariableUpdate,
    WorkPoolCreate,
)
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from apps.cli.deployments import Deployment, Schedule, Timing
from apps.cli.schedule_changes import Change, decide

POOL = "voc-pool"
QUEUES = {"urgent": 1, "bulk": 10}  # the lower number is served first
MEMORY = "voc_schedules"
"""The Prefect variable that says which schedules were deployed the last time."""

Memory = dict[str, dict[str, dict[str, str]]]


async def deploy_all(
    client: PrefectClient,
    deployments: Sequence[Deployment],
    automations: Sequence[Mapping[str, Any]],
) -> AsyncIterator[str]:
    """Bring the server up to date; says what was done, a line a thing."""
    async for line in _ensure_pool(client):
        yield line
    remembered = await _recall(client)
    for deployment in deployments:
        name, told = await _deploy(client, deployment, remembered)
        yield f"{name}: {told}"
    await _remember(client, remembered)
    for automation in automations:
        yield await _automate(client, AutomationCore.model_validate(automation))


async def _ensure_pool(client: PrefectClient) -> AsyncIterator[str]:
    """Create the pool and its queues if they are not there; what is there is not touched."""
    try:
        await client.create_work_pool(
            WorkPoolCreate(
                name=POOL,
                type="process",
                base_job_template=ProcessWorker.get_default_base_job_template(),
            )
        )
        yield f"work pool {POOL}: created"
    except ObjectAlreadyExists:
        pass
    for queue, priority in QUEUES.items():
        try:
            await client.create_work_queue(name=queue, priority=priority, work_pool_name=POOL)
            yield f"work queue {queue}: created"
        except ObjectAlreadyExists:
            pass


async def _deploy(
    client: PrefectClient, deployment: Deployment, remembered: Memory
) -> tuple[str, str]:
    """Create or update one deployment; its name, and what was done."""
    # Without a placeholder: an import error must show now, not in the first run.
    flow: Flow[..., Any] = load_flow_from_entrypoint(
        deployment.entrypoint, use_placeholder_flow=False
    )
    name = f"{flow.name}/{deployment.name}"
    try:
        found = await client.read_deployment_by_name(name)
    except ObjectNotFound:
        await _create(client, flow, deployment)
        remembered[name] = _memory_of(deployment)
        told = ", ".join(f"{s.slug} {s.timing}{_off(s.active)}" for s in deployment.schedules)
        return name, f"created; {told or 'no schedule'}"
    await client.update_deployment(
        found.id, DeploymentUpdate.model_validate(_facts(flow, deployment))
    )
    told = await _schedule(client, found, deployment, remembered.get(name, {}))
    remembered[name] = _memory_of(deployment)
    return name, f"updated{'; paused, stays so' if found.paused else ''}{told}"


async def _create(client: PrefectClient, flow: Flow[..., Any], deployment: Deployment) -> None:
    await client.create_deployment(
        flow_id=await client.create_flow_from_name(flow.name),
        name=deployment.name,
        schedules=[_schedule_create(schedule) for schedule in deployment.schedules],
        parameters=deployment.parameters,
        **_facts(flow, deployment),
    )


def _facts(flow: Flow[..., Any], deployment: Deployment) -> dict[str, Any]:
    """What belongs to our files. Schedules, pause and default parameters belong to operations."""
    limit = deployment.concurrency_limit
    return {
        "version": version("vocloop"),
        "entrypoint": deployment.entrypoint,
        "description": deployment.description,
        "tags": deployment.tags,
        "work_pool_name": deployment.work_pool.name,
        "work_queue_name": deployment.work_pool.work_queue_name,
        "job_variables": deployment.work_pool.job_variables,
        "concurrency_limit": limit.limit,
        "concurrency_options": ConcurrencyOptions(
            collision_strategy=ConcurrencyLimitStrategy(limit.collision_strategy)
        ),
        "parameter_openapi_schema": parameter_schema(flow).model_dump(exclude_unset=True),
        "enforce_parameter_schema": True,
    }


async def _schedule(
    client: PrefectClient,
    found: DeploymentResponse,
    deployment: Deployment,
    deployed: Mapping[str, Mapping[str, str]],
) -> str:
    """Change what may be changed of a deployment's schedules; says what is not as wanted."""
    wanted = {schedule.slug: schedule for schedule in deployment.schedules}
    there = {entry.slug: entry for entry in found.schedules if entry.slug}
    changes = decide(
        {slug: schedule.timing for slug, schedule in wanted.items()},
        {slug: _timing(entry.schedule) for slug, entry in there.items()},
        {slug: Timing.model_validate(timing) for slug, timing in deployed.items()},
    )
    for slug, change in changes.items():
        match change:
            case Change.ADD:
                await client.create_deployment_schedules(found.id, [_schedule_create(wanted[slug])])
            case Change.MOVE:
                await client.update_deployment_schedule(
                    found.id, there[slug].id, schedule=_cron(wanted[slug].timing)
                )
            case Change.REMOVE:
                await client.delete_deployment_schedule(found.id, there[slug].id)
    notes = [f"{slug} {change}" for slug, change in changes.items() if change != Change.LEAVE]
    notes += [
        f"{slug} is off, stays so"
        for slug, entry in there.items()
        if not entry.active and slug in wanted and wanted[slug].active
    ]
    foreign = sum(1 for entry in found.schedules if entry.slug not in changes)
    notes += [f"{foreign} schedule(s) added in the UI, kept"] if foreign else []
    return "".join(f"; {note}" for note in notes)


async def _automate(client: PrefectClient, automation: AutomationCore) -> str:
    """Create an automation, or bring the one of that name up to date."""
    same_name = await client.read_automations_by_name(automation.name)
    if not same_name:
        await client.create_automation(automation)
        return f"automation {automation.name}: created"
    found = same_name[0]
    await client.update_automation(
        found.id, automation.model_copy(update={"enabled": found.enabled})
    )
    return f"automation {automation.name}: updated{_off(found.enabled)}"


async def _recall(client: PrefectClient) -> Memory:
    variable = await client.read_variable_by_name(MEMORY)
    found = variable.value if variable else None
    return found if isinstance(found, dict) else {}


async def _remember(client: PrefectClient, memory: Memory) -> None:
    if await client.read_variable_by_name(MEMORY) is None:
        await client.create_variable(VariableCreate(name=MEMORY, value=memory, tags=["voc"]))
    else:
        await client.update_variable(VariableUpdate(name=MEMORY, value=memory))


def _memory_of(deployment: Deployment) -> dict[str, dict[str, str]]:
    return {schedule.slug: schedule.timing.model_dump() for schedule in deployment.schedules}


def _timing(schedule: object) -> Timing | None:
    if not isinstance(schedule, CronSchedule):
        return None
    return Timing(cron=schedule.cron, timezone=schedule.timezone or "UTC")


def _cron(timing: Timing) -> CronSchedule:
    return CronSchedule(cron=timing.cron, timezone=timing.timezone)


def _schedule_create(schedule: Schedule) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        schedule=_cron(schedule.timing), active=schedule.active, slug=schedule.slug
    )


def _off(active: bool) -> str:
    return "" if active else " (off)"
