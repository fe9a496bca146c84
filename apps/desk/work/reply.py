"""Exactly what the customer gets when a ticket is resolved: written, and never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from jinja2 import TemplateError
from sqlmodel import Session

from apps.desk.desk import Desk
from notifications.mail import CannotComposeError
from notifications.preview import Preview, preview
from notifications.words import language_of
from notifications.writing import Writer
from voc.actions import experiments
from voc.models import (
    Customer,
    Feedback,
    Loop,
    LoopState,
    Message,
    MessageKind,
    MessageState,
    Ticket,
)
from voc.rules.contact import ContactFacts, Silence, Why, choose_way, why_not_contact
from voc.rules.experiments import is_hold_out
from voc.rules.lifecycle import UNFINISHED
from voc.store import contact, links, tickets
from voc.store.mail_facts import Done, MailFacts

MOST = 3
"""Loops that are shown: one as a rule, several if the customer complained again."""
TEMPLATE = "resolution"
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "German", "es": "Spanish"}
SILENT = {
    "no_address": "we know no address",
    "no_consent": "they did not agree to be written to",
    "opted_out": "they asked us not to write",
    "bounced": "their address does not exist any more",
    "complained": "they called our mail spam",
    "hold_out": "they are in the group that is never asked",
    "country": "the policy says so for their country",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What leaves for one loop, or why nothing does."""

    words: Preview | None = field(repr=False)
    language: str
    channel: str
    waits_for: list[tuple[int, str]]
    """Tickets, with their departments, that have to be resolved as well before it leaves."""
    silent: str | None
    """Why the customer gets nothing; None: they get it."""
    arm: str | None
    """Experiment and variant in whose words it is written; None: everybody gets the same."""


def replies_of(
    session: Session, desk: Desk, ticket: Ticket, action: str, now: datetime
) -> list[Reply]:
    """What the customers of a ticket get if *action* was done about it. Changes nothing."""
    waiting = [
        loop for loop in tickets.loops_of(session, ticket.id or 0) if loop.state is LoopState.OPEN
    ]
    return [_reply(session, desk, loop, ticket, action=action, now=now) for loop in waiting[:MOST]]


def _reply(
    session: Session, desk: Desk, loop: Loop, ticket: Ticket, *, action: str, now: datetime
) -> Reply:
    customer = session.get_one(Customer, loop.customer_id)
    way, silence = _way(session, desk, customer, now)
    theirs = tickets.tickets_of(session, loop.id or 0)
    done = [
        Done(department=each.department, action=text)
        for each in theirs
        if (text := action if each.id == ticket.id else _settled(each))
    ]
    arm = experiments.arm_for(
        session, TEMPLATE, customer.id or 0, desk.company, secret=desk.secret, now=now
    )
    said = links.said_in_loop(session, loop)
    facts = MailFacts(
        message=_message(loop, way, arm, now),
        name=customer.name,
        language=customer.language,
        timezone=customer.timezone,
        said_at=session.get_one(Feedback, loop.feedback_id).said_at,
        verbatim=said.text,
        done=tuple(done),
    )
    why = silence.reason if silence is not None and silence.until is None else None
    if why is None and is_hold_out(arm):
        why = Why.HOLD_OUT
    language = language_of(customer.language, desk.company.follow_up.languages)
    return Reply(
        words=_written(desk, facts, way, now),
        language=LANGUAGES.get(language, language),
        channel=way.channel.value,
        waits_for=[
            (t.id or 0, desk.company.department_or_triage(t.department).name)
            for t in theirs
            if t.id != ticket.id and t.state in UNFINISHED
        ],
        silent=SILENT.get(why, why) if why else None,
        arm=None if is_hold_out(arm) else arm,
    )


def _settled(ticket: Ticket) -> str | None:
    """What was done about another ticket. What stands in one that is worked on is a draft."""
    return None if ticket.state in UNFINISHED else ticket.action_taken


def _way(
    session: Session, desk: Desk, customer: Customer, now: datetime
) -> tuple[ContactFacts, Silence | None]:
    policy = desk.company.follow_up
    ways = contact.ways_to(
        session,
        customer.id or 0,
        company=desk.company,
        secret=desk.secret,
        kill_switch=False,  # it stops what leaves today, and is no answer to "what do they get"
        now=now,
    )
    way = choose_way(ways, policy, now)
    return way, why_not_contact(way, policy, now)


def _message(loop: Loop, way: ContactFacts, arm: str | None, now: datetime) -> Message:
    return Message(
        subject=f"loop:{loop.id}",
        step=f"resolution.{loop.round}",
        channel=way.channel,
        recipient=f"customer:{loop.customer_id}",
        kind=MessageKind.FOLLOW_UP,
        template=TEMPLATE,
        variant=arm,
        customer_id=loop.customer_id,
        loop_id=loop.id,
        state=MessageState.PLANNED,
        planned_at=now,
        not_before=now,
    )


def _written(desk: Desk, facts: MailFacts, way: ContactFacts, now: datetime) -> Preview | None:
    """None if it cannot be written: without a valid address no mail can be composed."""
    writer = Writer(company=desk.company, secret=desk.secret, public_url=desk.door.public_url)
    address = way.address or "nobody@example.com"
    try:
        written = writer.write(facts, address, now=now)
    except (CannotComposeError, TemplateError):
        return None
    facts.message.content, facts.message.address = written.content, way.address
    return preview(facts.message)
