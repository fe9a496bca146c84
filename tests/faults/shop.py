"""A corner shop in a home folder of its own, whose stages are called as plain functions."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType

from prefect import Task

import flows.close
import flows.collect
import flows.follow_up
import flows.learn
import flows.measure
import flows.route
import flows.understand
import sources.catalogue
import tasks.learn
import tasks.learn_router
import tasks.themes
import tasks.understand
from tasks.workplace import workplace
from tests.story import COMPANY, Story, fake_models, write_company
from tests.theme_cases import common_words
from voc.settings import get_settings

NOWHERE = "http://127.0.0.1:9"
COLUMNS = "{id: id, text: text, email: email, consent: consent, rating: score}"
SOURCES = f"""\
  - id: box
    kind: file
    channel: survey
    path: "inbox/*.csv"
    rating_scale: nps
    columns: {COLUMNS}
  - id: fedi
    kind: mastodon
    server: home.example
    tags: [acme]
    base_url: "{NOWHERE}"
"""
HEAD = "id,text,email,consent,score\n"


def found(home: Path, policy: str = "") -> None:
    """Write the company file, and an inbox without surveys.

    Args:
        policy: More of `follow_up`, as in ``channels: [sms]``.
    """
    (home / "inbox").mkdir(parents=True)
    before, _, after = COMPANY.partition("sources:\n")
    rest = after[after.index("follow_up:") :]
    if policy:
        rest = rest.replace("99}", f"99, {policy}}}")
    write_company(home, f"{before}sources:\n{SOURCES}{rest}")


def enter(home: Path, settings: Mapping[str, str], posts_at: str = NOWHERE) -> Story:
    """Make *home* this process's workplace. Nothing is opened yet.

    Args:
        settings: Environment variables without their VOC_.
        posts_at: Where the posts are.
    """
    for name in [name for name in os.environ if name.startswith("VOC_")]:
        del os.environ[name]
    os.environ |= {"VOC_HOME": str(home)} | {f"VOC_{k}": v for k, v in settings.items()}
    path = home / "voc.yaml"
    path.write_text(re.sub(r'base_url: ".*"', f'base_url: "{posts_at}"', path.read_text()))
    for cached in (get_settings, workplace, tasks.understand.unlearned_models):
        cached.cache_clear()
    return Story(workplace())


def collect(now: datetime) -> None:
    for source in workplace().company.sources:
        tasks.collect.collect_source.fn(source.id, now)


STAGES: Mapping[str, Callable[[datetime], object]] = MappingProxyType(
    {
        "collect": collect,
        "understand": lambda now: flows.understand.understand.fn(now=now),
        "route": lambda now: flows.route.route.fn(now=now),
        "follow_up": lambda now: flows.follow_up.follow_up.fn(now=now),
        "close": lambda now: flows.close.close.fn(now=now),
        "themes": flows.learn.find_themes,
        "measure": lambda now: flows.measure.measure.fn(now=now),
        "learn": lambda now: flows.learn.learn.fn(now=now),
    }
)


LOOP = ("collect", "understand", "route", "follow_up", "close", "themes")
"""What comes of a disturbed stage. Reports tell of it and change nothing."""


def run_loop(now: datetime) -> None:
    for name in LOOP:
        STAGES[name](now)


IMPORTED_LATE = ("altair", "sklearn.linear_model", "vl_convert")
"""What the product imports where it is used: a thousand children would, each anew."""


def import_all() -> None:
    """From now on children find everything imported."""
    for name in IMPORTED_LATE:
        import_module(name)
    gc.freeze()


def with_stand_ins() -> None:
    """From now on models are made of words only, and nobody waits between questions.

    For a process that does nothing else: it is not undone.
    """
    for module in (tasks.understand, tasks.learn_router):
        put(module, "build_models", fake_models)
    for module in (tasks.themes, tasks.learn):
        put(module, "label_words", common_words)
    build = partial(sources.catalogue.build, sleep=lambda _s: None)
    put(sources.catalogue, "build", build)


def without_prefect() -> None:
    """And flows call the plain functions under their tasks."""
    with_stand_ins()
    for module in [m for name, m in vars(flows).items() if isinstance(m, ModuleType)]:
        for name, value in list(vars(module).items()):
            if isinstance(value, Task):
                put(module, name, value.fn)
            elif name in {"create_markdown_artifact", "create_table_artifact"}:
                put(module, name, lambda **_: None)


def put(module: ModuleType, name: str, value: object) -> None:
    """In the place of what the module has under this name, for good."""
    setattr(module, name, value)
