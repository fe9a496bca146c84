"""One customer in the hands of a visitor, and the page that shows them."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor
from apps.desk.access.roles import OPERATIONS, WORKERS
from apps.desk.desk import Desk, Refusal
from apps.desk.profile.moments import read_moment, written
from apps.desk.profile.rows import Reader
from voc.actions.profile import profile_of
from voc.models import Customer
from voc.rules.unsealing import NAMES
from voc.store import profile as store
from voc.store.profile_timeline import timeline

HERE = "/desk/customers"
PAGE = 30
DONE = {
    "merged": "They are one customer now.",
    "unmerged": "They are two customers again.",
}


def customer_for(session: Session, customer_id: int, visitor: Visitor) -> Customer:
    """The customer, if they are this visitor's to see; that they do is noted.

    Raises:
        Refusal: They are not, or there is none: nobody learns which.
    """
    customer = store.found(session, customer_id, visitor.departments)
    if customer is None:
        raise Refusal(404, "not_here")
    visitor.saw(f"customer:{customer.id}")
    return customer


def page_of(
    session: Session,
    desk: Desk,
    customer: Customer,
    visitor: Visitor,
    *,
    before: str = "",
    done: str = "",
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page of a customer.

    Args:
        before: From where on the line of time is shown.
        typed: What was typed into its forms.
        errors: By form what is wrong with it.
    """
    profile = profile_of(
        session,
        customer,
        company=desk.company,
        secret=desk.secret,
        departments=visitor.departments,
        kill_switch=desk.kill_switch.exists(),
        now=visitor.now,
    )
    moment = read_moment(before)
    entries = timeline(
        session,
        customer.id or 0,
        visitor.departments,
        suppressions=profile.suppressions,
        before=moment,
        limit=PAGE + 1,
    )
    reader = Reader(company=desk.company, customer_id=customer.id or 0)
    return desk.view(
        "profile/customer.html",
        visitor,
        here=HERE,
        status=status,
        profile=profile,
        customer=customer,
        rows=[reader.row(entry) for entry in entries[:PAGE]],
        older=written(entries[PAGE - 1].moment) if len(entries) > PAGE else None,
        is_first=moment is None,
        purposes=NAMES,
        may_unseal=visitor.role in WORKERS,
        may_merge=visitor.role in OPERATIONS,
        sees_all=visitor.departments is None,
        department=lambda key: desk.company.department_or_triage(key).name,
        done=DONE.get(done, ""),
        typed={"purpose": "", "words": "", "who": ""} | dict(typed or {}),
        errors=errors or {},
    )
