"""Reading the mailbox that replies, bounces and complaints come to."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from notifications.inbox.handover import Post, store_again, store_batch
from notifications.inbox.imap import SOURCE, new_mails
from notifications.inbox.reading import OwnAddresses
from notifications.mail import sender_of
from tasks.discreet import discreet
from tasks.door import build_door
from tasks.workplace import Workplace, workplace
from voc.actions import collect


@task(cache_policy=NO_CACHE)
@discreet
def read_mail(now: datetime) -> dict[str, int]:
    """Take in what has come since the last time; counts by what it was.

    Nothing is retried here: the next run begins where this one ended.
    """
    place = workplace()
    post = build_post(place, now=now)
    counts: Counter[str] = Counter()
    cursor = collect.read_cursor(place.engine, SOURCE)
    for batch in new_mails(place.settings.imap, cursor):
        counts += store_batch(post, batch)
    return {f"mail_{name}": number for name, number in counts.items()}


def build_post(place: Workplace, *, now: datetime) -> Post:
    """What every mail passes on its way in."""
    own = OwnAddresses(
        reply_address=place.settings.reply_address,
        sender=sender_of(place.company.company.sender).addr_spec,
    )
    return Post(engine=place.engine, own=own, door=build_door(place), now=now)


def replay_mail(place: Workplace, raw: str, *, now: datetime) -> bool:
    """Read a mail from quarantine again; False if it still cannot be read."""
    return store_again(build_post(place, now=now), raw.encode("latin-1"))
