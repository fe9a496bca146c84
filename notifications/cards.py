"""An alert as what chat rooms show: a title, lines, what the customer said, and links to act.

What is written here is data to the services that show it. Whatever could be markup in what a
customer wrote is put where the service reads none: plain text in Slack, text runs in Teams.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notifications.contexts import AlertMail, TicketReopened
from notifications.render import render_line, render_title, shorten

QUOTES = 5
SLACK_HEADER, SLACK_TEXT = 150, 2900  # letters that one of its texts may have
TEAMS_BYTES = 28_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a colleague reads in a chat room."""

    title: str
    lead: str
    quotes: tuple[str, ...]
    lines: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


def card_of(alert: AlertMail) -> Card:
    """The words of the alert's mail, as a card."""
    reopened = alert.objection if isinstance(alert, TicketReopened) else None
    said = [*alert.quotes, *([reopened] if reopened else [])]
    offers = ", ".join(f"{offer.department} ({offer.percent} %)" for offer in alert.offers)
    return Card(
        title=render_title(alert),
        lead=render_line(alert, "body.txt", block="lead"),
        quotes=tuple(said[-QUOTES:]),
        lines=(
            f"Department: {alert.department} ({alert.because})",
            f"Priority: {alert.priority}",
            f"Owner: {alert.owner or 'nobody yet'}",
            f"To be taken by: {alert.first_response_due}",
            f"To be resolved by: {alert.resolution_due}",
            *([f"It may belong to: {offers}"] if offers else []),
        ),
        links=(
            ("I take it", alert.accept_url),
            ("Not ours", alert.reassign_url),
            ("It is resolved", alert.resolve_url),
        ),
    )


def slack_message(card: Card) -> bytes:
    """What an incoming webhook of Slack takes. Nothing in it is their markup."""
    texts = [card.lead, *(f"“{quote}”" for quote in card.quotes), "\n".join(card.lines)]
    buttons = [
        {"type": "button", "text": _slack_text(label), "url": url, "action_id": f"open-{i}"}
        for i, (label, url) in enumerate(card.links)
    ]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _slack_text(card.title, SLACK_HEADER)},
        *({"type": "section", "text": _slack_text(text)} for text in texts if text),
        {"type": "actions", "elements": buttons},
    ]
    return _as_json({"text": _slack_escaped(card.title), "blocks": blocks})


def teams_message(card: Card) -> bytes:
    """What a Teams workflow takes: an adaptive card of 28 kB at most, older quotes left out."""
    for kept in range(len(card.quotes), -1, -1):
        quotes = card.quotes[len(card.quotes) - kept :]
        body = [*_teams_body(card, quotes)]
        actions = [
            {"type": "Action.OpenUrl", "title": label, "url": url} for label, url in card.links
        ]
        content = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
            "actions": actions,
        }
        kind = "application/vnd.microsoft.card.adaptive"
        attachment = {"contentType": kind, "contentUrl": None, "content": content}
        message = _as_json({"type": "message", "attachments": [attachment]})
        if len(message) <= TEAMS_BYTES:
            break
    return message


def plain_message(card: Card) -> bytes:
    """Title and body for services whose markup we do not know: without the customer's words."""
    links = [f"{label}: {url}" for label, url in card.links]
    body = "\n".join([card.lead, "", *card.lines, "", *links])
    return _as_json({"title": card.title, "body": body})


def _teams_body(card: Card, quotes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Text runs: a text block would read what a customer wrote as Markdown."""
    yield _run(card.title, weight="Bolder", size="Medium")
    yield _run(card.lead)
    for quote in quotes:
        yield _run(f"“{quote}”", italic=True)
    for line in card.lines:
        yield _run(line)


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _slack_text(text: str, longest: int = SLACK_TEXT) -> dict[str, Any]:
    escaped = _slack_escaped(text)
    if len(escaped) > longest:
        escaped = _slack_escaped(shorten(text, longest // len("&amp;")))
    return {"type": "plain_text", "text": escaped, "emoji": False}


def _slack_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _as_json(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()
