"""One run over what is new, as `voc loop` makes it, without Prefect around it.

    VOC_HOME=... VOC_COMPANY=... python -m benchmarks.understanding.incremental

runs it in a process of its own and prints, as JSON, its peak of memory in MB.
"""

from __future__ import annotations

import json
import resource
import sys
from collections import Counter
from pathlib import Path

from benchmarks.understanding.place import NOW, understand_all


def run_once() -> Counter[str]:
    """Look for work, understand what was collected, find each statement's theme; say what."""
    from tasks.themes import assign_themes, discover_themes, themes_wait
    from tasks.workplace import ranges, workplace
    from voc.store.database import transaction
    from voc.store.pending import pending
    from voc.store.theme_places import span_unplaced

    place = workplace()
    with transaction(place.engine) as session:
        n = pending(session, "understand", place.company, kill_switch=False, now=NOW)
    if n:
        understand_all()
    counts: Counter[str] = Counter()
    if themes_wait(place):
        with transaction(place.engine) as session:
            span = span_unplaced(session)
        for low, high in ranges(*span):
            counts += assign_themes.fn(low, high)
        counts += discover_themes.fn(NOW)
    return counts


def peak_mb() -> float:
    """The most memory that this program held at once.

    Linux carries the peak of the process that started us into `getrusage`, so it is asked for
    the peak of this address space, where it tells.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    run_once()
    print(json.dumps({"peak_mb": peak_mb()}))
