"""``voc run``: the main job, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from apps.cli.locking import only_one
from apps.cli.prefect_server import prefect_for_one_run
from apps.cli.summary import print_summary
from voc import progress
from voc.settings import Settings, get_settings
from voc.store.database import require_whole

console = Console()


def run() -> None:
    """Collect, understand, route, follow up, close, measure: once, with what is new.

    With a voc.yaml in VOC_HOME (or here) it runs that company on the real clock. Without one it
    plays the rehearsal company.
    """
    settings = get_settings()
    with only_one(settings.locks / "run.lock", "voc run"):
        if settings.company_file() is None:
            _rehearse(settings)
        else:
            _run_company(settings)


def _run_company(settings: Settings) -> None:
    from tasks.workplace import workplace

    place = workplace()
    require_whole(place.engine)
    name = place.company.company.name
    console.print(f"[bold]{name}[/bold]: one run of the main job, on the real clock")
    with prefect_for_one_run(settings), _stages() as stages, no_heartbeat():
        from flows.loop import loop

        stages("starting", 0, 0)
        state = loop(return_state=True)
    counts = state.result(raise_on_failure=False)
    is_new = not isinstance(counts, dict) or any(
        n for what, n in counts.items() if what != "unchanged"
    )
    print_summary(console, place, is_new=is_new)
    state.result()  # raises what went wrong, after what went right was shown


def _rehearse(settings: Settings) -> None:
    from rehearsal.company_files import set_up
    from tasks.workplace import workplace

    set_up(settings.at_work().home)
    place = workplace()
    console.print(
        f"No voc.yaml here: playing the rehearsal company, [bold]{place.company.company.name}"
        "[/bold]. `voc init DIR` starts your own."
    )
    warm_up = (lambda: None) if place.is_played_out() else _load_models
    with prefect_for_one_run(settings, warm_up), _stages() as stages, no_heartbeat():
        from rehearsal.play import play

        stages("starting", 0, 0)
        is_new = play(place, on_moment=lambda n, total: stages("mornings played", n, total))
    print_summary(console, place, is_new=is_new)


def _load_models() -> None:
    """The first run builds the models; that passes while Prefect's server starts."""
    from tasks.models import load_models

    load_models()


@contextmanager
def no_heartbeat() -> Iterator[None]:
    """Joining Prefect's heartbeat thread takes a second a flow run; nobody watches this one."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@contextmanager
def _stages() -> Iterator[Callable[[str, int, int], None]]:
    """A line for each stage that reports, growing as it goes."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        lines: dict[str, int] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in lines:
                lines[stage] = bars.add_task(stage)
            bars.update(lines[stage], completed=done, total=total or None)  # type: ignore[arg-type]

        stop = progress.listen(show)
        try:
            yield show
        finally:
            stop()
