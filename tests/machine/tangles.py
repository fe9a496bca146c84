"""Rules that lead straight to where several things come together: else too few runs come there.

Most happen to a newcomer, so that what happened before to others does not stand in their way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.machine.colleagues import Colleagues
from tests.machine.machine import REPORTS, STATEMENTS, VERDICTS
from tests.machine.provider import DIES, DOUBTFUL, MEANWHILE, PUT_OFF, Fate
from tests.machine.world import WORDS
from voc.models import (
    Feedback,
    Identity,
    InboundKind,
    Loop,
    MessageState,
    Ticket,
    TicketEventKind,
    Verdict,
)

COMPLAINTS = ("late", "charged", "both")
GIVEN_AWAY = (TicketEventKind.REASSIGNED, TicketEventKind.RELEASED)


class Shop(Colleagues):
    """A shop on a bad day."""

    @rule(fate=st.sampled_from(sorted(MEANWHILE)))
    def something_comes_between_a_claim_and_its_mail(self, fate: Fate) -> None:
        self._gets_a_reply("late", fates=[fate])
        self.check()
        self.world.switch(on=False)
        self.world.wait(hours=1)
        self.world.sends(())

    @rule(
        fate=st.sampled_from(sorted(DIES | DOUBTFUL)),
        wait=st.sampled_from([timedelta(hours=1), timedelta(days=4)]),
    )
    def nobody_knows_what_became_of_a_reply(self, fate: Fate, wait: timedelta) -> None:
        self._gets_a_reply("late", fates=[fate])
        self.world.now += wait
        self.world.sends(())

    @rule(fate=st.sampled_from(sorted(PUT_OFF)), edits=st.booleans())
    def a_reply_is_put_off(self, fate: Fate, edits: bool) -> None:
        """Its customer may have edited their words when it is tried again."""
        (key,) = self._gets_a_reply("late", fates=[fate])
        if edits:
            self.world.edits(key, "charged")
            self.is_understood_and_routed()
        self.world.wait(hours=1)
        self.world.sends(())

    @rule(verdict=VERDICTS, late=st.booleans())
    def a_customer_says_no_and_then_answers_again(self, verdict: Verdict, late: bool) -> None:
        (key,) = self._gets_a_reply("late")
        self._answers(key, Verdict.NOT_SOLVED)
        self.all_is_resolved()
        self.world.sends(())
        self._answers(key, verdict, late=late)

    @rule(first=VERDICTS, then=VERDICTS)
    def a_customer_has_second_thoughts(self, first: Verdict, then: Verdict) -> None:
        (key,) = self._gets_a_reply("late")
        loop = self._loop_of(key)
        self.world.answers(loop.id or 0, first)
        self.world.wait(minutes=5)
        self.world.answers(loop.id or 0, then)
        self.world.closes()

    @rule(
        whats=st.lists(st.sampled_from(sorted(WORDS)), min_size=2, max_size=3, unique=True),
        at=STATEMENTS,
    )
    def a_page_breaks_off(self, whats: list[str], at: int) -> None:
        self.world.somebody_says(self.world.newcomer(), *whats, breaks_at=at)

    @rule(fate=st.sampled_from(sorted(DOUBTFUL)))
    def a_ticket_of_two_loops_is_reopened_while_a_reply_is_in_doubt(self, fate: Fate) -> None:
        keys = self._gets_a_reply("late", "both", fates=[fate, fate])
        self._answers(keys[0], Verdict.NOT_SOLVED)
        self.all_is_resolved()
        self.world.sends(())

    @rule(kind=REPORTS)
    def a_mail_comes_back_and_its_customer_complains_again(self, kind: InboundKind) -> None:
        who = self.world.newcomer()
        self._complains(who, "late")
        self.world.sends(())
        mails = [m for m in self.gone() if m.address == who]
        for message in mails:
            self.world.reports(message, kind, age=timedelta(0))
        if mails:
            self.nothing_comes_of_a_repeat(-1)
        self._complains(who, "charged")
        self.world.sends(())

    @rule(whats=st.permutations(COMPLAINTS))
    def a_customer_complains_again_and_again(self, whats: list[str]) -> None:
        who = self.world.newcomer()
        for what in whats:
            self._complains(who, what)
            self.world.sends(())

    @rule(fate=st.sampled_from(sorted(DOUBTFUL)), edits=st.booleans())
    def a_reply_that_may_have_arrived_is_sent_again(self, fate: Fate, edits: bool) -> None:
        (key,) = self._gets_a_reply("late", fates=[fate])
        loop = self._loop_of(key)
        for message in self.in_doubt():
            if message.loop_id == loop.id:
                self.world.decides(message, MessageState.QUEUED)
        if edits:
            self.world.edits(key, "charged")
            self.is_understood_and_routed()
        self.world.sends(())

    @rule(what=st.sampled_from(COMPLAINTS))
    def a_complaint_that_was_answered_is_deleted(self, what: str) -> None:
        (key,) = self._gets_a_reply(what)
        self.world.is_deleted(key)

    @rule(weeks=st.integers(1, 5))
    def a_complaint_waits_for_weeks(self, weeks: int) -> None:
        self._complains(self.world.newcomer(), "late")
        self.world.wait(weeks=weeks)
        self.world.closes()

    @rule(by_hand=st.booleans())
    def a_reply_is_taken_back_while_it_is_held(self, by_hand: bool) -> None:
        """And given anew, before it is let go."""
        who = self.world.newcomer()
        self._complains(who, "late")
        self.all_is_resolved()
        self.world.switch(on=not by_hand)
        self.world.sends([Fate.LATER] if by_hand else (), to=who)
        theirs = self._tickets_of(who)
        if by_hand:
            for message in self.waiting():
                self.hold(message)
        for ticket in theirs:
            self.take_back(ticket)
        self.all_is_resolved()
        self.world.switch(on=False)
        self.what_a_person_held_is_released()
        self.world.wait(hours=1)
        self.world.sends(())

    @rule(then=st.sampled_from(GIVEN_AWAY))
    def a_ticket_is_given_away_before_its_alert_has_left(self, then: TicketEventKind) -> None:
        who = self.world.newcomer()
        self._complains(who, "late")
        for ticket in self._tickets_of(who):
            self.does(ticket, TicketEventKind.ASSIGNED)
        for ticket in self._tickets_of(who):
            self.does(ticket, then)
        self.world.sends(())

    def _complains(self, who: str, *whats: str) -> list[str]:
        keys = self.world.somebody_says(who, *whats)
        self.is_understood_and_routed()
        return keys

    def _gets_a_reply(self, *whats: str, fates: Sequence[Fate] = ()) -> list[str]:
        """A newcomer complains, all is resolved, and the replies to them have these fates."""
        who = self.world.newcomer()
        keys = self._complains(who, *whats)
        self.all_is_resolved()
        self.world.sends(fates, to=who)
        return keys

    def _answers(self, key: str, verdict: Verdict, *, late: bool = False) -> None:
        self.world.wait(hours=1)
        self.world.answers(self._loop_of(key).id or 0, verdict, late=late)
        self.world.closes()

    def _tickets_of(self, who: str) -> list[Ticket]:
        theirs = {i.customer_id for i in self.world.rows(Identity) if i.value == who}
        return [t for t in self.world.rows(Ticket) if t.customer_id in theirs]

    def _loop_of(self, key: str) -> Loop:
        (piece,) = [f for f in self.world.rows(Feedback) if f.external_id == key]
        (loop,) = [loop for loop in self.world.rows(Loop) if loop.feedback_id == piece.id]
        return loop
