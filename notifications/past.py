"""What colleagues read of what went before: a customer's unclear reply, a ticket's history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from babel.dates import format_date

from notifications.contexts import Past
from notifications.mail import CannotComposeError
from notifications.render import clean, shorten
from voc.company.model import Company
from voc.models import LinkPurpose, TicketEventKind, Verdict
from voc.rules.quiet_hours import zone
from voc.store.mail_facts import MailFacts
from voc.store.past_rounds import Past as PastFacts

SAID_LENGTH = 1000
DONE_LENGTH = 300
ANSWERS = {
    Verdict.SOLVED: "solved",
    Verdict.NOT_SOLVED: "not solved",
    Verdict.UNCLEAR: "in words that are not clear",
    None: "",
}


def reply_words(
    facts: MailFacts, company: Company, urls: Mapping[LinkPurpose, str]
) -> dict[str, Any]:
    """The fields of `CustomerReplied`.

    Raises:
        CannotComposeError: The message is about no reply.
    """
    if facts.reply is None:
        raise CannotComposeError("the message is about no reply")
    return {
        "language": "en",
        "company": company.company.name,
        "words": shorten(facts.reply.words, SAID_LENGTH),
        "replied_on": _day(facts.reply.at, company),
        "quote": shorten(facts.verbatim, DONE_LENGTH),
        "told": tuple(shorten(done.action, SAID_LENGTH) for done in facts.done),
        "judge_url": urls[LinkPurpose.JUDGE],
    }


def past_words(past: PastFacts, company: Company) -> Past:
    """One line of a ticket's history."""
    names = {department.id: department.name for department in company.departments}
    what = {
        TicketEventKind.OPENED: "opened",
        TicketEventKind.REASSIGNED: f"handed over to {names.get(past.detail, past.detail)}",
        TicketEventKind.ESCALATED: f"raised to {past.detail}",
        TicketEventKind.RESOLVED: f"resolved by {past.detail}",
        TicketEventKind.LOOP_TOLD: "the customer was told",
        TicketEventKind.ANSWERED: f"the customer answered: {ANSWERS[past.verdict]}",
    }[past.kind]
    for label, words in (("root cause", past.cause), ("what was done", past.action)):
        if words:
            what += f"; {label}: {shorten(words, DONE_LENGTH)}"
    said = shorten(past.words, SAID_LENGTH) if past.words else None
    return Past(on=_day(past.at, company), what=clean(what), words=said)


def _day(at: datetime, company: Company) -> str:
    local = at.astimezone(zone(company.company.timezone))
    return format_date(local.date(), "long", locale="en")
