"""From facts to the frozen bytes of a message, in the form that its channel takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from notifications.cards import card_of, plain_message, slack_message, teams_message
from notifications.contexts import TEMPLATES, AlertMail
from notifications.mail import CannotComposeError, Letter, compose, sender_of, wire_address
from notifications.render import Rendered, render, render_line
from notifications.sandbox import render_subject
from notifications.segments import MOST_SEGMENTS, fit, segments
from notifications.words import context_for, public_reply_for, short_message_for
from voc.company.model import Company
from voc.models import DeliveryChannel, LinkPurpose, MessageKind
from voc.rules.cloud_events import cloud_event
from voc.rules.experiments import variant_of
from voc.rules.public_reply import Private, console_of, reply_address, why_not_public
from voc.rules.tokens import ReturnPurpose, link_token, message_id, message_key, return_address
from voc.store.mail_facts import MailFacts

PAGES = {
    LinkPurpose.ANSWER: "a",
    LinkPurpose.UNSUBSCRIBE: "u",
    LinkPurpose.APPROVE: "p",
    LinkPurpose.JUDGE: "j",
}
"""Where a link leads; all others are owners' pages."""


CARDS = {
    DeliveryChannel.SLACK: slack_message,
    DeliveryChannel.TEAMS: teams_message,
    DeliveryChannel.APPRISE: plain_message,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message ready to be frozen."""

    address: str
    """Where it goes."""
    message_id: str
    envelope_sender: str = ""
    content: bytes = field(default=b"", repr=False)
    tokens: Mapping[LinkPurpose, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What stays the same from message to message.

    Args:
        reply_address: Where replies and bounces go, told apart by a token for each message;
            empty if nobody reads them.
    """

    company: Company
    secret: bytes
    public_url: str
    reply_address: str = ""

    def write(self, facts: MailFacts, address: str, *, now: datetime) -> Written:
        """Render the message for its channel and freeze it into bytes.

        Raises:
            CannotComposeError: Address or template are of no use; it will not get better by
                itself.
            jinja2.TemplateError: The template wants what its context lacks.
        """
        message, channel = facts.message, facts.message.channel
        key = message_key(message.subject, message.step, channel, message.recipient)
        if channel is DeliveryChannel.WEBHOOK:
            return self._event(facts, address, key)
        kind = TEMPLATES.get(message.template)
        if kind is None:
            raise CannotComposeError(f"there is no template {message.template!r}")
        tokens = {purpose: link_token(self.secret, purpose, key) for purpose in kind.purposes}
        urls = {
            purpose: f"{self.public_url.rstrip('/')}/{PAGES.get(purpose, 't')}/{token}"
            for purpose, token in tokens.items()
        }
        sender = sender_of(self.company.company.sender)
        written = Written(
            address=address,
            message_id=message_id(self.secret, key, sender.domain),
            envelope_sender=sender.addr_spec if channel is DeliveryChannel.EMAIL else "",
            tokens=tokens,
        )
        if channel is DeliveryChannel.EMAIL:
            return self._mail(facts, written, urls, now=now)
        if channel is DeliveryChannel.SMS:
            return replace(written, content=self._sms(facts, urls))
        if channel is DeliveryChannel.REVIEW:
            return self._reply(facts, written)
        return replace(written, content=self._card(facts, urls, channel))

    def _event(self, facts: MailFacts, address: str, key: str) -> Written:
        if facts.event is None:
            raise CannotComposeError("the event that it tells of is not there")
        told = cloud_event(facts.event, source=self.public_url)
        domain = sender_of(self.company.company.sender).domain
        return Written(
            address=address,
            message_id=message_id(self.secret, key, domain),
            content=json.dumps(told, separators=(",", ":")).encode(),
            tokens={},
        )

    def _mail(
        self,
        facts: MailFacts,
        written: Written,
        urls: Mapping[LinkPurpose, str],
        *,
        now: datetime,
    ) -> Written:
        context = context_for(facts, self.company, urls)
        is_follow_up = facts.message.kind is MessageKind.FOLLOW_UP
        letter = Letter(
            sender=self.company.company.sender,
            recipient=written.address,
            message_id=written.message_id,
            date=now,
            language=context.language,
            thread=facts.thread,
            unsubscribe=urls.get(LinkPurpose.UNSUBSCRIBE),
            unsubscribe_address=self._return(facts, ReturnPurpose.UNSUBSCRIBE),
            reply_to=self._return(facts, ReturnPurpose.REPLY) if is_follow_up else None,
        )
        return replace(
            written,
            envelope_sender=self._return(facts, ReturnPurpose.BOUNCE) or written.envelope_sender,
            content=compose(letter, _varied(render(context), facts, self.company)),
        )

    def _return(self, facts: MailFacts, purpose: ReturnPurpose) -> str | None:
        if not self.reply_address:
            return None
        address = wire_address(self.reply_address)
        return return_address(address, self.secret, purpose, facts.message.id or 0)

    def _sms(self, facts: MailFacts, urls: Mapping[LinkPurpose, str]) -> bytes:
        words = short_message_for(facts, self.company, urls)
        text = fit(lambda quote: render_line(replace(words, quote=quote), "sms.txt"), words.quote)
        if segments(text) > MOST_SEGMENTS:
            raise CannotComposeError(f"longer than {MOST_SEGMENTS} text messages without a quote")
        return text.encode()

    def _reply(self, facts: MailFacts, written: Written) -> Written:
        about = facts.review
        if about is None:
            raise CannotComposeError("the message is about no review")
        sources = {source.id: source for source in self.company.sources}
        try:
            source = sources.get(about.source)
            address = reply_address(source, about.external_id, about.said_at, about.stars)
        except ValueError as exc:
            raise CannotComposeError(f"no public reply: {exc}") from None
        context = public_reply_for(facts, self.company)
        text = render_line(context, "review.txt")
        console = console_of(address)
        private = Private(
            name=facts.name,
            verbatim=facts.verbatim,
            internal=tuple(words for done in facts.done for words in (done.cause, done.action)),
            ours=(self.company.company.name, sender_of(self.company.company.sender).addr_spec),
            usual=render_line(replace(context, company="", contact=""), "review.txt"),
        )
        if console is None or (why := why_not_public(text, console, private)):
            raise CannotComposeError(f"no public reply: {why}")
        return replace(written, address=address, content=text.encode())

    def _card(
        self, facts: MailFacts, urls: Mapping[LinkPurpose, str], channel: DeliveryChannel
    ) -> bytes:
        context = context_for(facts, self.company, urls)
        if not isinstance(context, AlertMail):
            raise CannotComposeError(f"{facts.message.template!r} is only written as a mail")
        return CARDS[channel](card_of(context))


def _varied(words: Rendered, facts: MailFacts, company: Company) -> Rendered:
    """The same mail under the subject line of its variant of an experiment, if it has one."""
    variant = variant_of(company.experiments, facts.message.variant)
    if variant is None or variant.subject is None:
        return words
    return replace(
        words, subject=render_subject(variant.subject, {"company": company.company.name})
    )
