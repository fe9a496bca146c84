"""Rows of made-up books, by number: the same number makes the same row."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlmodel import SQLModel

from benchmarks.desk.since import happened
from benchmarks.understanding.texts import invented
from voc.company.model import Company
from voc.models import (
    Answer,
    AssignmentState,
    AuditEntry,
    Channel,
    Consent,
    Customer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Identity,
    IdentityKind,
    Loop,
    LoopKind,
    LoopState,
    LoopTicket,
    Message,
    MessageKind,
    MessageState,
    Priority,
    Purpose,
    Quarantine,
    RatingScale,
    Statement,
    Suggestion,
    SuggestionKind,
    ThemeAssignment,
    Ticket,
    TicketComment,
    TicketEvent,
    TicketEventKind,
    TicketState,
)
from voc.store.suggestion_counts import Asked

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
YEARS_S = 2 * 365 * 86_400
ROUTED_EVERY = 5  # one piece of feedback in five opens a loop with a ticket
CUSTOMER_SAYS = 3  # pieces of feedback a customer, on average
OPEN_AT_LAST = 0.05  # of the tickets
THEMES = 40
DISTINCT = 2_000  # sentences
SCALES = (RatingScale.NPS, RatingScale.CSAT, RatingScale.CES, RatingScale.STARS)
HIGHEST = {RatingScale.NPS: 10, RatingScale.CSAT: 5, RatingScale.CES: 7, RatingScale.STARS: 5}
CHANNELS = (Channel.SURVEY, Channel.REVIEW, Channel.SOCIAL)
PRODUCTS = ("lamps", "sofas", "tables", "textiles", None)
SEGMENTS = ("new", "regular", "gold", None)
SENTIMENTS = ("negative", "neutral", "positive")
CAUSES = ("Carrier changed the slot.", "Label was wrong.", "Stock count was wrong.")
MODEL = "made-up 1"

SAID = (Feedback, FeedbackVersion, Ticket, Statement, Suggestion, ThemeAssignment)
CAME_OF_IT = (Loop, LoopTicket, Message, TicketEvent, Answer, TicketComment, AuditEntry, Quarantine)
FILLED = (*SAID, *CAME_OF_IT)
"""In an order in which each row points only to what is there."""

Rows = dict[type[SQLModel], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One piece of feedback, as far as other rows need it."""

    key: int
    customer: int
    department: str
    ticket: int
    """0: none."""
    at: datetime


class Maker:
    """Makes rows by number: the same for the same number."""

    def __init__(self, company: Company) -> None:
        words = random.Random(1)
        self.owners = {d.id: d.owners[0].email for d in company.departments}
        self.departments = list(self.owners)
        self.topics = {t.department: t.id for t in company.topics}
        self.touchpoints = [t.id for t in company.touchpoints]
        self.sources = [s.id for s in company.sources]
        self.sentences = [invented(words)[0] for _ in range(DISTINCT)]
        self.hashes = [_hash(f"sentence {i}") for i in range(DISTINCT)]
        self.statement = self.event = 0
        self.asked: Counter[Asked] = Counter()
        self.unsure: Counter[Asked] = Counter()

    def customers(self, ids: range, _n: int) -> Rows:
        rows: Rows = {Customer: [], Identity: [], Consent: []}
        for key in ids:
            came = NOW - timedelta(seconds=YEARS_S)
            row = {"id": key, "name": f"Customer {key}", "language": "en", "country": "DE"}
            segment, value = SEGMENTS[key % len(SEGMENTS)], float(key % 500)
            rows[Customer].append({**row, "segment": segment, "value": value, "created_at": came})
            address = {"kind": IdentityKind.EMAIL, "value": f"c{key}@customer.example"}
            rows[Identity].append({"customer_id": key, **address, "at": came})
            agreed = {"purpose": Purpose.FOLLOW_UP, "granted": key % 9 != 0, "how": "made up"}
            rows[Consent].append({"customer_id": key, **agreed, "at": came})
        return rows

    def feedback(self, ids: range, n: int) -> Rows:
        """With its words, what was understood of them, and for a fifth a loop and a ticket."""
        rows: Rows = {table: [] for table in FILLED}
        for key in ids:
            self._one(rows, random.Random(key), key, n)
        return {table: values for table, values in rows.items() if values}

    def _one(self, rows: Rows, rng: random.Random, key: int, n: int) -> None:
        said_at = NOW - timedelta(seconds=YEARS_S * (1 - key / n))
        customer = rng.randint(1, max(1, n // CUSTOMER_SAYS))
        scale = rng.choice(SCALES)
        picks = [rng.randrange(DISTINCT) for _ in range(rng.choice((1, 1, 1, 2)))]
        parts = [self.sentences[i] for i in picks]
        is_routed = key % ROUTED_EVERY == 0
        state = FeedbackState.ROUTED if is_routed else FeedbackState.FILED
        rows[Feedback].append(
            {
                "id": key,
                "source": rng.choice(self.sources),
                "external_id": f"made-{key}",
                "channel": rng.choice(CHANNELS),
                "customer_id": customer,
                "said_at": said_at,
                "collected_at": said_at + timedelta(hours=2),
                "rating": float(rng.randint(0 if scale is RatingScale.NPS else 1, HIGHEST[scale])),
                "rating_scale": scale,
                "touchpoint": rng.choice(self.touchpoints),
                "product": rng.choice(PRODUCTS),
                "item_hash": "",
                "version": 1,
                "state": state,
                "reason": None if is_routed else "nothing_to_do",
            }
        )
        rows[FeedbackVersion].append(
            {
                "id": key,
                "feedback_id": key,
                "number": 1,
                "verbatim": " ".join(parts),
                "content_hash": _hash(f"words {key}"),
                "masked": {},
                "collected_at": said_at,
                "language": "en",
                "understood_by": MODEL,
            }
        )
        ticket = key // ROUTED_EVERY if is_routed else 0
        piece = _Piece(key, customer, rng.choice(self.departments), ticket, said_at)
        start = 0
        for pick, words in zip(picks, parts, strict=True):
            self._statement(rows, rng, piece, pick, start)
            start += len(words) + 1
        if ticket:
            self._loop(rows, rng, piece)

    def _statement(
        self, rows: Rows, rng: random.Random, piece: _Piece, pick: int, start: int
    ) -> None:
        self.statement += 1
        number = self.statement
        end, ticket = start + len(self.sentences[pick]), piece.ticket or None
        place = {"version_id": piece.key, "start": start, "end": end, "ticket_id": ticket}
        rows[Statement].append({"id": number, **place, "text_hash": self.hashes[pick]})
        department, topic = piece.department, self.topics.get(piece.department)
        week = f"{piece.at:%G-W%V}"
        for kind, value in (
            (SuggestionKind.SENTIMENT, rng.choice(SENTIMENTS)),
            (SuggestionKind.TOPIC, topic),
            (SuggestionKind.DEPARTMENT, None if rng.random() < 0.2 else department),  # noqa: PLR2004
        ):
            said = {"kind": kind, "model": MODEL, "value": value, "probability": 0.8}
            rows[Suggestion].append({"statement_id": number, "offers": [], **said})
            asked = (week, kind, MODEL)
            self.asked[asked] += 1
            self.unsure[asked] += value is None
        theme = {"state": AssignmentState.ASSIGNED, "theme_id": 1 + pick % THEMES}
        rows[ThemeAssignment].append({"statement_id": number, **theme, "similarity": 0.7})

    def _loop(self, rows: Rows, rng: random.Random, piece: _Piece) -> None:
        ticket, department = piece.ticket, piece.department
        opened = min(piece.at + timedelta(hours=3), NOW - timedelta(minutes=5))
        is_open = rng.random() < OPEN_AT_LAST
        done = None if is_open else min(opened + timedelta(hours=rng.uniform(2, 96)), NOW)
        ended = LoopState.CLOSED if rng.random() < 0.8 else LoopState.COULD_NOT_TELL  # noqa: PLR2004
        told = done if ended is LoopState.CLOSED else None
        rows[Loop].append(
            {
                "id": ticket,
                "feedback_id": piece.key,
                "customer_id": piece.customer,
                "kind": LoopKind.ISSUE,
                "state": LoopState.OPEN if is_open else ended,
                "reason": None if is_open else ("solved" if told else "no_consent"),
                "round": 1,
                "opened_at": opened,
                "first_told_at": told,
                "told_at": told,
                "closed_at": done,
            }
        )
        is_taken = is_open and rng.random() < 0.5  # noqa: PLR2004
        open_state = TicketState.IN_PROGRESS if is_taken else TicketState.OPEN
        rows[Ticket].append(
            {
                "id": ticket,
                "customer_id": piece.customer,
                "department": department,
                "topic": self.topics.get(department),
                "because": "suggested, 80 %",
                "offers": [[department, 0.8]],
                "priority": rng.choice(list(Priority)),
                "state": open_state if is_open else TicketState.CLOSED,
                "level": 0,
                "round": 1,
                "hand": 1,
                "owner": self.owners[department] if done or is_taken else None,
                "opened_at": opened,
                "first_response_due_at": opened + timedelta(hours=8),
                "resolution_due_at": opened + timedelta(hours=24),
                "accepted_at": opened + timedelta(hours=1) if done or is_taken else None,
                "resolved_at": done,
                "closed_at": done,
                "root_cause": rng.choice(CAUSES) if done else None,
                "action_taken": "Sent again, free of charge." if done else None,
            }
        )
        rows[LoopTicket].append({"loop_id": ticket, "ticket_id": ticket})
        self._messages(rows, piece, opened, told)
        for table, row in happened(ticket, piece.customer, opened):
            rows[table].append(row)
        kinds = [TicketEventKind.OPENED]
        kinds += [TicketEventKind.ACCEPTED, TicketEventKind.RESOLVED] if done else []
        for kind in kinds:
            self.event += 1
            link = {"previous_hash": "", "hash": _hash(f"event {self.event}")}
            about = {"ticket_id": ticket, "loop_id": ticket, "kind": kind, "detail": department}
            at = opened if kind is TicketEventKind.OPENED else done
            rows[TicketEvent].append({**about, "actor": "vocloop", "at": at, **link})

    def _messages(self, rows: Rows, piece: _Piece, opened: datetime, told: datetime | None) -> None:
        """The alert to the owners, and the reply if there was one."""
        common = {"attempts": 0, "needs_approval": False, "channel": "email"}
        out = {**common, "planned_at": opened, "not_before": opened, "state": MessageState.SENT}
        alert = {
            "subject": f"ticket:{piece.ticket}",
            "step": "opened.1",
            "recipient": self.owners[piece.department],
            "kind": MessageKind.ALERT,
            "template": "ticket_opened",
            "customer_id": None,
            "loop_id": None,
            "ticket_id": piece.ticket,
            "settled_at": opened,
        }
        rows[Message].append({**out, **alert})
        if told:
            reply = {
                "subject": f"loop:{piece.ticket}",
                "step": "resolution.1",
                "recipient": f"customer:{piece.customer}",
                "kind": MessageKind.FOLLOW_UP,
                "template": "resolution",
                "customer_id": piece.customer,
                "loop_id": piece.ticket,
                "ticket_id": None,
                "settled_at": told,
            }
            rows[Message].append({**out, **reply})


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
