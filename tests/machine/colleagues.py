"""What owners do among themselves, what they take back, and what a person holds.

Here as in `machine` it is one thing at a time.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlmodel import Session

from tests.machine.machine import Everyday, one_of
from voc.actions import outbox, ticket_undo, ticket_work, tickets
from voc.actions.ticket_merging import merge
from voc.models import Message, MessageKind, MessageState, Ticket, TicketEventKind, TicketState
from voc.rules.contact import Why
from voc.rules.lifecycle import TICKET_ARROWS
from voc.rules.messages import WAITING
from voc.store.database import transaction
from voc.store.ticket_before import CAN_BE_UNDONE

DEE, OPS = "dee@corner.example", "ops@corner.example"
Kind = TicketEventKind


class Colleagues(Everyday):
    """A shop in which owners change their minds."""

    def teardown(self) -> None:
        self.what_a_person_held_is_released()
        super().teardown()

    @rule(data=st.data())
    @precondition(lambda self: self.resolved())
    def is_taken_back(self, data: st.DataObject) -> None:
        self.take_back(one_of(data, self.resolved()))

    @rule(data=st.data(), deed=st.sampled_from(sorted(CAN_BE_UNDONE)), sends=st.booleans())
    @precondition(lambda self: self.tickets())
    def an_owner_does_and_undoes_it(
        self, data: st.DataObject, deed: TicketEventKind, sends: bool
    ) -> None:
        """Alerts about it may have left in between."""
        ticket = one_of(data, self.tickets())
        if not self.does(ticket, deed):
            return
        if sends:
            self.world.sends(())
        undone = False
        with suppress(ticket_undo.TooLateError), transaction(self.world.place.engine) as session:
            ticket_undo.undo(session, ticket.id or 0, actor=DEE, now=self.world.now)
            undone = True
        (now,) = [row for row in self.world.rows(Ticket) if row.id == ticket.id]
        assert not undone or now.model_dump() == ticket.model_dump(), "it is not as it was"

    @rule(data=st.data(), deed=st.sampled_from([Kind.ACCEPTED, Kind.ASSIGNED, Kind.RELEASED]))
    @precondition(lambda self: self.tickets())
    def an_owner_does(self, data: st.DataObject, deed: TicketEventKind) -> None:
        self.does(one_of(data, self.tickets()), deed)

    @rule(data=st.data())
    @precondition(lambda self: len(self.tickets()) > 1)
    def two_become_one(self, data: st.DataObject) -> None:
        ticket = one_of(data, self.tickets())
        others = [t for t in self.tickets() if t.customer_id == ticket.customer_id]
        into = one_of(data, others)
        if into.id != ticket.id:
            with transaction(self.world.place.engine) as session:
                merge(session, ticket.id or 0, into.id or 0, actor=DEE, now=self.world.now)

    @rule(data=st.data())
    @precondition(lambda self: self.waiting())
    def a_person_holds(self, data: st.DataObject) -> None:
        self.hold(one_of(data, self.waiting()))

    @rule()
    def what_a_person_held_is_released(self) -> None:
        for message in self.world.rows(Message):
            if message.state is MessageState.HELD and message.reason == Why.BY_HAND:
                with transaction(self.world.place.engine) as session:
                    outbox.release(session, message.id or 0, actor=OPS, now=self.world.now)

    def does(self, ticket: Ticket, deed: TicketEventKind) -> bool:
        """Whether the ticket's state lets it happen."""
        if (ticket.state, deed) not in TICKET_ARROWS:
            return False
        with transaction(self.world.place.engine) as session:
            self._does(session, ticket, deed)
        return True

    def _does(self, session: Session, ticket: Ticket, deed: TicketEventKind) -> None:
        key, company, now = ticket.id or 0, self.world.place.company, self.world.now
        if deed is Kind.ACCEPTED:
            tickets.accept(session, key, actor=DEE, now=now)
        elif deed is Kind.RELEASED:
            ticket_work.release(session, key, actor=DEE, now=now)
        elif deed is Kind.ASSIGNED:
            someone = sorted(ticket_work.colleagues(session, company, ticket.department))
            ticket_work.assign(session, key, someone[0], company, actor=DEE, now=now)
        else:
            other = "billing" if ticket.department == "delivery" else "delivery"
            tickets.reassign(session, key, other, company, actor=DEE, now=now)

    def take_back(self, ticket: Ticket) -> None:
        with suppress(ticket_undo.TooLateError), transaction(self.world.place.engine) as session:
            ticket_undo.take_back(session, ticket.id or 0, actor=DEE, now=self.world.now)

    def hold(self, message: Message) -> None:
        with transaction(self.world.place.engine) as session:
            outbox.hold(session, message.id or 0, actor=OPS, now=self.world.now)

    def resolved(self) -> list[Ticket]:
        return [t for t in self.world.rows(Ticket) if t.state is TicketState.RESOLVED]

    def waiting(self) -> list[Message]:
        return [
            m
            for m in self.world.rows(Message)
            if m.state in WAITING and m.kind is MessageKind.FOLLOW_UP
        ]
