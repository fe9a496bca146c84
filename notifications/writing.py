"""From facts to a frozen mail: which words, which links, in which language and time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from babel.dates import format_date, format_datetime

from notifications.contexts import ALERTS, FOLLOW_UPS, LANGUAGES, Action, Context, Offer
from notifications.mail import CannotComposeError, Letter, compose, sender_of
from notifications.render import clean, render, shorten
from voc.company.model import TRIAGE, Company
from voc.models import LinkPurpose, MessageKind
from voc.rules.contact import zone
from voc.rules.tokens import link_token, message_id, message_key
from voc.store.mail_facts import MailFacts, TicketWords

QUOTE_LENGTH = 300
STATEMENT_LENGTH = 1000
ACTION_LENGTH = 2000
OFFERS = 3
PAGES = {LinkPurpose.ANSWER: "a", LinkPurpose.UNSUBSCRIBE: "u"}  # all others are owners' pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message ready to be frozen."""

    message_id: str
    envelope_sender: str
    content: bytes = field(repr=False)
    tokens: Mapping[LinkPurpose, str] = field(repr=False)


def write_mail(
    facts: MailFacts,
    address: str,
    *,
    company: Company,
    secret: bytes,
    public_url: str,
    now: datetime,
) -> Mail:
    """Render the message and freeze it into bytes.

    Raises:
        CannotComposeError: Address or template are of no use; it will not get better by itself.
        jinja2.TemplateError: The template wants what its context lacks.
    """
    message = facts.message
    key = message_key(message.subject, message.step, message.channel, message.recipient)
    kind = (FOLLOW_UPS | ALERTS).get(message.template)
    if kind is None:
        raise CannotComposeError(f"there is no template {message.template!r}")
    tokens = {purpose: link_token(secret, purpose, key) for purpose in kind.purposes}
    urls = {
        purpose: f"{public_url.rstrip('/')}/{PAGES.get(purpose, 't')}/{token}"
        for purpose, token in tokens.items()
    }
    context = context_for(facts, company, urls)
    sender = sender_of(company.company.sender)
    letter = Letter(
        sender=company.company.sender,
        recipient=address,
        message_id=message_id(secret, key, sender.domain),
        date=now,
        language=context.language,
        thread=facts.thread,
        unsubscribe=urls.get(LinkPurpose.UNSUBSCRIBE),
    )
    content = compose(letter, render(context))
    return Mail(
        message_id=letter.message_id,
        envelope_sender=sender.addr_spec,
        content=content,
        tokens=tokens,
    )


def context_for(facts: MailFacts, company: Company, urls: Mapping[LinkPurpose, str]) -> Context:
    """The words of the template that the message asks for.

    Raises:
        CannotComposeError: The message is about nothing that we know.
    """
    values = (
        _follow_up(facts, company, urls)
        if facts.message.kind is MessageKind.FOLLOW_UP
        else _alert(facts, company, urls)
    )
    kind = (FOLLOW_UPS | ALERTS)[facts.message.template]
    return kind(**{name: values[name] for name in kind.__dataclass_fields__ if name in values})


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
    local = facts.said_at.astimezone(zone(facts.timezone or company.company.timezone))
    answer = urls.get(LinkPurpose.ANSWER, "")
    return {
        "language": language,
        "company": company.company.name,
        "postal_address": company.company.postal_address,
        "name": shorten(facts.name, 80) if facts.name else None,
        "quote": shorten(facts.verbatim, QUOTE_LENGTH),
        "said_on": format_date(local.date(), "long", locale=language),
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
    if (ticket := facts.ticket) is None:
        raise CannotComposeError("the message has no ticket")
    offers = ticket.offers[:OFFERS] if ticket.department == TRIAGE else ()
    return {
        "language": "en",
        "company": company.company.name,
        "ticket": ticket.id,
        "department": _name(company, ticket.department),
        "because": clean(ticket.because),
        "priority": ticket.priority,
        "quotes": tuple(shorten(quote, STATEMENT_LENGTH) for quote in ticket.quotes),
        "first_response_due": _due(ticket.first_response_due_at, ticket, company),
        "resolution_due": _due(ticket.resolution_due_at, ticket, company),
        "offers": tuple(
            Offer(department=_name(company, d), percent=round(p * 100)) for d, p in offers
        ),
        "owner": ticket.owner,
        "level": ticket.level,
        "objection": shorten(ticket.objection, STATEMENT_LENGTH) if ticket.objection else None,
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
