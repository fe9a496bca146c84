"""Collect: ask every source what is new."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from tasks.collect import collect_source, replay_marked
from tasks.workplace import workplace
from voc.actions.quarantine import are_marked
from voc.errors import ConfigurationError, VocError
from voc.params import CollectParams


@flow(name="collect")
def collect(
    params: CollectParams = CollectParams(), now: datetime | None = None
) -> dict[str, dict[str, int]]:
    """Ask every source what is new, mask it, and store it with the source's cursor.

    One source's failure does not stop the others; the run fails in the end and names it.

    Args:
        params: Which sources to ask.
        now: Leave empty: it is for rehearsals.
    """
    counts, failed = ask_sources(params, now or workplace().clock())
    if failed:
        raise could_not_collect(failed)
    return counts


def ask_sources(
    params: CollectParams, now: datetime
) -> tuple[dict[str, dict[str, int]], list[str]]:
    """What each source gave, and the ids of those that could not be read.

    First comes what is to be tried again of what was not accepted before.
    """
    known = [source.id for source in workplace().company.sources]
    if unknown := sorted(set(params.sources) - set(known)):
        raise ConfigurationError(f"no source {unknown[0]!r}; use some of: {', '.join(known)}")
    again = are_marked(workplace().engine) and replay_marked(now, return_state=True)
    states = {
        source_id: collect_source(source_id, now, return_state=True)
        for source_id in params.sources or known
    }
    counts = {key: state.result() for key, state in states.items() if state.is_completed()}
    failed = [key for key in states if key not in counts]
    return counts, failed if not again or again.is_completed() else [*failed, "quarantine"]


def could_not_collect(failed: list[str]) -> VocError:
    """The error that names them."""
    return VocError(f"could not collect from: {', '.join(failed)}; the task runs say why")
