"""The owners' side of the play: from tickets as they stand to what happens next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from rehearsal.company_files import Truth
from rehearsal.deeds import Deed
from rehearsal.owners import Move, TicketView, next_move, targets
from tasks.workplace import Workplace
from voc.actions import tickets as actions
from voc.models import (
    Feedback,
    Message,
    MessageState,
    Ticket,
    TicketEvent,
    TicketEventKind,
)
from voc.rules.business_time import add_business_hours
from voc.rules.lifecycle import UNFINISHED
from voc.store.database import transaction
from voc.store.tickets import loops_of


@dataclass(frozen=True)
class OwnerDeeds:
    """What the owners of one company do with their tickets."""

    place: Workplace
    truth: Truth
    seed: int
    since: datetime

    def all(self) -> Iterable[Deed]:
        """The next deed of every unfinished ticket."""
        with transaction(self.place.engine) as session:
            unfinished = select(Ticket).where(col(Ticket.state).in_(UNFINISHED))
            tickets = session.exec(unfinished.order_by(col(Ticket.id))).all()
            deeds = [self._next(session, ticket) for ticket in tickets]
        return [deed for deed in deeds if deed]

    def _next(self, session: Session, ticket: Ticket) -> Deed | None:
        """What its owner does next; None while the alert about it has not reached them."""
        alerted = self._alerted_at(session, ticket)
        if alerted is None:
            return None
        view = self._view(session, ticket)
        move = next_move(view, self.seed)
        hours = self.place.company.department(ticket.department).business_hours
        start = max(alerted, ticket.accepted_at or alerted)
        at = max(add_business_hours(start, move.after_hours, hours), self.since)
        ticket_id = ticket.id or 0
        return Deed(at, view.key, lambda: self._do(ticket_id, move, at))

    def _do(self, ticket_id: int, move: Move, at: datetime) -> Iterable[Deed]:
        with transaction(self.place.engine) as session:
            ticket = session.get_one(Ticket, ticket_id)
            actor = self.place.company.department(ticket.department).owners[0].email
            if move.kind == "accept":
                actions.accept(session, ticket_id, actor=actor, now=at)
            elif move.kind == "reassign":
                actions.reassign(
                    session, ticket_id, move.department, self.place.company, actor=actor, now=at
                )
            else:
                actions.resolve(
                    session,
                    ticket_id,
                    root_cause=move.root_cause,
                    action_taken=move.action_taken,
                    actor=actor,
                    now=at,
                )
            session.flush()
            following = self._next(session, ticket) if ticket.state in UNFINISHED else None
            return [following] if following else []

    def _alerted_at(self, session: Session, ticket: Ticket) -> datetime | None:
        step = f"opened.{ticket.hand}" if ticket.round == 1 else f"reopened.{ticket.round}"
        sent = select(func.min(Message.settled_at)).where(
            Message.ticket_id == ticket.id,
            Message.step == step,
            Message.state == MessageState.SENT,
        )
        return session.exec(sent).one()

    def _view(self, session: Session, ticket: Ticket) -> TicketView:
        loop = loops_of(session, ticket.id or 0)[0]
        piece = session.get_one(Feedback, loop.feedback_id)
        opened = session.exec(
            select(TicketEvent.ticket_id, TicketEvent.detail)
            .where(TicketEvent.loop_id == loop.id, TicketEvent.kind == TicketEventKind.OPENED)
            .order_by(col(TicketEvent.id))
        ).all()
        departments = [department for _, department in opened]
        place = [ticket_id for ticket_id, _ in opened].index(ticket.id)
        owed_to = self.truth.get((piece.source, piece.external_id), ())
        return TicketView(
            key=f"{piece.source}:{piece.external_id}:{departments[place]}",
            department=ticket.department,
            hand=ticket.hand,
            round=ticket.round,
            accepted=ticket.accepted_at is not None,
            target=targets(departments, owed_to)[place],
        )
