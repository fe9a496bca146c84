"""The first weeks of the example company, played on its own clock by the real stages.

Customers and owners are the rehearsal's; only the models are stand-ins, and nothing needs Prefect.
It takes seconds: made once a session, each module works on a copy of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rehearsal.calendar import moments
from rehearsal.company_files import COMPANY, INBOX, drop, read_truth
from rehearsal.people import act
from rehearsal.play import SEED
from tasks.collect import collect_source
from tasks.measure import count_weeks
from tests.story import Story, story_in
from voc.store.clock import set_clock
from voc.store.database import transaction

LAST_DROP = 3
"""The moment after which nobody has acted yet: the Monday of the second week, files just in."""


@dataclass(frozen=True)
class Played:
    """A home of the example company, left alone."""

    home: Path
    now: datetime


def play(home: Path) -> Played:
    """Play from the first Monday until the second week's files are in and nobody has acted."""
    with _story(home) as story:
        truth = read_truth()
        for moment in moments(INBOX)[:LAST_DROP]:
            _begin(story, moment.now, moment.drop)
            act(story.place, truth, SEED, moment.now, moment.until)
        last = moments(INBOX)[LAST_DROP]
        _begin(story, last.now, last.drop)
        count_weeks.fn(story.now)
        return Played(home, story.now)


@contextmanager
def going_on(played: Played, home: Path) -> Iterator[Story]:
    """The story from there, in a copy at *home*."""
    shutil.copytree(played.home, home, dirs_exist_ok=True)
    with _story(home) as story:
        story.now = played.now
        yield story


def passes(story: Story, **time: float) -> None:
    """Time passes for the company, its desk included."""
    story.wait(**time)
    with transaction(story.place.engine) as session:
        set_clock(session, moment=LAST_DROP + 1, now=story.now, finished=False)


@contextmanager
def _story(home: Path) -> Iterator[Story]:
    with story_in(home, (COMPANY / "voc.yaml").read_text(encoding="utf-8")) as story:
        yield story


def _begin(story: Story, now: datetime, week: str | None) -> None:
    """What the main job does at one moment, stage by stage."""
    story.now = now
    passes(story)
    if week:
        drop(week, story.place.folder)
        for source in story.place.company.sources:
            collect_source.fn(source.id, now)
    story.runs()
