"""What a company is, as `voc check` shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cronsim import CronSim
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voc.company.hours import BusinessHours, Sla
from voc.company.model import Company
from voc.company.schedules import Schedules
from voc.company.sources import FileSource, ITunesSource, SourceConfig, WebhookSource

FLOWS = ("loop", "follow_up", "measure", "learn")


def print_company(
    console: Console,
    company: Company,
    path: Path,
    files: Mapping[str, Sequence[Path]],
    *,
    now: datetime,
) -> None:
    """Departments, sources, schedules, and how customers are written to."""
    console.print(f"[green]ok[/green] {escape(company.company.name)} ({escape(str(path))})")
    console.print(_departments(company))
    console.print(_sources(company, files))
    console.print(_schedules(company.schedules, now))
    for line in _policy(company):
        console.print(line, highlight=False, markup=False)


def _departments(company: Company) -> Table:
    table = Table("department", "promise", "works")
    table.add_column("topics", overflow="fold")
    for each in company.departments:
        topics = [topic.id for topic in company.topics if topic.department == each.id]
        shown = (each.id, promise(each.sla), hours(each.business_hours), ", ".join(topics))
        table.add_row(*map(escape, shown))
    return table


def _sources(company: Company, files: Mapping[str, Sequence[Path]]) -> Table:
    table = Table("source", "kind", "where", "found")
    for source in company.sources:
        count = len(files[source.id]) if source.id in files else None
        found = "" if count is None else f"{count} {'file' if count == 1 else 'files'}"
        table.add_row(source.id, source.kind, escape(_where(source)), found)
    return table


def _where(source: SourceConfig) -> str:
    if isinstance(source, FileSource):
        return source.path
    if isinstance(source, ITunesSource):
        return f"app {source.app_id} in {source.country}"
    if isinstance(source, WebhookSource):
        return f"sends to /hooks/{source.id}"
    return f"{source.server} {' '.join('#' + tag for tag in source.tags)}"


def _schedules(schedules: Schedules, now: datetime) -> Table:
    table = Table("flow", "when", f"next ({schedules.timezone})")
    here = now.astimezone(ZoneInfo(schedules.timezone))
    for flow in FLOWS:
        cron = CronSim(getattr(schedules, flow), here)
        table.add_row(flow, cron.explain(), f"{next(cron):%a %Y-%m-%d %H:%M}")
    return table


def _policy(company: Company) -> list[str]:
    policy = company.follow_up
    who = "customers who agreed" if policy.consent_required else "every customer with an address"
    grounds = [f"{country}: {ground}" for country, ground in sorted(policy.countries.items())]
    otherwise = f" ({', '.join(grounds)})" if grounds else ""
    quiet = (
        f"quiet from {policy.quiet_from:%H:%M} to {policy.quiet_until:%H:%M}"
        if policy.quiet_from and policy.quiet_until
        else "no quiet hours"
    )
    return [
        f"writes to {who}{otherwise}, in {', '.join(policy.languages)}; "
        f"at most {policy.cap_7_days} in 7 days and {policy.cap_30_days} in 30; {quiet}",
        f"routing: {len(company.routing.rules)} rules, then what the models are sure of, "
        "then triage",
    ]


def promise(sla: Sla) -> str:
    """First response and resolution, in business hours."""
    return f"{sla.first_response_hours:g} h, {sla.resolution_hours:g} h"


def hours(hours: BusinessHours) -> str:
    """Days and times in one cell: ``mon-fri 09:00-17:00 UTC``."""
    week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    days = [day for day in week if day in hours.days]
    in_a_row = len(days) > 1 and "".join(days) in "".join(week)
    named = f"{days[0]}-{days[-1]}" if in_a_row else " ".join(days)
    return f"{named} {hours.start:%H:%M}-{hours.end:%H:%M}\n{hours.timezone}"
