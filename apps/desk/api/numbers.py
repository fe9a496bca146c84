"""The numbers by week, as they were counted for the desk."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from apps.desk.api.problems import answers
from apps.desk.api.shapes import Weeks, WeekShown
from apps.desk.api.tokens import Caller, needs
from voc.models import Channel
from voc.rules.quiet_hours import zone
from voc.rules.scopes import Scope
from voc.rules.weeks import last_weeks
from voc.store import weekly
from voc.store.database import reading
from voc.store.weekly import Wanted

router = APIRouter(prefix="/numbers", tags=["numbers"])

MOST_WEEKS = 104

Reader = Annotated[Caller, needs(Scope.NUMBERS_READ)]
HowMany = Annotated[int, Query(ge=1, le=MOST_WEEKS, description="This week and those before it.")]


@router.get("/weeks", summary="The numbers by week", responses=answers())
def list_weeks(caller: Reader, weeks: HowMany = 13, channel: Channel | None = None) -> Weeks:
    """Whole numbers that can be added up. Rates and intervals are for who shows them."""
    asked = last_weeks(weeks, caller.now, zone(caller.desk.company.company.timezone))
    with reading(caller.desk.engine) as session:
        counted_at = weekly.counted_at(session)
        counts = weekly.by_week(session, asked, Wanted(channel=channel))
    items = [WeekShown(week=week, counts=of) for week, of in zip(asked, counts, strict=True)]
    return Weeks(counted_at=counted_at, items=items)
