"""What `voc up` finds of the last time: runs that nobody works on any more."""

from __future__ import annotations

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.states import Running

from apps.cli.left_runs import crash_left_runs
from tests.flows.test_deploy import ask, deploy

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_server")]


async def begin(client: PrefectClient) -> FlowRun:
    """A run of the loop that a worker took and left."""
    deployment = await client.read_deployment_by_name("loop/loop")
    run = await client.create_flow_run_from_deployment(deployment.id)
    await client.set_flow_run_state(run.id, Running(), force=True)
    return await client.read_flow_run(run.id)


def test_a_run_without_a_worker_is_tried_once_more_and_not_again() -> None:
    deploy()
    run = ask(begin)

    def state() -> str | None:
        return ask(lambda client: client.read_flow_run(run.id)).state_name

    assert ask(crash_left_runs) == 1
    assert state() == "AwaitingRetry"

    ask(lambda client: client.set_flow_run_state(run.id, Running(), force=True))
    assert ask(crash_left_runs) == 1
    assert state() == "Crashed"
    assert ask(crash_left_runs) == 0
