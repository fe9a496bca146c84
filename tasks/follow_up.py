"""Following up: plan what falls due, render it, hand it over. Nothing here is retried."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import count
from random import Random

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlmodel import Session

from notifications.allowlist import close_all, open_channels
from notifications.delivery import deliver_due
from notifications.liveness import liveness
from notifications.queueing import merge_waiting, queue_planned
from notifications.recovery import long_in_doubt, recover
from notifications.senders import new_sender_id
from tasks.discreet import discreet
from tasks.workplace import ranges, workplace
from voc.actions import follow_up, loops
from voc.actions.restoring import is_restored
from voc.actions.webhooks import plan_news
from voc.models import Message
from voc.progress import report
from voc.store.database import transaction
from voc.store.outbox import planned_span


@task(cache_policy=NO_CACHE)
@discreet
def recover_messages(now: datetime) -> dict[str, int]:
    """Move on what senders that died had in hand."""
    place = workplace()
    is_restored(place.engine, place.journal, now=now)  # before anything is believed
    channels = open_channels(place.settings)
    try:
        moved = recover(
            place.engine, place.settings.locks, channels=channels, now=now, on_sent=loops.on_sent
        )
    finally:
        close_all(channels)
    counts = {f"recovered_{state}": n for state, n in moved.items()}
    waits = long_in_doubt(place.engine, now=now)
    return counts | dict(+Counter(in_doubt_for_15_minutes=waits))


@task(cache_policy=NO_CACHE)
@discreet
def plan_due(now: datetime) -> dict[str, int]:
    """Owe reminders to customers, escalations of late tickets, and news to other programs."""
    place = workplace()
    with transaction(place.engine) as session:
        reminders = follow_up.plan_reminders(session, place.company, now=now)
        escalations = follow_up.escalate_late(session, place.company, now=now)
        news, is_more = plan_news(session, place.company, now=now)
    while is_more:
        with transaction(place.engine) as session:
            planned, is_more = plan_news(session, place.company, now=now)
        news += planned
    return dict(+Counter(reminders=reminders, escalations=escalations, news=news))


@task(cache_policy=NO_CACHE)
@discreet
def render_planned(now: datetime) -> dict[str, int]:
    """Merge what is due together, and render what is planned and due; its bytes are frozen."""
    place = workplace()
    counts = merge_waiting(place.engine, company=place.company, secret=place.secret, now=now)
    with transaction(place.engine) as session:
        low, high, n = planned_span(session, now)
    for span in ranges(low, high, n):
        counts += queue_planned(
            place.engine,
            span,
            company=place.company,
            secret=place.secret,
            public_url=place.settings.public_url,
            reply_address=place.settings.reply_address,
            journal=place.journal,
            now=now,
        )
        report("render", counts.total(), n)
    return {f"rendered_{state}": k for state, k in counts.items()}


@task(cache_policy=NO_CACHE, retries=0)
@discreet
def deliver(limit: int, now: datetime | None) -> dict[str, int]:
    """Hand over what is due, each message once, whatever else runs at the same time."""
    place = workplace()
    sender_id = new_sender_id()
    sent = count(1)

    def on_sent(session: Session, message: Message, at: datetime) -> None:
        loops.on_sent(session, message, at)
        report("deliver", next(sent), 0)

    with liveness(place.engine, place.settings.locks).hold(sender_id) as sender:
        counts = deliver_due(
            place.engine,
            open_channels(place.settings),
            company=place.company,
            secret=place.secret,
            sender=sender,
            journal=place.journal,
            kill_switch=place.settings.kill_switch,
            clock=place.clock_from(now),
            rng=Random(sender_id),  # noqa: S311  (spreads retries, no secret)
            limit=limit,
            on_sent=on_sent,
        )
    return {state.value: n for state, n in counts.items()}
