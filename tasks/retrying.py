"""When Prefect should try a task again: reads that may pass. Nothing that sends."""

from __future__ import annotations

from typing import Any, Final, TypedDict

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from voc.errors import TransientError


class Retries(TypedDict):
    retries: int
    retry_delay_seconds: list[float]
    retry_jitter_factor: float


TRANSIENT_READS: Final = Retries(retries=2, retry_delay_seconds=[10, 60], retry_jitter_factor=0.5)


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Retry what may pass; fail at once on what will not."""
    return isinstance(state.result(raise_on_failure=False), TransientError)
