"""When the flows run, as the company file states it."""

from __future__ import annotations

from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from voc.company.hours import Frozen, TimeZone


def _valid_cron(expression: str) -> str:
    from datetime import UTC, datetime

    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        raise ValueError(
            f"{expression!r} is no cron expression; write five fields, minute hour "
            "day month weekday, such as '0 6 * * mon-fri'"
        ) from None
    return expression


Cron = Annotated[str, AfterValidator(_valid_cron)]


class Schedules(Frozen):
    """Cron expressions of the flows, in one time zone. `voc deploy` puts them into Prefect."""

    timezone: TimeZone = Field(default="UTC", description="The zone of all of them.")
    loop: Cron = Field(
        default="0 * * * *", description="The main job: collect, understand, route, follow up."
    )
    follow_up: Cron = Field(
        default="*/10 * * * *", description="Send what we owe, escalate what is late."
    )
    measure: Cron = Field(default="30 6 * * mon", description="The numbers and the digest.")
    learn: Cron = Field(
        default="0 3 * * sun", description="Themes anew, and routing from what people decided."
    )
