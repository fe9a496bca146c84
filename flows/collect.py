"""Collect: ask every source what is new."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from tasks.collect import collect_source
from tasks.workplace import workplace
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
    place = workplace()
    known = [source.id for source in place.company.sources]
    if unknown := sorted(set(params.sources) - set(known)):
        raise ConfigurationError(f"no source {unknown[0]!r}; use some of: {', '.join(known)}")
    moment = now or place.clock()
    states = {
        source_id: collect_source(source_id, moment, return_state=True)
        for source_id in params.sources or known
    }
    if failed := [source_id for source_id, state in states.items() if not state.is_completed()]:
        raise VocError(f"could not collect from: {', '.join(failed)}; the task runs say why")
    return {source_id: state.result() for source_id, state in states.items()}
