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
from tests.faults.provider import Provider
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


def found(home: Path) -> None:
    """Write the company file, and an inbox without surveys."""
    (home / "inbox").mkdir(parents=True)
    before, _, after = COMPANY.partition("sources:\n")
    rest = after[after.index("follow_up:") :]
    write_company(home, f"{before}sources:\n{SOURCES}{rest}")


def enter(
    home: Path,
    smtp: Provider | None = None,
    *,
    posts_at: str = NOWHERE,
    database_url: str = "",
    reply_timeout_s: float = 0.5,
) -> Story:
    """Make *home* this process's workplace. Nothing is opened yet.

    Args:
        smtp: Who takes the mails; None: the local mailbox does.
        posts_at: Where the posts are.
        database_url: Empty: SQLite in the home.
    """
    for name in [name for name in os.environ if name.startswith("VOC_")]:
        del os.environ[name]
    os.environ |= {"VOC_HOME": str(home), "VOC_DATABASE_URL": database_url}
    if smtp is not None:
        os.environ |= {
            "VOC_DELIVERY": "live",
            "VOC_PUBLIC_URL": "https://feedback.corner.example",
            "VOC_SMTP__HOST": "127.0.0.1",
            "VOC_SMTP__PORT": str(smtp.port),
            "VOC_SMTP__REPLY_TIMEOUT_S": str(reply_timeout_s),
        }
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


def without_prefect() -> None:
    """From now on flows call the plain functions under their tasks, with models of words only.

    For a process that does nothing else: it is not undone.
    """
    for module in (tasks.understand, tasks.learn_router):
        _put(module, "build_models", fake_models)
    for module in (tasks.themes, tasks.learn):
        _put(module, "label_words", common_words)
    build = partial(sources.catalogue.build, sleep=lambda _s: None)
    _put(sources.catalogue, "build", build)
    for module in [m for name, m in vars(flows).items() if isinstance(m, ModuleType)]:
        for name, value in list(vars(module).items()):
            if isinstance(value, Task):
                _put(module, name, value.fn)
            elif name in {"create_markdown_artifact", "create_table_artifact"}:
                _put(module, name, lambda **_: None)


def _put(module: ModuleType, name: str, value: object) -> None:
    setattr(module, name, value)
