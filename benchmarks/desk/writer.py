"""A process that collects without a pause, one page of a source after the other."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from itertools import count
from pathlib import Path

from apps.desk.links.masking import masker
from benchmarks.desk.rows import HIGHEST, NOW, SCALES
from benchmarks.understanding.texts import invented
from voc.actions.collect import Door, store_page
from voc.arrivals import Page, RawFeedback, RawIdentity, RawRating
from voc.company import load_company
from voc.models import Channel, IdentityKind
from voc.store.database import open_database

A_PAGE = 200
CUSTOMERS = 1_000
PAUSE_S = 0.1
"""Between two pages a source is asked for the next one."""


def keep_collecting(url: str, company_file: Path) -> None:
    """Store one page after the other, as collecting does, until the process is ended."""
    engine, company = open_database(url), load_company(company_file)
    door = Door(
        mask=masker(company),
        seal=lambda raw: raw,  # nothing is rejected here
        secret=b"benchmark",
        region=company.company.phone_regions[0],
    )
    began, words = time.time_ns(), random.Random(1)
    for page in count():
        items = [_item(words, f"{began}-{page}-{i}") for i in range(A_PAGE)]
        store_page(engine, "benchmark", Page(items=items, cursor=f"{page}"), door, now=NOW)
        time.sleep(PAUSE_S)


def _item(words: random.Random, number: str) -> RawFeedback:
    """Said at some moment of the last week, by one of so many customers."""
    scale = words.choice(SCALES)
    who = f"writer{words.randrange(CUSTOMERS)}@customer.example"
    return RawFeedback(
        external_id=number,
        verbatim=invented(words)[0],
        said_at=NOW - timedelta(seconds=words.uniform(0, 7 * 86_400)),
        channel=Channel.SURVEY,
        rating=RawRating(value=float(words.randint(1, HIGHEST[scale])), scale=scale),
        identities=(RawIdentity(kind=IdentityKind.EMAIL, value=who),),
    )
