"""Measure: the numbers, as a report and as artifacts."""

from __future__ import annotations

from datetime import datetime

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from tasks.measure import count_experiments, count_weeks, write_report
from tasks.workplace import workplace
from voc.params import MeasureParams


@flow(name="measure")
def measure(params: MeasureParams = MeasureParams(), now: datetime | None = None) -> int:
    """Count what was promised and kept; write the report; show it as artifacts of this run.

    The desk's figures are brought up to date first.

    Args:
        params: Which time the report covers.
        now: Leave empty: it is for rehearsals.

    Returns:
        How many figures the report has.
    """
    moment = now or workplace().clock()
    count_weeks(moment)
    count_experiments(moment)
    report = write_report(params.since_days, moment)
    create_markdown_artifact(key="report", markdown=report.markdown, description="The report")
    create_table_artifact(
        key="figures",
        table=[{"figure": name, "value": value} for name, value in report.summary],
        description="The figures at a glance",
    )
    return len(report.summary)
