"""Runs that lost their worker when `voc up` ended: nobody else will ever say that they ended.

The automation for crashed runs does not see these: a server that just started is still busy
with reading its automations.
"""

from __future__ import annotations

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.states import AwaitingRetry, Crashed

from apps.cli.deploying import POOL

UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


async def crash_left_runs(client: PrefectClient) -> int:
    """Call every run of our pool that is under way crashed, and free its place; how many.

    A run gets one second try, no more: it may be the reason.

    Only for a server that just started and whose worker has not.
    """
    runs = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY))
        ),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL])),
    )
    for run in runs:
        await client.set_flow_run_state(run.id, Crashed(message="`voc up` ended while it ran"))
        if run.run_count == 1:
            await client.set_flow_run_state(run.id, AwaitingRetry())
    return len(runs)
