"""Measuring: count the weeks, draw, write the report."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from prefect import task
from prefect.cache_policies import NO_CACHE

from notifications import report
from tasks.discreet import discreet
from tasks.workplace import Workplace, workplace
from voc.actions import experiments, figures
from voc.rules.measures import measure
from voc.store import measures
from voc.store.database import reading
from voc.store.fingerprint import fingerprint


@dataclass(frozen=True)
class WrittenReport:
    """The report as it was written, without anything of a customer."""

    markdown: str
    summary: list[tuple[str, str]]


@task(cache_policy=NO_CACHE)
@discreet
def write_report(since_days: int | None, now: datetime) -> WrittenReport:
    """Write the report as Markdown and HTML into the reports folder."""
    place = workplace()
    since = now - timedelta(days=since_days) if since_days else None
    with reading(place.engine) as session:
        facts = measures.read(session, now=now, since=since)
        print_of_books = fingerprint(session)
    figures = measure(facts, ZoneInfo(place.company.company.timezone))
    name = place.company.company.name
    written = WrittenReport(report.markdown(figures, name, now), report.summary(figures))
    folder = place.settings.reports
    folder.mkdir(parents=True, exist_ok=True)
    of = f"report-{since_days}-days" if since_days else "report"
    _replace(folder / f"{of}.md", written.markdown)
    _replace(folder / f"{of}.html", report.html(figures, name, now))
    _replace(folder / f"{of}.of", print_of_books)
    return written


@task(cache_policy=NO_CACHE)
@discreet
def count_weeks(now: datetime) -> int:
    """Bring the figures of the desk up to date; how many weeks were counted again."""
    place = workplace()
    return figures.refresh(place.engine, place.company.company.timezone, now=now)


@task(cache_policy=NO_CACHE)
@discreet
def count_experiments(now: datetime) -> None:
    """Bring what the desk shows of experiments up to date."""
    place = workplace()
    experiments.count(place.engine, place.company, now=now)


def is_stale(place: Workplace, now: datetime) -> bool:
    """Whether anything has changed since report and figures were made; time changes some, too."""
    path = place.settings.reports / "report.of"
    with reading(place.engine) as session:
        if figures.are_behind(session, place.company.company.timezone, now=now):
            return True
        return not path.exists() or path.read_text() != fingerprint(session)


def _replace(path: Path, text: str) -> None:
    """Write whole or not at all: somebody may be reading the report."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
