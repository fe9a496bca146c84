"""A company small enough to read: one survey file of six rows, three departments."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

COLUMNS = ("id", "said_at", "score", "email", "name", "phone", "consent", "comment")
Row = tuple[str, ...]

COMPANY = """\
company:
  name: Shop & Co
  sender: Shop & Co <care@shop.example>
  postal_address: 1 High Street, London
departments:
  - id: delivery
    name: Delivery
    description: Parcels on their way, couriers, late, lost or damaged deliveries.
    examples: [My parcel never arrived, The courier was rude]
    owners: [{name: Delivery desk, email: delivery@shop.example}]
  - id: billing
    name: Billing
    description: Money, charges, invoices and refunds.
    examples: [Where is my refund, I was charged twice]
    owners: [{name: Billing desk, email: billing@shop.example}]
  - id: triage
    name: Triage
    description: Whoever looks at what nobody is sure about.
    owners: [{name: Care, email: triage@shop.example}]
sources:
  - id: nps
    kind: file
    channel: survey
    path: inbox/*.csv
    rating_scale: nps
    columns:
      id: id
      text: comment
      said_at: said_at
      rating: score
      email: email
      name: name
      phone: phone
      consent: consent
"""


def _row(number: int, score: int, who: str, comment: str) -> Row:
    moment = f"2026-03-02T0{number}:00:00+00:00"
    phone = f"+44 20 7946 000{number}"
    email = f"{who}@customer.example"
    return (f"r-{number}", moment, str(score), email, who.title(), phone, "yes", comment)


ROWS: tuple[Row, ...] = (
    _row(1, 1, "kim", "My parcel never arrived and the courier was rude."),
    _row(2, 2, "ana", "I was charged twice and my refund is late."),
    _row(3, 0, "lee", "The courier left a damaged parcel. Terrible."),
    _row(4, 10, "max", "Perfect, fast delivery. Thank you!"),
    _row(5, 9, "ivy", "Friendly people, I love this shop."),
    _row(6, 3, "tom", "Where is my refund? Nobody answers. Awful."),
)


def write_company(home: Path, rows: Sequence[Row] = ROWS) -> None:
    """Put the company file and its survey into *home*."""
    (home / "inbox").mkdir(parents=True)
    (home / "voc.yaml").write_text(COMPANY, encoding="utf-8")
    with (home / "inbox" / "survey.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
