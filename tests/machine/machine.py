"""The rules: who may do what, in any order. Hypothesis looks for an order that breaks a promise.

Here is one thing at a time; `tangles` adds what goes wrong only when several come together.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.machine.home import Home
from tests.machine.promises import PROMISES, nothing_is_lost, the_books_balance
from tests.machine.provider import Fate
from tests.machine.seen import UNFINISHED
from tests.machine.world import PEOPLE, WORDS, World
from voc.models import (
    InboundKind,
    Loop,
    LoopKind,
    LoopState,
    Message,
    MessageKind,
    MessageState,
    Ticket,
    Verdict,
)
from voc.rules.messages import GONE

ORDINARY = st.sampled_from([fate for fate in Fate if fate is not Fate.SWITCHED_OFF])
FATES = st.lists(ORDINARY, max_size=3)
ASKED = {LoopState.TOLD, LoopState.CLOSED}
REPORTS = st.sampled_from([InboundKind.DELIVERED, InboundKind.HARD_BOUNCED, InboundKind.COMPLAINED])
VERDICTS = st.sampled_from([Verdict.SOLVED, Verdict.NOT_SOLVED])
STATEMENTS = st.integers(1, 40)
"""At which statement of taking in a page it breaks off."""

Row = TypeVar("Row", Loop, Message, Ticket)

home = cache(Home)


def one_of(data: st.DataObject, rows: list[Row]) -> Row:
    """Drawn by its number: a failing run is told by what is drawn."""
    return {row.id: row for row in rows}[data.draw(st.sampled_from([row.id for row in rows]))]


class Everyday(RuleBasedStateMachine):
    """A shop's life. Every rule is one thing that may happen at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(home())

    def teardown(self) -> None:
        self.world.switch(on=False)
        self.world.finish()
        self.check()
        the_books_balance(self.world)
        nothing_is_lost(self.world, self.world.snapshot())

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
            self.all_is_resolved()
        self.world.sends(fates)

    @rule()
    def an_hour_passes(self) -> None:
        """First by its name, and cheap: hypothesis begins with a run of nothing else."""
        self.world.wait(hours=1)

    @rule(wait=st.sampled_from([timedelta(minutes=10), timedelta(days=1), timedelta(days=8)]))
    def time_passes(self, wait: timedelta) -> None:
        self.world.now += wait

    @rule(who=st.sampled_from(PEOPLE), what=st.sampled_from(sorted(WORDS)))
    def says(self, who: str, what: str) -> None:
        self.world.somebody_says(who, what)

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
        self.world.resolves(one_of(data, self.tickets()))

    @rule(data=st.data(), department=st.sampled_from(["delivery", "billing"]))
    @precondition(lambda self: self.tickets())
    def hands_on(self, data: st.DataObject, department: str) -> None:
        ticket = one_of(data, self.tickets())
        if ticket.department != department:
            self.world.hands_on(ticket, department)

    @rule(fates=FATES)
    def sends(self, fates: list[Fate]) -> None:
        self.world.sends(fates)

    @rule()
    def closes(self) -> None:
        self.world.closes()
        the_books_balance(self.world)

    @rule(who=st.sampled_from(PEOPLE), really=st.sampled_from([True, False, False]))
    def opts_out(self, who: str, really: bool) -> None:
        """Not often: whoever is silent shows nothing any more."""
        if really:
            self.world.opts_out(who)

    @rule(data=st.data(), verdict=VERDICTS)
    @precondition(lambda self: self.asked())
    def answers(self, data: st.DataObject, verdict: Verdict) -> None:
        loop = one_of(data, self.asked())
        late = data.draw(st.booleans()) if loop.round > 1 else False
        self.world.answers(loop.id or 0, verdict, late=late)

    @rule(data=st.data(), kind=REPORTS, old=st.booleans())
    @precondition(lambda self: self.gone())
    def the_provider_reports(self, data: st.DataObject, kind: InboundKind, old: bool) -> None:
        age = timedelta(hours=3 if old else 0)
        self.world.reports(one_of(data, self.gone()), kind, age=age)

    @rule(data=st.data())
    @precondition(lambda self: self.world.reported)
    def the_provider_repeats_itself(self, data: st.DataObject) -> None:
        self.nothing_comes_of_a_repeat(data.draw(st.integers(0, len(self.world.reported) - 1)))

    @rule(
        data=st.data(),
        to=st.sampled_from([MessageState.SENT, MessageState.QUEUED, MessageState.ABANDONED]),
    )
    @precondition(lambda self: self.in_doubt())
    def a_person_decides(self, data: st.DataObject, to: MessageState) -> None:
        self.world.decides(one_of(data, self.in_doubt()), to)

    @rule()
    @precondition(lambda self: self.tickets())
    def the_kill_switch_is_set_before_replies_leave(self) -> None:
        self.all_is_resolved()
        self.world.switch(on=True)
        self.world.sends(())
        self.check()
        self.world.switch(on=False)

    @invariant()
    def check(self) -> None:
        self.world.new_deliveries()
        found = self.world.snapshot()
        for promise in PROMISES:
            promise(self.world, found)

    def all_is_resolved(self) -> None:
        for ticket in self.tickets():
            self.world.resolves(ticket)

    def nothing_comes_of_a_repeat(self, number: int) -> None:
        """Of a report that comes again, some time later."""
        self.world.wait(minutes=5)
        before = self.world.snapshot().values()
        self.world.repeats(self.world.reported[number])
        assert self.world.snapshot().values() == before, "it was applied again"

    def tickets(self) -> list[Ticket]:
        return [t for t in self.world.rows(Ticket) if t.state in UNFINISHED]

    def asked(self) -> list[Loop]:
        """Thanks ask nothing."""
        loops = self.world.rows(Loop)
        return [loop for loop in loops if loop.state in ASKED and loop.kind is LoopKind.ISSUE]

    def in_doubt(self) -> list[Message]:
        return [m for m in self.world.rows(Message) if m.state is MessageState.UNKNOWN]

    def gone(self) -> list[Message]:
        return [
            m
            for m in self.world.rows(Message)
            if m.state in GONE and m.kind is MessageKind.FOLLOW_UP
        ]
