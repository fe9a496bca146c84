"""A customer's addresses in full: asked for with a purpose, shown once, written down."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import Visitor, do
from apps.desk.access.roles import WORKERS
from apps.desk.desk import Number, TheDesk
from apps.desk.profile.held import HERE, customer_for, page_of
from voc.actions.unsealing import unseal
from voc.rules.unsealing import NAMES, NoPurposeError, Purpose
from voc.store.database import reading, transaction

router = APIRouter()

TOO_OFTEN = "You have looked at very many addresses just now. Try again in a few minutes."


@router.post(HERE + "/{customer_id}/unseal")
def show_addresses(
    customer_id: Number,
    desk: TheDesk,
    visitor: Visitor = do(WORKERS),
    purpose: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """The answer is the only place where they stand: there is no page of them to go back to."""
    problem, status = "", 422
    try:
        with transaction(desk.engine) as session:
            customer = customer_for(session, customer_id, visitor)
            handles = unseal(
                session,
                customer,
                purpose=purpose,
                words=words,
                actor=visitor.email,
                now=visitor.now,
            )
            if not desk.unsealings.take(visitor.email):
                raise TooOftenError  # noqa: TRY301  (and so nothing is written)
    except NoPurposeError as exc:
        problem = str(exc)
    except TooOftenError:
        problem, status = TOO_OFTEN, 429
    if problem:
        with reading(desk.engine) as session:
            customer = customer_for(session, customer_id, visitor)
            typed, errors = {"purpose": purpose, "words": words}, {"unseal": problem}
            return page_of(
                session, desk, customer, visitor, typed=typed, errors=errors, status=status
            )
    return desk.view(
        "profile/unsealed.html",
        visitor,
        here=HERE,
        customer=customer,
        handles=handles,
        purpose=NAMES[Purpose(purpose)],
        words=" ".join(words.split()),
    )


class TooOftenError(Exception):
    """This account has unsealed too much lately."""
