"""What should be deployed: `prefect.yaml`, with the company's own schedules laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from ruamel.yaml import YAML

from voc.company.schedules import Schedules
from voc.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = ROOT / "prefect.yaml"
AUTOMATIONS = ROOT / "automations.yaml"


class Strict(BaseModel, frozen=True, extra="forbid"):
    """A misspelt key must not be taken for "nothing was said"."""


class Timing(Strict):
    """When a schedule fires."""

    cron: str
    timezone: str = "UTC"

    def __str__(self) -> str:
        return f"{self.cron} {self.timezone}"


class Schedule(Timing):
    """A schedule of a deployment. Its slug says which it is when its time changes."""

    slug: str
    active: bool = True

    @property
    def timing(self) -> Timing:
        return Timing(cron=self.cron, timezone=self.timezone)


class Place(Strict):
    """Where runs wait for a worker, and with which variables they start."""

    name: str
    work_queue_name: str
    job_variables: dict[str, Any]


class Limit(Strict):
    """How many runs may go on at a time, and what becomes of one more."""

    limit: int = Field(ge=1)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]


class Deployment(Strict):
    """One entry of `prefect.yaml`."""

    name: str
    entrypoint: str
    description: str
    tags: list[str]
    parameters: dict[str, Any]
    work_pool: Place
    schedules: list[Schedule] = []
    concurrency_limit: Limit


def read_deployments(path: Path = DEPLOYMENTS) -> list[Deployment]:
    """The deployments of a `prefect.yaml`.

    Raises:
        ConfigurationError: The file says something that we do not deploy.
    """
    document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    try:
        return [Deployment.model_validate(entry) for entry in document["deployments"]]
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{path.name}: {at}: {first['msg']}") from None


def read_automations(path: Path = AUTOMATIONS) -> list[Mapping[str, Any]]:
    """The automations, as they stand in the file."""
    automations: list[Mapping[str, Any]] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))[
        "automations"
    ]
    return automations


def for_company(deployments: Iterable[Deployment], schedules: Schedules) -> list[Deployment]:
    """The deployments at the times the company file states; what it does not state stays.

    The company names one time a flow, so only a deployment's first schedule takes it.
    """
    said = schedules.model_dump(exclude_unset=True)
    zone = {"timezone": said["timezone"]} if "timezone" in said else {}
    timed = []
    for deployment in deployments:
        cron = said.get(deployment.name.replace("-", "_"))
        timed.append(
            deployment.model_copy(
                update={
                    "schedules": [
                        schedule.model_copy(
                            update=zone | ({"cron": cron} if cron and place == 0 else {})
                        )
                        for place, schedule in enumerate(deployment.schedules)
                    ]
                }
            )
        )
    return timed
