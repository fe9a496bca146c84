"""What is allowed in a company file, and probably not meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from voc.company.document import Finding
from voc.company.model import Company
from voc.company.sources import FileSource
from voc.rules.quiet_hours import first_allowed, zones_of

SOME_DAY = datetime(2026, 1, 15, tzinfo=UTC)


def warnings(company: Company, files: Mapping[str, int]) -> Iterator[Finding]:
    """Everything worth a second look.

    Args:
        files: How many files each file source finds, by its id.
    """
    for i, source in enumerate(company.sources):
        if isinstance(source, FileSource):
            yield from _of_source(("sources", i), source, company, files.get(source.id, 0))
    if not company.sources:
        yield Finding(("sources",), "there is none, so nothing will be collected")
    yield from _of_quiet_hours(company)
    for i, department in enumerate(company.departments):
        if len({person.email for person in department.owners}) < len(department.owners):
            yield Finding(("departments", i, "owners"), "two owners have the same address")


def _of_quiet_hours(company: Company) -> Iterator[Finding]:
    """Where the clocks of unknown customers are so far apart that it is always quiet on one."""
    about = company.company
    zones = zones_of(None, None, about.customer_countries, about.timezone)
    for channel in company.follow_up.channels:
        span = company.follow_up.quiet_hours(channel)
        if span and first_allowed(zones, (span,), SOME_DAY) is None:
            message = (
                "it is always quiet in one of their time zones: customers of whom we know neither "
                f"zone nor country get nothing by {channel}"
            )
            yield Finding(("company", "customer_countries"), message)


def _of_source(
    path: tuple[str, int], source: FileSource, company: Company, files: int
) -> Iterator[Finding]:
    columns = source.columns
    if not files:
        yield Finding((*path, "path"), f"no file fits {source.path!r} yet")
    if columns.email and not columns.consent and company.follow_up.consent_required:
        message = (
            "nobody from here will be written to: name the column that says who agreed "
            "(consent), or set follow_up.consent_required to false"
        )
        yield Finding((*path, "columns"), message)
    if source.rating_scale and not columns.rating:
        message = "rating_scale has no use without columns.rating"
        yield Finding((*path, "rating_scale"), message)
