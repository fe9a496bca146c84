"""The rules: who may do what, in any order. Hypothesis looks for an order that breaks a promise."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.machine.promises import PROMISES, nothing_is_lost, the_books_balance
from tests.machine.provider import DIES, MEANWHILE, Fate
from tests.machine.world import PEOPLE, WORDS, World, make_template
from voc.models import (
    InboundKind,
    Loop,
    LoopState,
    Message,
    MessageKind,
    MessageState,
    Ticket,
    TicketState,
    Verdict,
)
from voc.rules.messages import GONE

FATES = st.lists(st.sampled_from(Fate), max_size=3)
UNFINISHED = {TicketState.OPEN, TicketState.IN_PROGRESS}
ASKED = {LoopState.TOLD, LoopState.CLOSED}
REPORTS = [InboundKind.DELIVERED, InboundKind.HARD_BOUNCED, InboundKind.COMPLAINED]


Row = TypeVar("Row", Loop, Message, Ticket)


def _one_of(data: st.DataObject, rows: list[Row]) -> Row:
    """Drawn by its number: a failing run is told by what is drawn."""
    return {row.id: row for row in rows}[data.draw(st.sampled_from([row.id for row in rows]))]


@cache
def template() -> Path:
    return make_template(Path(tempfile.mkdtemp()))


class Shop(RuleBasedStateMachine):
    """A shop's life. Every rule is one thing that may happen at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(template())

    def teardown(self) -> None:
        try:
            self.world.switch(on=False)
            self.world.finish()
            self.check()
            the_books_balance(self.world)
            nothing_is_lost(self.world, self.world.snapshot())
        finally:
            self.world.end()

    @initialize(
        who=st.sampled_from(PEOPLE),
        what=st.sampled_from(["late", "both"]),
        fates=FATES,
        is_resolved=st.booleans(),
    )
    def a_customer_complains_and_is_answered(
        self, who: str, what: str, fates: list[Fate], is_resolved: bool
    ) -> None:
        """Without a complaint little can go wrong, and without a mail nothing of interest."""
        self.world.somebody_says(who, what)
        self.is_understood_and_routed()
        if is_resolved:
            for ticket in self.tickets():
                self.world.resolves(ticket)
        self.world.sends(fates)

    @rule(who=st.sampled_from(PEOPLE), what=st.sampled_from(sorted(WORDS)), breaks=st.booleans())
    def says(self, who: str, what: str, breaks: bool) -> None:
        self.world.somebody_says(who, what, breaks_off=breaks)

    @rule(data=st.data(), what=st.sampled_from(["late", "charged"]))
    def edits(self, data: st.DataObject, what: str) -> None:
        self.world.edits(data.draw(st.sampled_from(sorted(self.world.said))), what)

    @rule(data=st.data(), really=st.sampled_from([True, False, False]))
    def deletes(self, data: st.DataObject, really: bool) -> None:
        if really:
            self.world.is_deleted(data.draw(st.sampled_from(sorted(self.world.said))))

    @rule()
    def is_understood_and_routed(self) -> None:
        self.world.understands()
        self.world.routes()

    @rule(data=st.data())
    @precondition(lambda self: self.tickets())
    def resolves(self, data: st.DataObject) -> None:
        self.world.resolves(_one_of(data, self.tickets()))

    @rule(data=st.data(), department=st.sampled_from(["delivery", "billing"]))
    @precondition(lambda self: self.tickets())
    def hands_on(self, data: st.DataObject, department: str) -> None:
        ticket = _one_of(data, self.tickets())
        if ticket.department != department:
            self.world.hands_on(ticket, department)

    @rule(fates=FATES)
    def sends(self, fates: list[Fate]) -> None:
        self.world.sends(fates)

    @rule(fate=st.sampled_from(sorted(DIES | MEANWHILE | {Fate.REPLY_LOST, Fate.MAIL_LOST})))
    @precondition(lambda self: self.tickets())
    def resolves_and_something_happens_to_the_reply(self, fate: Fate) -> None:
        """The heart of it in one step: else too few runs come here."""
        for ticket in self.tickets():
            self.world.resolves(ticket)
        self.world.sends([fate])
        self.world.now += timedelta(hours=1)
        self.world.sends(())

    @rule()
    def closes(self) -> None:
        self.world.closes()
        the_books_balance(self.world)

    @rule(wait=st.sampled_from([timedelta(minutes=10), timedelta(days=1), timedelta(days=8)]))
    def time_passes(self, wait: timedelta) -> None:
        self.world.now += wait

    @rule(who=st.sampled_from(PEOPLE), really=st.sampled_from([True, False, False]))
    def opts_out(self, who: str, really: bool) -> None:
        """Not often: whoever is silent shows nothing any more."""
        if really:
            self.world.opts_out(who)

    @rule(data=st.data(), verdict=st.sampled_from([Verdict.SOLVED, Verdict.NOT_SOLVED]))
    @precondition(lambda self: self.asked())
    def answers(self, data: st.DataObject, verdict: Verdict) -> None:
        loop = _one_of(data, self.asked())
        late = data.draw(st.booleans()) if loop.round > 1 else False
        self.world.answers(loop.id or 0, verdict, late=late)

    @rule(data=st.data(), kind=st.sampled_from(REPORTS), old=st.booleans())
    @precondition(lambda self: self.gone())
    def the_provider_reports(self, data: st.DataObject, kind: InboundKind, old: bool) -> None:
        age = timedelta(hours=3 if old else 0)
        self.world.reports(_one_of(data, self.gone()), kind, age=age)

    @rule(data=st.data(), kind=st.sampled_from(REPORTS))
    @precondition(lambda self: self.gone())
    def a_mail_comes_back_and_its_customer_complains_again(
        self, data: st.DataObject, kind: InboundKind
    ) -> None:
        message = _one_of(data, self.gone())
        self.world.reports(message, kind, age=timedelta(0))
        if message.address in PEOPLE:
            self.world.somebody_says(message.address, "charged")
        self.is_understood_and_routed()
        self.world.now += timedelta(days=8)
        self.world.sends(())

    @rule(data=st.data())
    @precondition(lambda self: self.world.reported)
    def the_provider_repeats_itself(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.world.reported) - 1))
        self.world.repeats(self.world.reported[number])

    @rule(
        data=st.data(),
        to=st.sampled_from([MessageState.SENT, MessageState.QUEUED, MessageState.ABANDONED]),
    )
    @precondition(lambda self: self.in_doubt())
    def a_person_decides(self, data: st.DataObject, to: MessageState) -> None:
        self.world.decides(_one_of(data, self.in_doubt()), to)

    @rule(fate=st.sampled_from(sorted(MEANWHILE)))
    @precondition(lambda self: self.tickets())
    def the_kill_switch_is_set_just_before_a_reply_leaves(self, fate: Fate) -> None:
        for ticket in self.tickets():
            self.world.resolves(ticket)
        self.world.switch(on=True)
        self.world.sends([fate])
        self.check()
        self.world.switch(on=False)

    @invariant()
    def check(self) -> None:
        self.world.new_deliveries()
        found = self.world.snapshot()
        for promise in PROMISES:
            promise(self.world, found)

    def tickets(self) -> list[Ticket]:
        return [t for t in self.world.rows(Ticket) if t.state in UNFINISHED]

    def asked(self) -> list[Loop]:
        return [loop for loop in self.world.rows(Loop) if loop.state in ASKED]

    def in_doubt(self) -> list[Message]:
        return [m for m in self.world.rows(Message) if m.state is MessageState.UNKNOWN]

    def gone(self) -> list[Message]:
        return [
            m
            for m in self.world.rows(Message)
            if m.state in GONE and m.kind is MessageKind.FOLLOW_UP
        ]
