"""What a message to a customer says, when somebody wants to read it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import READERS
from apps.desk.desk import Number, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.profile.held import HERE, customer_for
from apps.desk.profile.rows import Reader
from notifications.preview import preview
from voc.store import profile_timeline
from voc.store.database import reading

router = APIRouter()


@router.api_route(HERE + "/{customer_id}/messages/{message_id}", methods=READ)
def show_message(
    customer_id: Number, message_id: Number, desk: TheDesk, visitor: Visitor = see(READERS)
) -> HTMLResponse:
    """A customer's message, if it is one of those that this visitor sees in the line of time."""
    with reading(desk.engine) as session:
        customer = customer_for(session, customer_id, visitor)
        number = customer.id or 0
        entry = profile_timeline.message(session, number, visitor.departments, message_id)
        if entry is None:
            raise Refusal(404, "not_here")
        row = Reader(company=desk.company, customer_id=number).row(entry)
        html = desk.view(
            "profile/message.html",
            visitor,
            here=HERE,
            customer=customer,
            message=entry.row,
            row=row,
            words=preview(entry.row),
            sees_all=visitor.departments is None,
        )
    visitor.saw(f"message:{message_id}")
    return html
