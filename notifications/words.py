"""From facts to the words of a template: which names, quotes and links, in which language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from notifications.contexts import (
    ALERTS,
    FOLLOW_UPS,
    LANGUAGES,
    Action,
    CustomerReplied,
    FollowUpMail,
    MailContext,
    Offer,
    ReviewReply,
    ShortMessage,
    Told,
)
from notifications.mail import CannotComposeError, sender_of
from notifications.past import past_words, reply_words
from notifications.render import clean, shorten, without_links
from voc.company.model import TRIAGE, Company
from voc.models import LinkPurpose
from voc.rules.experiments import variant_of
from voc.rules.quiet_hours import zone
from voc.store import approval
from voc.store.mail_facts import MailFacts, TicketWords

QUOTE_LENGTH = 300
STATEMENT_LENGTH = 1000
ACTION_LENGTH = 2000
NAME_LENGTH = 80
BECAUSE_LENGTH = 255
OFFERS = 3


def context_for(facts: MailFacts, company: Company, urls: Mapping[LinkPurpose, str]) -> MailContext:
    """The words of the template that the message asks for.

    Raises:
        CannotComposeError: The message is about nothing that we know.
    """
    kind = (FOLLOW_UPS | ALERTS)[facts.message.template]
    values = (
        _follow_up(facts, company, urls)
        if issubclass(kind, FollowUpMail)
        else _alert(facts, company, urls)
    )
    return kind(**{name: values[name] for name in kind.__dataclass_fields__ if name in values})


def short_message_for(
    facts: MailFacts, company: Company, urls: Mapping[LinkPurpose, str]
) -> ShortMessage:
    """The words of a follow-up that goes by text message: one link, to answer or to stop."""
    return ShortMessage(
        template=facts.message.template,
        language=language_of(facts.language, company.follow_up.languages),
        company=company.company.name,
        # It has room for one of several comments, and is about all of them.
        quote="" if facts.riders else without_links(shorten(facts.verbatim, QUOTE_LENGTH)),
        url=urls.get(LinkPurpose.ANSWER) or urls[LinkPurpose.UNSUBSCRIBE],
    )


def _day(at: datetime, clock: ZoneInfo, language: str) -> str:
    return str(format_date(at.astimezone(clock).date(), "long", locale=language))


def public_reply_for(facts: MailFacts, company: Company) -> ReviewReply:
    """The words below a review. It knows neither the customer nor what they wrote."""
    return ReviewReply(
        language=language_of(facts.language, company.follow_up.languages),
        company=company.company.name,
        contact=sender_of(company.company.sender).addr_spec,
    )


def language_of(customer: str | None, offered: tuple[str, ...]) -> str:
    """The customer's language if we write it, else the first that we do: "de-AT" is German."""
    spoken = (customer or "").replace("_", "-").casefold().split("-")[0]
    written = [language for language in offered if language in LANGUAGES] or [LANGUAGES[0]]
    return spoken if spoken in written else written[0]


def _follow_up(
    facts: MailFacts, company: Company, urls: Mapping[LinkPurpose, str]
) -> dict[str, Any]:
    if facts.said_at is None:
        raise CannotComposeError("the message has no loop")
    language = language_of(facts.language, company.follow_up.languages)
    clock = zone(facts.timezone or company.company.timezone)
    answer = urls.get(LinkPurpose.ANSWER, "")
    variant = variant_of(company.experiments, facts.message.variant)
    return {
        "tone": variant.tone if variant else "plain",
        "language": language,
        "company": company.company.name,
        "postal_address": company.company.postal_address,
        "name": without_links(shorten(facts.name, NAME_LENGTH)) if facts.name else None,
        "quote": without_links(shorten(facts.verbatim, QUOTE_LENGTH)),
        "said_on": _day(facts.said_at, clock, language),
        "others": tuple(
            Told(
                quote=without_links(shorten(rider.verbatim, QUOTE_LENGTH)),
                said_on=_day(rider.said_at, clock, language),
            )
            for rider in facts.riders
            if rider.verbatim
        ),
        "unsubscribe_url": urls[LinkPurpose.UNSUBSCRIBE],
        "actions": tuple(
            Action(
                department=_name(company, done.department), text=clean(done.action)[:ACTION_LENGTH]
            )
            for done in facts.done
        ),
        "solved_url": f"{answer}?verdict=solved",
        "not_solved_url": f"{answer}?verdict=not_solved",
    }


def _alert(facts: MailFacts, company: Company, urls: Mapping[LinkPurpose, str]) -> dict[str, Any]:
    if facts.message.template == CustomerReplied.template:
        return reply_words(facts, company, urls)
    if (message_id := approval.message_of(facts.message)) is not None:
        return {
            "language": "en",
            "company": company.company.name,
            "message": message_id,
            "what": f"a message about loop {facts.message.loop_id}",
            "approve_url": urls[LinkPurpose.APPROVE],
        }
    if (ticket := facts.ticket) is None:
        raise CannotComposeError("the message has no ticket")
    offers = ticket.offers[:OFFERS] if ticket.department == TRIAGE else ()
    return {
        "language": "en",
        "company": company.company.name,
        "ticket": ticket.id,
        "department": _name(company, ticket.department),
        "because": shorten(ticket.because, BECAUSE_LENGTH),
        "priority": ticket.priority,
        "quotes": tuple(shorten(quote, STATEMENT_LENGTH) for quote in ticket.quotes),
        "first_response_due": _due(ticket.first_response_due_at, ticket, company),
        "resolution_due": _due(ticket.resolution_due_at, ticket, company),
        "offers": tuple(
            Offer(department=_name(company, d), percent=round(p * 100)) for d, p in offers
        ),
        "history": tuple(past_words(each, company) for each in ticket.past),
        "owner": shorten(ticket.owner, NAME_LENGTH) if ticket.owner else None,
        "level": ticket.level,
        "objection": shorten(ticket.objection, STATEMENT_LENGTH) if ticket.objection else None,
        "refusal": shorten(ticket.refusal, STATEMENT_LENGTH) if ticket.refusal else None,
        "accept_url": urls[LinkPurpose.ACCEPT],
        "reassign_url": urls[LinkPurpose.REASSIGN],
        "resolve_url": urls[LinkPurpose.RESOLVE],
    }


def _due(at: datetime, ticket: TicketWords, company: Company) -> str:
    """A promise's moment on the department's own clock."""
    known = {d.id: d.business_hours.timezone for d in company.departments}
    name = known.get(ticket.department, company.company.timezone)
    local = format_datetime(at, "EEE d MMM y, HH:mm", tzinfo=zone(name), locale="en")
    return f"{local} ({name})"


def _name(company: Company, department: str) -> str:
    """A department's name, or its id if it has left the company file since."""
    return {d.id: d.name for d in company.departments}.get(department, department)
