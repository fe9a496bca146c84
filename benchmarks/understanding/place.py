"""A company at work in a scratch folder, and what is collected there."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.workplace import Workplace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
A_PAGE = 500


def at_work(folder: Path) -> Workplace:
    """The rehearsal's company over an empty SQLite database; the process's only workplace."""
    from rehearsal.company_files import COMPANY
    from tasks.workplace import workplace
    from voc.settings import get_settings
    from voc.store.database import connect

    for name in [name for name in os.environ if name.startswith("VOC_")]:
        if name != "VOC_EVAL_DATA":
            del os.environ[name]
    os.environ["VOC_HOME"] = str(folder)
    os.environ["VOC_COMPANY"] = str(COMPANY / "voc.yaml")
    get_settings.cache_clear()
    workplace.cache_clear()
    place = workplace()
    connect(place.settings.database).dispose()
    _remove(database(place))
    return place


def collect(place: Workplace, texts: Sequence[str]) -> None:
    """Store *texts* as collecting does, each of a customer of its own."""
    from tasks.door import build_door
    from voc.actions.collect import store_page
    from voc.arrivals import Page, RawFeedback
    from voc.models import Channel

    items = [
        RawFeedback(
            external_id=f"new-{number}",
            verbatim=text,
            said_at=NOW - timedelta(minutes=number),
            channel=Channel.REVIEW,
        )
        for number, text in enumerate(texts)
    ]
    door = build_door(place)
    for start in range(0, len(items), A_PAGE):
        page = Page(items=items[start : start + A_PAGE], cursor=str(start))
        store_page(place.engine, "reviews", page, door, now=NOW)


def put_aside(place: Workplace, copy: Path) -> Path:
    """Copy the database as it is now to *copy*, all of it in one file."""
    place.engine.dispose()
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(database(place))) as whole, closing(sqlite3.connect(copy)) as file:
        whole.backup(file)
    return copy


def put_back(place: Workplace, copy: Path) -> None:
    """Make *copy* the workplace's database."""
    place.engine.dispose()
    _remove(database(place))
    shutil.copyfile(copy, database(place))


def database(place: Workplace) -> Path:
    return place.settings.home / "voc.db"


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)


def understand_all() -> None:
    """The understand flow's own steps, without Prefect around them."""
    from tasks.understand import understand_range
    from tasks.workplace import ranges, workplace
    from voc.models import FeedbackState
    from voc.store.database import transaction
    from voc.store.feedback import span_in_state

    with transaction(workplace().engine) as session:
        low, high, n = span_in_state(session, FeedbackState.COLLECTED)
    for start, end in ranges(low, high, n):
        understand_range.fn(start, end)


def warm_up(place: Workplace) -> None:
    """Build and load the models, the language detector and the subjects."""
    collect(place, ["The parcel came late, and nobody answered the phone when I called."])
    understand_all()
