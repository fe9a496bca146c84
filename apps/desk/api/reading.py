"""What can be read beside tickets: feedback, customers, loops, and who is told of events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlmodel import Session

from apps.desk.api.problems import answers
from apps.desk.api.shapes import (
    CustomerShown,
    FeedbackShown,
    Judgement,
    LoopShown,
    OfCustomer,
    Page,
    Paging,
    StatementShown,
    Webhooks,
    WebhookShown,
    WholeFeedback,
)
from apps.desk.api.tokens import Caller, needs
from apps.desk.desk import Number
from voc.errors import NotFoundError
from voc.models import (
    Customer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Label,
    Loop,
    MessageState,
    Suggestion,
    SuggestionKind,
)
from voc.rules.receipts import Receipt
from voc.rules.scopes import Scope
from voc.store import listings, tickets, webhooks
from voc.store.database import reading
from voc.store.receipt import receipt_of

router = APIRouter()

FeedbackReader = Annotated[Caller, needs(Scope.FEEDBACK_READ)]
CustomerReader = Annotated[Caller, needs(Scope.CUSTOMERS_READ)]
TicketReader = Annotated[Caller, needs(Scope.TICKETS_READ)]
WebhookReader = Annotated[Caller, needs(Scope.WEBHOOKS_READ)]

IN_DOUBT = frozenset({MessageState.UNKNOWN, MessageState.HELD, MessageState.DEAD})


@router.get("/feedback", tags=["feedback"], summary="List feedback", responses=answers())
def list_feedback(
    caller: FeedbackReader,
    paging: Annotated[Paging, Depends()],
    state: FeedbackState | None = None,
    customer: OfCustomer = None,
) -> Page[FeedbackShown]:
    """What customers said, in the order in which we got it."""
    with reading(caller.desk.engine) as session:
        found = listings.feedback_after(
            session, paging.after, paging.limit, state=state, customer=customer
        )
    items = [FeedbackShown.model_validate(_facts(*each)) for each in found]
    caller.saw(f"feedback:{items[0].id}-{items[-1].id}" if items else "feedback:none")
    return Page(items=items, next=items[-1].id if len(items) == paging.limit else None)


@router.get(
    "/feedback/{feedback_id}",
    tags=["feedback"],
    summary="One piece of feedback",
    responses=answers(404),
)
def show_feedback(caller: FeedbackReader, feedback_id: Number) -> WholeFeedback:
    """Its words, masked, and what was understood of them."""
    with reading(caller.desk.engine) as session:
        found = listings.one_feedback(session, feedback_id)
        if found is None:
            raise NotFoundError(f"there is no feedback {feedback_id}")
        shown = WholeFeedback.model_validate(
            _facts(*found)
            | {
                "loop": listings.loop_of_feedback(session, feedback_id),
                "statements": _statements(session, found[1]),
            }
        )
    caller.saw(f"feedback:{feedback_id}")
    return shown


@router.get(
    "/customers/{customer_id}",
    tags=["customers"],
    summary="One customer",
    responses=answers(404),
)
def show_customer(caller: CustomerReader, customer_id: Number) -> CustomerShown:
    """What a customer is to the company. No name, no address."""
    with reading(caller.desk.engine) as session:
        customer = session.get(Customer, customer_id)
        if customer is None:
            raise NotFoundError(f"there is no customer {customer_id}")
        consents = listings.consents_of(session, customer_id)
    caller.saw(f"customer:{customer_id}")
    return CustomerShown.model_validate(customer.model_dump() | {"consents": consents})


@router.get("/loops/{loop_id}", tags=["loops"], summary="One loop", responses=answers(404))
def show_loop(caller: TicketReader, loop_id: Number) -> LoopShown:
    """What we owe a customer for a piece of feedback, and how far it is."""
    with reading(caller.desk.engine) as session:
        loop = session.get(Loop, loop_id)
        if loop is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        waits_for = [ticket.id for ticket in tickets.tickets_of(session, loop_id)]
    return LoopShown.model_validate(loop.model_dump() | {"tickets": waits_for})


@router.get(
    "/loops/{loop_id}/receipt",
    tags=["loops"],
    summary="The receipt of a loop",
    responses=answers(404, 409),
)
def show_receipt(caller: TicketReader, loop_id: Number) -> Receipt:
    """All that happened to a loop, with what proves it. `voc receipt --check` checks it.

    The first one reads the hashes of the whole ledger. It ends at the ledger's present end, for
    which only the database vouches: `voc receipt` has one that is anchored.
    """
    with caller.ledger.turn, reading(caller.desk.engine) as session:
        receipt = receipt_of(session, loop_id, None, caller.ledger)
    caller.saw(f"loop:{loop_id}")
    return receipt


@router.get("/webhooks", tags=["webhooks"], summary="Who is told of events", responses=answers())
def list_webhooks(caller: WebhookReader) -> Webhooks:
    """The programs of the company file, and how far each was told. Addresses are not shown."""
    with reading(caller.desk.engine) as session:
        cursors = webhooks.cursors(session)
        waiting = webhooks.waiting(session, webhooks.UNFINISHED)
        in_doubt = webhooks.waiting(session, IN_DOUBT)
    return Webhooks(
        items=[
            WebhookShown(
                name=each.name,
                events=list(each.events),
                told_up_to=cursors[each.name].event_id if each.name in cursors else None,
                waiting=waiting.get(each.name, 0),
                in_doubt=in_doubt.get(each.name, 0),
            )
            for each in caller.desk.company.webhooks
        ]
    )


def _facts(piece: Feedback, version: FeedbackVersion) -> dict[str, object]:
    return piece.model_dump() | {"words": version.verbatim}


def _statements(session: Session, version: FeedbackVersion) -> list[StatementShown]:
    return [
        StatementShown(
            id=statement.id or 0,
            start=statement.start,
            end=statement.end,
            ticket_id=statement.ticket_id,
            sentiment=_judgement(said.get(SuggestionKind.SENTIMENT)),
            topic=_judgement(said.get(SuggestionKind.TOPIC)),
            department=_judgement(said.get(SuggestionKind.DEPARTMENT)),
        )
        for statement, said in listings.statements_in(session, version)
    ]


def _judgement(said: Suggestion | Label | None) -> Judgement | None:
    if said is None:
        return None
    if isinstance(said, Label):
        return Judgement(value=said.value, probability=None, by="person")
    return Judgement(value=said.value, probability=said.probability, by=said.model)
