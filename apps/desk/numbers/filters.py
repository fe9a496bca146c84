"""What the numbers are about: the filter, as the address bar holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request

from voc.company.model import Company
from voc.models import Channel
from voc.rules.cases import TREND_WEEKS, week_of, weeks_between
from voc.rules.quiet_hours import zone
from voc.rules.weeks import last_weeks, span_of, weeks_up_to
from voc.store.weekly import Wanted

PERIODS = {4: "Last 4 weeks", 12: "Last 12 weeks", 52: "Last 52 weeks"}
DEFAULT_PERIOD = 12
MOST_WEEKS = 106
LONGEST_VALUE = 64
EARLIEST = date(1970, 1, 8)
DIMENSIONS = ("channel", "touchpoint", "stage", "product", "segment", "department")
STAGES = ("awareness", "consideration", "purchase", "retention", "advocacy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filter as it was typed: whatever an address can hold."""

    weeks: str = ""
    since: str = ""
    until: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def query(self, **changes: str) -> str:
        """As the part of an address behind its path; empty values are left out."""
        period = {"weeks": self.weeks, "from": self.since, "to": self.until}
        given = period | dict(self.values) | changes
        kept = {name: value for name, value in given.items() if value}
        return f"?{urlencode(kept)}" if kept else ""


def asked(request: Request) -> Asked:
    """The filter of a request."""
    given = {name: value[:LONGEST_VALUE].strip() for name, value in request.query_params.items()}
    return Asked(
        weeks=given.get("weeks", ""),
        since=given.get("from", ""),
        until=given.get("to", ""),
        values={name: value for name in DIMENSIONS if (value := given.get(name, ""))},
    )


TheFilter = Annotated[Asked, Depends(asked)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which weeks and which cells are shown."""

    asked: Asked
    weeks: list[str]
    before: list[str]
    """As many complete weeks as `complete`, just before the first."""
    complete: list[str]
    """Those of `weeks` that are over."""
    wanted: Wanted
    span: tuple[datetime, datetime]
    problem: str = ""
    """Why the dates that were typed are not used."""

    @property
    def value(self) -> Mapping[str, str]:
        return {name: self.asked.values.get(name, "") for name in DIMENSIONS}

    @property
    def lead(self) -> list[str]:
        """The weeks in front that the first points of a trend may reach back to."""
        return weeks_up_to(self.weeks[0], TREND_WEEKS)[:-1]

    @property
    def n_weeks(self) -> str:
        """The chosen period, as the form's choices name it; empty if dates were typed."""
        typed = self.asked.since or self.asked.until
        return "" if typed and not self.problem else str(len(self.weeks))


def filter_of(asked: Asked, company: Company, now: datetime, *only: str) -> Filter:
    """What *asked* means for this company.

    Args:
        only: The dimensions that the page can be filtered by; others are left alone, and carried
            along.
    """
    its_zone = zone(company.company.timezone)
    weeks, problem = _weeks(asked, now, its_zone)
    complete = [week for week in weeks if span_of(week, its_zone)[1] <= now]
    values = {name: value for name, value in asked.values.items() if name in only}
    begin, end = span_of(weeks[0], its_zone)[0], span_of(weeks[-1], its_zone)[1]
    first = begin - timedelta(days=3) - timedelta(weeks=len(complete) - 1)
    return Filter(
        asked=asked,
        weeks=weeks,
        complete=complete,
        before=weeks_between(week_of(first, its_zone), week_of(begin - timedelta(days=3), its_zone))
        if complete
        else [],
        wanted=Wanted(
            channel=values.get("channel"),
            touchpoints=_touchpoints(values, company),
            product=values.get("product"),
            segment=values.get("segment"),
        ),
        span=(begin, end),
        problem=problem,
    )


def _weeks(asked: Asked, now: datetime, its_zone: tzinfo) -> tuple[list[str], str]:
    if asked.since or asked.until:
        found = _between(asked, now.astimezone(its_zone).date())
        if isinstance(found, list):
            return found, ""
        return last_weeks(DEFAULT_PERIOD, now, its_zone), found
    n = int(asked.weeks) if asked.weeks in {str(each) for each in PERIODS} else DEFAULT_PERIOD
    return last_weeks(n, now, its_zone), ""


def _between(asked: Asked, today: date) -> list[str] | str:
    """The weeks that these dates are in, or what is wrong with them."""
    try:
        since = date.fromisoformat(asked.since) if asked.since else None
        until = date.fromisoformat(asked.until) if asked.until else today
    except ValueError:
        return "A date reads like 2026-01-31. The last 12 weeks are shown instead."
    latest = today + timedelta(days=366)
    if since is None and EARLIEST <= until <= latest:
        since = until - timedelta(weeks=DEFAULT_PERIOD - 1)
    if since and since > until:
        return "The first day is after the last one. The last 12 weeks are shown instead."
    if since is None or since < EARLIEST or until > latest:
        return "There is nothing so far away. The last 12 weeks are shown instead."
    if (until - since).days > 7 * (MOST_WEEKS - 1):
        return "At most two years can be shown. The last 12 weeks are shown instead."
    first, last = (f"{day:%G}-W{day:%V}" for day in (since, until))
    return weeks_between(first, last)


def _touchpoints(values: Mapping[str, str], company: Company) -> frozenset[str] | None:
    """Those of the journey stage that is asked for, or the one that is."""
    touchpoint, stage = values.get("touchpoint"), values.get("stage")
    if stage is None:
        return None if touchpoint is None else frozenset({touchpoint})
    of_stage = frozenset(each.id for each in company.touchpoints if each.stage == stage)
    return of_stage if touchpoint is None else of_stage & {touchpoint}


Choice = tuple[str, str]
"""A value, and what people call it."""


def choices_for(
    company: Company, found: Mapping[str, Sequence[str]], current: Mapping[str, str]
) -> dict[str, list[Choice]]:
    """What can be chosen of each dimension: what the company file names, and what was counted."""
    named = {
        "channel": [channel.value for channel in Channel],
        "touchpoint": [each.id for each in company.touchpoints],
        "stage": [s for s in STAGES if any(each.stage == s for each in company.touchpoints)],
        "product": [],
        "segment": [],
        "department": [each.id for each in company.departments],
    }
    departments = {each.id: each.name for each in company.departments}
    offered = {}
    for name, values in named.items():
        now = [current[name]] if current.get(name) else []
        every = dict.fromkeys([*values, *found.get(name, ()), *now])
        offered[name] = [(v, departments.get(v) or v.replace("_", " ")) for v in every]
    return offered


def cleared(asked: Asked) -> Asked:
    """The same period, of everything."""
    return replace(asked, values={})
