"""When the main job runs in the rehearsal: three mornings a week, and a tail until all settles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIRST_MONDAY = datetime(2026, 1, 12, 6, tzinfo=UTC)
MORNINGS = (timedelta(days=0), timedelta(days=2), timedelta(days=4))
TAIL_WEEKS = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which the main job runs."""

    now: datetime
    until: datetime
    """The next one: owners and customers act in between."""
    drop: str | None
    """The week whose files have arrived by then."""


def moments(inbox: Path) -> list[Moment]:
    """Mondays bring the files of the week before; the other mornings bring nothing new."""
    weeks = sorted(path.name for path in inbox.iterdir() if path.is_dir())
    count = len(weeks) + TAIL_WEEKS
    starts = [FIRST_MONDAY + timedelta(weeks=n) + day for n in range(count) for day in MORNINGS]
    ends = [*starts[1:], FIRST_MONDAY + timedelta(weeks=count)]
    drops = {FIRST_MONDAY + timedelta(weeks=n): week for n, week in enumerate(weeks)}
    return [Moment(now, until, drops.get(now)) for now, until in zip(starts, ends, strict=True)]
