"""One corpus of hostile text through everything that we write for others to read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from rich.console import Console

from apps.cli.analysis import Analysis, Judged, Unread
from apps.cli.analysis_formats import Blocks, Csv, JsonLines
from nlp.topics import NO_GUESS
from notifications.render import render_part
from notifications.segments import MOST_SEGMENTS, segments
from notifications.words import context_for
from notifications.writing import Writer, Written
from tests.hostile import CONTROLS, HOSTILE, RUNS, active_parts
from tests.outbox_cases import NOW, PUBLIC_URL, SECRET, make_company
from voc.company.model import Company
from voc.models import (
    DeliveryChannel,
    LinkPurpose,
    Message,
    MessageKind,
    TicketEventKind,
    Verdict,
)
from voc.store.mail_facts import Done, MailFacts, Review, TicketWords
from voc.store.merging import Rider
from voc.store.past_rounds import Past, Reply

LINK = re.compile(r"\S+://\S+|\S+\.test\S*")
FOLLOW_UPS = ("receipt", "thanks", "resolution", "reminder")
ALERTS = ("ticket_opened", "ticket_assigned", "ticket_escalated", "ticket_reopened")
REVIEWS = {
    "kind": "file",
    "id": "reviews",
    "channel": "review",
    "path": "reviews.csv",
    "columns": {"text": "text", "id": "id"},
    "console": "google",
}


def company() -> Company:
    plain = make_company()
    return Company.model_validate({**plain.model_dump(mode="json"), "sources": [REVIEWS]})


def facts(template: str, said: str, channel: DeliveryChannel) -> MailFacts:
    """A message about a customer, a ticket and an owner who all write *said*."""
    is_alert = template not in {*FOLLOW_UPS, "review_reply"}
    message = Message(
        id=7,
        subject="ticket:1" if is_alert else "loop:1",
        step=f"{template}.1",
        channel=channel,
        recipient="ola@noodles.test" if is_alert else "customer:1",
        kind=MessageKind.ALERT if is_alert else MessageKind.FOLLOW_UP,
        template=template,
        planned_at=NOW,
        not_before=NOW,
    )
    ticket = TicketWords(
        id=1,
        department="logistics",
        because=said,
        priority="high",
        offers=(),
        level=1,
        owner=said,
        first_response_due_at=NOW,
        resolution_due_at=NOW,
        quotes=(said, said),
        objection=said,
        refusal=said,
        past=(
            Past(at=NOW, kind=TicketEventKind.RESOLVED, detail=said, cause=said, action=said),
            Past(at=NOW, kind=TicketEventKind.ANSWERED, verdict=Verdict.UNCLEAR, words=said),
        ),
    )
    return MailFacts(
        message=message,
        name=said,
        language="en",
        timezone=said,
        said_at=NOW,
        verbatim=said,
        done=(Done(department="logistics", action=said, cause=said),),
        ticket=ticket if is_alert else None,
        reply=Reply(words=said, at=NOW),
        riders=(Rider(message_id=8, said_at=NOW, verbatim=said),),
        review=Review(
            source="reviews",
            external_id="accounts/1/locations/2/reviews/3",
            said_at=NOW,
            stars=1,
        ),
    )


def written(
    templates: tuple[str, ...], channel: DeliveryChannel, address: str
) -> Iterator[tuple[str, Written]]:
    """Each message of *templates*, with each hostile text in all its places."""
    writer = Writer(
        company=company(),
        secret=SECRET,
        public_url=PUBLIC_URL,
        reply_address="care@noodles.test",
    )
    for name, said in HOSTILE.items():
        for template in templates:
            yield (
                f"{name} in {template}",
                writer.write(facts(template, said, channel), address, now=NOW),
            )


def strings(found: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(found, dict):
        found = [*found.values()]
    if isinstance(found, list):
        for each in found:
            yield from strings(each)
    elif isinstance(found, str):
        yield found


def test_a_mail_has_the_head_that_was_meant_and_shows_words_as_words() -> None:
    heads: dict[str, list[str]] = {}
    all_words = ("resolution", "ticket_reopened", "customer_replied")  # that any mail has
    for case, mail in written(all_words, DeliveryChannel.EMAIL, "kim@customer.test"):
        parsed = message_from_bytes(mail.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        template = case.partition(" in ")[2]
        assert heads.setdefault(template, parsed.keys()) == parsed.keys(), case
        assert len(parsed["To"].addresses) == 1, case
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", mail.content), case
        text, html = (part.get_content() for part in parsed.iter_parts())
        assert active_parts(html) == [], case
        assert not CONTROLS.search(text.replace("\r", "") + html.replace("\r", "")), case
        if case.startswith("arithmetic"):
            assert "49" not in text + html.replace("#424a53", ""), case


def test_a_customers_words_put_no_link_into_a_mail_to_a_customer() -> None:
    """Else anybody could send links in our name, by giving somebody else's address."""
    urls = {LinkPurpose.ANSWER: f"{PUBLIC_URL}/a/t", LinkPurpose.UNSUBSCRIBE: f"{PUBLIC_URL}/u/t"}
    for name, said in HOSTILE.items():
        for template in ("receipt", "reminder"):
            about = facts(template, said, DeliveryChannel.EMAIL)
            text = render_part(context_for(about, company(), urls), "body.txt")
            links = re.findall(LINK, text)
            assert all(link.startswith(PUBLIC_URL) for link in links), name


def test_a_text_message_is_short_and_leads_to_our_page_only() -> None:
    for case, sms in written(FOLLOW_UPS, DeliveryChannel.SMS, "+4915112345678"):
        text = sms.content.decode()
        assert segments(text) <= MOST_SEGMENTS, case
        assert not CONTROLS.search(text), case
        assert "\n" not in text, case
        assert text.startswith("Noodles & Söhne"), case
        assert "STOP" in text, case
        links = re.findall(LINK, text)
        assert len(links) == 1, case
        assert links[0].startswith(f"{PUBLIC_URL}/"), case


def test_slack_reads_no_markup_in_a_customers_words() -> None:
    for case, alert in written(ALERTS, DeliveryChannel.SLACK, "room"):
        message = json.loads(alert.content)
        for text in strings(message):
            assert not re.search(r"[<>]", text), case
            assert not CONTROLS.search(text), case
        assert "mrkdwn" not in {*strings(message)}, case
        buttons = message["blocks"][-1]["elements"]
        assert all(button["url"].startswith(PUBLIC_URL) for button in buttons), case
        assert "evil" not in message["text"], case


def test_teams_reads_no_markup_in_a_customers_words() -> None:
    for case, alert in written(ALERTS, DeliveryChannel.TEAMS, "room"):
        (attachment,) = json.loads(alert.content)["attachments"]
        card = attachment["content"]
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}, case
        runs = [run for block in card["body"] for run in block["inlines"]]
        assert {run["type"] for run in runs} == {"TextRun"}, case
        assert not any("selectAction" in run for run in runs), case
        assert not CONTROLS.search("".join(strings(card))), case
        assert all(action["url"].startswith(PUBLIC_URL) for action in card["actions"]), case


def test_services_that_we_know_nothing_of_get_no_words_of_a_customer() -> None:
    alerts = written(ALERTS, DeliveryChannel.APPRISE, "room")
    words = "The courier was rude"
    quoted = facts("ticket_opened", words, DeliveryChannel.APPRISE)
    assert quoted.ticket is not None
    quoted = replace(quoted, ticket=replace(quoted.ticket, because="rule", owner=None))
    writer = Writer(company=company(), secret=SECRET, public_url=PUBLIC_URL)
    assert words.encode() not in writer.write(quoted, "room", now=NOW).content
    for case, alert in alerts:
        found = json.loads(alert.content)
        assert found["title"].startswith("Ticket 1 "), case
        assert not CONTROLS.search("".join(strings(found))), case


def test_a_public_reply_is_the_same_whatever_was_written() -> None:
    replies = written(("review_reply",), DeliveryChannel.REVIEW, "review:1")
    assert len({reply.content for _, reply in replies}) == 1


def analysed() -> Iterator[tuple[str, Analysis | Unread]]:
    for row, (name, said) in enumerate(HOSTILE.items(), 1):
        words = said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        judged = Judged(
            start=0,
            end=len(words),
            text=words,
            sentiment=None,
            probabilities=None,
            topic=NO_GUESS,
            department=NO_GUESS,
        )
        yield (
            name,
            Analysis(
                row=row,
                place=words,
                text=words,
                masked={},
                language="en",
                sentiment=None,
                probabilities=None,
                statements=(judged,),
                note=words,
            ),
        )
        yield name, Unread(row=row, place=words, problem=words)


def test_a_spreadsheet_runs_nothing_that_was_analysed() -> None:
    out = io.StringIO(newline="")
    writer = Csv(out)
    for _, entry in analysed():
        writer.write(entry)
    writer.close()
    out.seek(0)
    rows = list(csv.reader(out))
    assert len(rows) == 1 + 2 * len(HOSTILE)
    for row in rows[1:]:
        for cell in row:
            seen = re.sub(r"^[\s\x00-\x1f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+", "", cell)
            assert not seen.startswith(RUNS), row


def test_analysed_rows_are_one_json_object_a_line() -> None:
    out = io.StringIO()
    writer = JsonLines(out)
    entries = list(analysed())
    for _, entry in entries:
        writer.write(entry)
    lines = out.getvalue().removesuffix("\n").split("\n")
    assert [json.loads(line)["row"] for line in lines] == [entry.row for _, entry in entries]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_obeys_nothing_that_was_analysed(is_terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=is_terminal, color_system=None, width=80)
    writer = Blocks(console)
    for _, entry in analysed():
        writer.write(entry)
    writer.close()
    assert not CONTROLS.search(re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()))
    assert "[bold red]x[/]" in out.getvalue()


def test_what_the_checks_look_for_is_in_the_corpus() -> None:
    assert any(CONTROLS.search(text) for text in HOSTILE.values())
    assert active_parts("".join(HOSTILE.values()))
    assert any(text.startswith(RUNS) for text in HOSTILE.values())
    assert any(re.search(LINK, text) for text in HOSTILE.values())
