"""Learn: themes from what was said lately, routing from what people decided. Own schedule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from prefect import flow
from prefect.artifacts import create_table_artifact

from tasks.learn import rebuild_themes, unassigned_share
from tasks.learn_router import refit
from tasks.themes import assign_themes, discover_themes
from tasks.workplace import ranges, workplace
from voc.errors import VocError
from voc.store.database import transaction
from voc.store.theme_places import span_unplaced


@flow(name="learn")
def learn(now: datetime | None = None) -> dict[str, float]:
    """Group anew what was said lately, and refit the router to what people decided.

    Which themes are born, go on, split, merge or retire; whether the router learned.

    Args:
        now: Leave empty: it is for rehearsals.
    """
    moment = now or workplace().clock()
    parts: dict[str, Callable[[], dict[str, float]]] = {
        "themes": lambda: learn_themes(moment),
        "router": lambda: {f"router_{name}": n for name, n in refit(moment).items()},
    }
    counts: dict[str, float] = {}
    problems: list[VocError] = []
    for learned in parts.values():
        try:
            counts |= learned()
        except VocError as exc:  # what one cannot learn does not stop the other
            problems.append(exc)
    create_table_artifact(
        key="learned",
        table=[{"figure": name.replace("_", " "), "value": n} for name, n in counts.items()],
        description="What became of the themes, and of the router",
    )
    if problems:
        raise problems[0]
    return counts


def learn_themes(now: datetime) -> dict[str, float]:
    """Rebuild the themes; then place what lost its theme, or never had one."""
    placed = assign_new(all_of_them=True)
    rebuilt = rebuild_themes(now)
    placed += assign_new(all_of_them=True)
    return {**rebuilt, **placed, "unassigned_share": unassigned_share()}


def find_themes(now: datetime) -> dict[str, int]:
    """Put new statements into their themes; look for new themes among those that fit nowhere."""
    counts = assign_new() + Counter(discover_themes(now))
    if counts["placed_anew"]:
        counts += assign_new(all_of_them=True)
    return dict(counts)


def assign_new(*, all_of_them: bool = False) -> Counter[str]:
    """Place every statement that has no place yet.

    Args:
        all_of_them: Look through all statements, not only near the newest.
    """
    with transaction(workplace().engine) as session:
        low, high, n = span_unplaced(session, all_of_them=all_of_them)
    counts: Counter[str] = Counter()
    for start, end in ranges(low, high, n):
        counts += assign_themes(start, end)
    return counts
