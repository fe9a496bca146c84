"""Calling two customers the same person, and taking it back. Each is shown before it is done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import OPERATIONS
from apps.desk.desk import Desk, Number, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.profile.held import HERE, customer_for, page_of
from apps.desk.profile.search import note_search
from voc.actions.customer_merges import MergeRefusedError, merge, undo
from voc.actions.profile import Profile, find, profile_of
from voc.models import Customer, CustomerMerge
from voc.rules.customer_merges import SENTENCES, Refused, stricter
from voc.store import customer_merges as store
from voc.store.database import reading, transaction

router = APIRouter()

OTHER = HERE + "/{customer_id}/merge/{other_id}"
UNDO = HERE + "/{customer_id}/merges/{merge_id}"
NOT_FOUND = "Nobody else is known by exactly that."
SEVERAL = "Several are known by that: {numbers}. Write the number of one of them."


@router.post(HERE + "/{customer_id}/same-as", response_model=None)
def find_other(
    customer_id: Number,
    desk: TheDesk,
    visitor: Visitor = do(OPERATIONS),
    who: Annotated[str, Form()] = "",
) -> HTMLResponse | RedirectResponse:
    """Who the other one is. Their address stays out of the address bar."""
    with reading(desk.engine) as session:
        customer = customer_for(session, customer_id, visitor)
        found = find(session, who, company=desk.company, departments=None)
        note_search(visitor, found)
        found = [number for number in found if number != customer.id]
        if len(found) == 1:
            return RedirectResponse(f"{HERE}/{customer.id}/merge/{found[0]}", 303)
        problem = SEVERAL.format(numbers=", ".join(map(str, found))) if found else NOT_FOUND
        typed, errors = {"who": who}, {"merge": problem}
        return page_of(session, desk, customer, visitor, typed=typed, errors=errors, status=422)


@router.api_route(OTHER, methods=READ, response_model=None)
def compare(
    customer_id: Number, other_id: Number, desk: TheDesk, visitor: Visitor = see(OPERATIONS)
) -> HTMLResponse | RedirectResponse:
    """Both side by side, what would move, and the question."""
    asked = (customer_id, other_id)
    with reading(desk.engine) as session:
        kept, other = (customer_for(session, number, visitor).id for number in asked)
        if (kept, other) != asked:  # merged since
            return RedirectResponse(f"{HERE}/{kept}/merge/{other}", 303)
        return _comparison(session, desk, visitor, customer_id, other_id)


@router.post(OTHER, response_model=None)
def do_merge(
    customer_id: Number, other_id: Number, desk: TheDesk, visitor: Visitor = do(OPERATIONS)
) -> HTMLResponse | RedirectResponse:
    try:
        with transaction(desk.engine) as session:
            merge(session, other_id, into=customer_id, actor=visitor.email, now=visitor.now)
    except MergeRefusedError as exc:
        with reading(desk.engine) as session:
            return _comparison(session, desk, visitor, customer_id, other_id, refused=exc.why)
    return RedirectResponse(f"{HERE}/{customer_id}?done=merged", 303)


@router.api_route(UNDO, methods=READ)
def ask_to_undo(
    customer_id: Number, merge_id: Number, desk: TheDesk, visitor: Visitor = see(OPERATIONS)
) -> HTMLResponse:
    with reading(desk.engine) as session:
        return _undoing(session, desk, visitor, customer_id, merge_id)


@router.post(UNDO, response_model=None)
def do_undo(
    customer_id: Number, merge_id: Number, desk: TheDesk, visitor: Visitor = do(OPERATIONS)
) -> HTMLResponse | RedirectResponse:
    try:
        with transaction(desk.engine) as session:
            _merge_of(session, customer_id, merge_id)
            undo(session, merge_id, actor=visitor.email, now=visitor.now)
    except MergeRefusedError as exc:
        with reading(desk.engine) as session:
            return _undoing(session, desk, visitor, customer_id, merge_id, refused=exc.why)
    return RedirectResponse(f"{HERE}/{customer_id}?done=unmerged", 303)


def _comparison(
    session: Session,
    desk: Desk,
    visitor: Visitor,
    customer_id: int,
    other_id: int,
    *,
    refused: Refused | None = None,
) -> HTMLResponse:
    both = [customer_for(session, number, visitor) for number in (customer_id, other_id)]
    if both[0].id == both[1].id:
        refused = refused or Refused.SAME
    kept, other = (_shown(session, desk, visitor, each) for each in both)
    newest = [
        {purpose: said[0].granted if said else None for purpose, said in each.consents.items()}
        for each in (kept, other)
    ]
    return desk.view(
        "profile/merge.html",
        visitor,
        here=HERE,
        status=409 if refused else 200,
        kept=kept,
        other=other,
        counts=[store.counts(session, each.id or 0) for each in both],
        consents=[
            (
                purpose,
                newest[0][purpose],
                newest[1][purpose],
                stricter(*(n[purpose] for n in newest)),
            )
            for purpose in newest[0]
        ],
        refused=SENTENCES[refused] if refused else "",
    )


def _shown(session: Session, desk: Desk, visitor: Visitor, customer: Customer) -> Profile:
    return profile_of(
        session,
        customer,
        company=desk.company,
        secret=desk.secret,
        departments=None,
        kill_switch=False,
        now=visitor.now,
    )


def _undoing(
    session: Session,
    desk: Desk,
    visitor: Visitor,
    customer_id: int,
    merge_id: int,
    *,
    refused: Refused | None = None,
) -> HTMLResponse:
    done = _merge_of(session, customer_id, merge_id)
    back, theirs = store.goes_back(session, done), store.counts(session, customer_id)
    return desk.view(
        "profile/unmerge.html",
        visitor,
        here=HERE,
        status=409 if refused else 200,
        merge=done,
        back=back,
        stays={name: n - back[name] for name, n in theirs.items()},
        refused=SENTENCES[refused] if refused else "",
    )


def _merge_of(session: Session, customer_id: int, merge_id: int) -> CustomerMerge:
    """The merge in which this customer was kept.

    Raises:
        Refusal: There is no such merge.
    """
    done = session.get(CustomerMerge, merge_id)
    if done is None or done.kept_id != customer_id:
        raise Refusal(404, "not_here")
    return done
