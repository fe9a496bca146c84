"""``voc experiment``: ways of following up that are compared with each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from notifications.report.comparison import draw_comparison
from tasks.workplace import Workplace, workplace
from voc.actions import experiments as actions
from voc.actions.experiments import Report, day_of
from voc.rules.comparing import Compared, Interval
from voc.rules.experiments import COUNTED, LOWER_IS_BETTER, is_running
from voc.store import experiments as store
from voc.store.database import transaction

app = typer.Typer(no_args_is_help=True, help="Experiments with follow-ups: list, report.")
console = Console()


@app.command("list")
def list_experiments() -> None:
    """The experiments of the company file, and how many customers each has drawn."""
    place = workplace()
    today = day_of(place.company, place.clock())
    with transaction(place.engine) as session:
        drawn = store.drawn_so_far(session)
    table = Table("experiment", "message", "counted", "days", "from", "to", "state", "customers")
    for each in place.company.experiments:
        table.add_row(
            each.id,
            each.message,
            each.outcome,
            str(each.within_days),
            f"{each.begins}",
            f"{each.ends or '-'}",
            "running" if is_running(each, today) else "not running",
            f"{sum(drawn.get(each.id, {}).values()):,}",
        )
    console.print(table if place.company.experiments else "The company file has no experiments.")


@app.command()
def report(
    experiment: Annotated[str, typer.Argument(help="Its id in the company file.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What an experiment shows by now. Look as often as you like: the intervals allow it."""
    place = workplace()
    now = place.clock()
    with transaction(place.engine) as session:
        found = actions.report(session, place.company, experiment, now=now)
    picture = _draw(place, found)
    if as_json:
        typer.echo(json.dumps(_as_json(found, picture), indent=2))
        return
    _print(found)
    if picture is not None:
        console.print(f"The picture: {picture}", markup=False, highlight=False, soft_wrap=True)


def _draw(place: Workplace, found: Report) -> Path | None:
    """The file of the picture; None while there is nothing to draw."""
    if not any(arm.rate for arm in found.arms):
        return None
    path = place.settings.reports / f"experiment-{found.experiment.id}.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draw_comparison(found.arms), encoding="utf-8")
    return path


def _print(found: Report) -> None:
    experiment = found.experiment
    state = "running" if found.running else "not running"
    console.print(f"[bold]{escape(experiment.id)}[/bold]: {experiment.message}, {state}")
    within = f"within {experiment.within_days} days"
    console.print(f"Counted: {COUNTED[experiment.outcome]}, {within}.", highlight=False)
    first = found.arms[0].tally.arm
    table = Table("variant", "customers", "of them", "share (95 %)", f"against {first}", "verdict")
    for arm in found.arms:
        table.add_row(
            arm.tally.arm,
            f"{arm.tally.n:,}",
            f"{arm.tally.events:,}",
            _percent(arm.rate),
            _percent(arm.difference, signed=True),
            arm.judgement.value if arm.judgement else "-",
        )
    console.print(table)
    if waiting := sum(arm.tally.waiting for arm in found.arms):
        console.print(f"{waiting:,} more customers were drawn; their days are not over yet.")
    if found.mismatch:
        console.print(
            f"[bold red]Alarm:[/bold red] the variants got other shares of the customers than "
            f"they should (p = {found.fair:.1g}). Something loses customers in one of them, or "
            "the shares were changed. Trust no figure here before that is explained."
        )


def _percent(interval: Interval | None, *, signed: bool = False) -> str:
    if interval is None:
        return "-"
    sign = "+" if signed else ""
    value, low, high = (f"{100 * each:{sign}.1f}" for each in _parts(interval))
    return f"{value} % ({low} to {high})"


def _parts(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def _as_json(found: Report, picture: Path | None) -> dict[str, Any]:
    experiment = found.experiment
    return {
        "experiment": experiment.id,
        "message": experiment.message,
        "outcome": experiment.outcome,
        "lower_is_better": experiment.outcome in LOWER_IS_BETTER,
        "within_days": experiment.within_days,
        "running": found.running,
        "variants": [_arm_as_json(arm) for arm in found.arms],
        "sample_ratio_p": found.fair,
        "sample_ratio_alarm": found.mismatch,
        "picture": str(picture) if picture else None,
    }


def _arm_as_json(arm: Compared) -> dict[str, Any]:
    return {
        "variant": arm.tally.arm,
        "customers": arm.tally.n,
        "events": arm.tally.events,
        "waiting": arm.tally.waiting,
        "rate": _parts(arm.rate) if arm.rate else None,
        "difference": _parts(arm.difference) if arm.difference else None,
        "verdict": arm.judgement.value if arm.judgement else None,
    }
