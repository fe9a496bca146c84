"""Finding a customer, and what colleagues are shown of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from voc.actions.why import Explanation, explain_customer
from voc.columns import LARGEST
from voc.company.model import Company
from voc.models import Consent, Customer, CustomerMerge, Identity, Purpose, Suppression
from voc.rules.identities import masked_handle, possible_handles
from voc.store import customer_merges, evidence
from voc.store import profile as store
from voc.store.profile import Departments, LoopShown

LOOPS_SHOWN = 20
LONGEST_SEARCH = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityShown:
    """One handle, so that its owner would recognise it and nobody could use it."""

    kind: str
    masked: str
    since: datetime
    suppressed: Suppression | None
    """Why we are silent there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All that there is to know of one customer, but for the line of time."""

    customer: Customer = field(repr=False)
    identities: tuple[IdentityShown, ...]
    consents: Mapping[Purpose, Sequence[Consent]]
    """By purpose, the newest, which holds, first."""
    why: Explanation
    loops: Sequence[LoopShown]
    merges: Sequence[CustomerMerge]
    """Those that can be undone."""
    suppressions: Sequence[Suppression]


def find(session: Session, text: str, *, company: Company, departments: Departments) -> list[int]:
    """The numbers of the customers whom *text* means: a number, or a handle as they wrote it.

    Exact: nothing is looked through. Whoever was merged is found as the one who was kept.
    """
    text = text.strip()[:LONGEST_SEARCH]
    handles = possible_handles(
        text, regions=company.company.phone_regions, platforms=_platforms(company)
    )
    numbers = store.by_handles(session, handles)
    digits = text.removeprefix("#")
    if digits.isascii() and digits.isdigit() and len(digits) < len(str(LARGEST)):
        numbers.insert(0, int(digits))
    found = (store.found(session, number, departments) for number in numbers)
    return list(dict.fromkeys(customer.id or 0 for customer in found if customer))


def profile_of(
    session: Session,
    customer: Customer,
    *,
    company: Company,
    secret: bytes,
    departments: Departments,
    kill_switch: bool,
    now: datetime,
) -> Profile:
    """What the page of a customer shows beside the line of time."""
    number = customer.id or 0
    silent = evidence.suppressions(session, number, secret)
    said: dict[Purpose, list[Consent]] = {purpose: [] for purpose in Purpose}
    for row in store.consents(session, number):
        said[row.purpose].append(row)
    merges = customer_merges.merges_of(session, number)
    return Profile(
        customer=customer,
        identities=tuple(_shown(row, silent) for row in store.identities(session, number)),
        consents=said,
        why=explain_customer(
            session,
            str(number),
            company=company,
            secret=secret,
            kill_switch=kill_switch,
            now=now,
        ),
        loops=store.loops(session, number, departments, limit=LOOPS_SHOWN),
        merges=[each for each in merges if each.undone_at is None],
        suppressions=list(silent.values()),
    )


def _shown(row: Identity, silent: Mapping[str, Suppression]) -> IdentityShown:
    return IdentityShown(
        kind=row.kind.value,
        masked=masked_handle(row.kind, row.value),
        since=row.at,
        suppressed=silent.get(row.value),
    )


def _platforms(company: Company) -> list[str]:
    """Where customers are known by a name: each source says which."""
    named = {
        source.handle_platform if source.kind == "file" else source.kind
        for source in company.sources
    }
    return sorted(filter(None, named))
