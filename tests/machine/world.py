"""A small shop, its customers and its provider, and everything that may happen to them.

Stages are the plain functions under the tasks, on a real SQLite database; only the models, the
provider and the clock are stand-ins. `promises` says what must hold at every moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from sqlmodel import Session, col, select

from tasks import close, follow_up, route, understand
from tests.machine.breaking import breaking_off
from tests.machine.home import Home
from tests.machine.provider import Delivered, Fate, KilledError, Provider
from tests.machine.seen import UNFINISHED, Reply, Snapshot, is_misplaced, reply_of, snapshot
from tests.outbox_cases import everywhere
from tests.story import Story
from voc.actions import answers, collect, doubt, tickets
from voc.actions.contact import unsubscribe
from voc.actions.inbound import Arrived, take_in
from voc.arrivals import Page, RawFeedback, RawIdentity, RawRating
from voc.models import (
    AnswerWay,
    Channel,
    Identity,
    IdentityKind,
    InboundKind,
    Loop,
    Message,
    MessageState,
    RatingScale,
    Ticket,
    Verdict,
)
from voc.store import messages
from voc.store.database import transaction

PEOPLE = ("kim@example.com", "lee@example.com", "sam@example.com")
WORDS = {
    "late": "The parcel came late, the courier was rude.",
    "charged": "I was charged twice and want my money back.",
    "both": "The parcel came late. I was charged twice, give me my refund.",
    "praise": "Wonderful, thank you!",
}
SILENCES = frozenset({InboundKind.HARD_BOUNCED, InboundKind.COMPLAINED})


class World(Story):
    """One run of the machine."""

    def __init__(self, home: Home) -> None:
        super().__init__(home.make_as_new())
        self.provider = Provider(meanwhile=self._meanwhile, on_taken=self._remember)
        self.customers = set(PEOPLE)
        self.sent_again: Counter[str] = Counter()
        self.asked_again: dict[str, int] = {}
        """By Message-ID what was delivered when a person last said: send it again."""
        self.silent_since: dict[str, int] = {}
        self.contacted: dict[str, list[tuple[datetime, str]]] = {}
        self.said: set[str] = set()
        self.backlog: list[RawFeedback] = []
        self.reported: list[Arrived] = []
        self.replies: list[Reply] = []
        self.misplaced: list[str] = []
        """Mails about a ticket to somebody who did not have it any more."""
        self.killed_since: int | None = None
        self._actions: dict[int, str] = {}
        self._works = count(1)
        self._seen = 0
        setattr(follow_up, "open_channels", lambda _settings: everywhere(self.provider))  # noqa: B010

    # What customers and sources do.

    def newcomer(self) -> str:
        """A customer to whom nothing has happened yet."""
        who = f"new{len(self.customers)}@example.com"
        self.customers.add(who)
        return who

    def somebody_says(self, who: str, *whats: str, breaks_at: int = 0) -> list[str]:
        """It is collected at once, as one page; the first try may break off at a statement."""
        keys = [self._writes(who, what) for what in whats]
        if breaks_at:
            with breaking_off(self.place.engine, breaks_at):
                self.reads_on()
        self.reads_on()
        return keys

    def _writes(self, who: str, what: str) -> str:
        key = f"f{len(self.backlog) + 1}"
        rating = RawRating(value=10 if what == "praise" else 2, scale=RatingScale.NPS)
        self.backlog.append(
            RawFeedback(
                external_id=key,
                verbatim=WORDS[what],
                said_at=self.now,
                channel=Channel.SURVEY,
                rating=rating,
                identities=(RawIdentity(kind=IdentityKind.EMAIL, value=who),),
                name="Kim Lee",
                consent=True,
            )
        )
        self.said.add(key)
        return key

    def reads_on(self) -> None:
        """The source from where it was last read; the last item comes again."""
        read = int(collect.read_cursor(self.place.engine, "box") or 0)
        items = self.backlog[max(0, read - 1) :]
        self.collects(Page(items=items, cursor=str(len(self.backlog))))

    def edits(self, key: str, what: str) -> None:
        number = int(key[1:]) - 1
        self.backlog[number] = replace(self.backlog[number], verbatim=WORDS[what])
        self.collects(Page(items=[self.backlog[number]], cursor=str(len(self.backlog))))

    def is_deleted(self, key: str) -> None:
        self.collects(Page(items=[], cursor=str(len(self.backlog)), deleted=[key]))

    def opts_out(self, who: str) -> None:
        customer_id = self._customer(who)
        if customer_id is None:
            return
        with transaction(self.place.engine) as session:
            is_on_its_way = unsubscribe(
                session, customer_id, secret=self.place.secret, how="page", now=self.now
            )
        if not is_on_its_way:
            self.silent_since.setdefault(who, len(self.provider.delivered))

    def answers(self, loop_id: int, verdict: Verdict, *, late: bool = False) -> None:
        """Whoever got the question may answer it; *late*: the question of an earlier round."""
        with transaction(self.place.engine) as session:
            loop = session.get_one(Loop, loop_id)
            answers.record(
                session,
                loop,
                verdict,
                round_asked=loop.round - late,
                rating=None,
                words=None,
                way=AnswerWay.PAGE,
                at=self.now,
                now=self.now,
            )

    def reports(self, message: Message, kind: InboundKind, *, age: timedelta) -> None:
        """The provider tells us of a message; later again, perhaps."""
        arrived = Arrived(
            provider="mailer",
            event_id=f"e{len(self.reported)}",
            kind=kind,
            occurred_at=self.now - age,
            message_id=message.id,
        )
        self.reported.append(arrived)
        self.repeats(arrived)
        if kind in SILENCES and message.address:
            self.silent_since.setdefault(message.address, len(self.provider.delivered))

    def repeats(self, arrived: Arrived) -> None:
        with transaction(self.place.engine) as session:
            take_in(session, arrived, secret=self.place.secret, now=self.now)

    # What owners, operations and machines do.

    def resolves(self, ticket: Ticket, action: str = "") -> None:
        """Each time they do something else."""
        action = action or f"We mended it in work {next(self._works)}."
        super().resolves(ticket, action)
        self._actions[ticket.id or 0] = action

    def hands_on(self, ticket: Ticket, department: str) -> None:
        with transaction(self.place.engine) as session:
            tickets.reassign(
                session,
                ticket.id or 0,
                department,
                self.place.company,
                actor="dee@corner.example",
                now=self.now,
            )

    def decides(self, message: Message, to: MessageState) -> None:
        with transaction(self.place.engine) as session:
            doubt.settle(session, message.id or 0, to, now=self.now, actor="ops@corner.example")
        if to is MessageState.QUEUED:
            self.sent_again[message.message_id or ""] += 1
            self.asked_again[message.message_id or ""] = len(self.provider.delivered)

    def switch(self, *, on: bool) -> None:
        """The kill switch."""
        if on:
            self.place.settings.kill_switch.touch()
            self.killed_since = len(self.provider.delivered)
        else:
            self.place.settings.kill_switch.unlink(missing_ok=True)
            self.killed_since = None

    def understands(self) -> None:
        understand.understand_range.fn(0, 10**9)

    def sends(self, fates: Sequence[Fate], *, to: str | None = None) -> None:
        """One run of the follow-up stage; a sender that dies is followed by no other.

        Args:
            to: The fates befall mails to this customer only; None: any mail.
        """
        self.provider.fates.extend(fates)
        self.provider.befalls = to
        follow_up.recover_messages.fn(self.now)
        follow_up.plan_due.fn(self.now)
        follow_up.render_planned.fn(self.now)
        with suppress(KilledError):
            follow_up.deliver.fn(100, self.now)
        self.provider.fates.clear()

    def closes(self) -> None:
        close.apply_events.fn(self.now)
        close.take_in_answers.fn(self.now)
        close.end_loops.fn(self.now)

    def _meanwhile(self, fate: Fate, recipient: str) -> None:
        if fate is Fate.OPTS_OUT:
            if recipient in self.customers:
                self.opts_out(recipient)
            return
        if fate is Fate.SWITCHED_OFF:
            self.switch(on=True)
            return
        if fate is Fate.TAKEN_FOR_DEAD:
            with transaction(self.place.engine) as session:
                for message in _in_state(session, MessageState.CLAIMED):
                    messages.move(session, message, MessageState.QUEUED, now=self.now)
        kept = list(self.provider.fates)
        self.provider.fates.clear()
        follow_up.recover_messages.fn(self.now)
        follow_up.deliver.fn(1, self.now)
        self.provider.fates.extend(kept)

    def _customer(self, who: str) -> int | None:
        found = [i.customer_id for i in self.rows(Identity) if i.value == who]
        return found[0] if found else None

    # What is seen of it.

    def _remember(self, mail: Delivered) -> None:
        reply = reply_of(self.place.engine, mail, self._actions)
        if reply is not None:
            self.replies.append(reply)
        if is_misplaced(self.place.engine, mail):
            self.misplaced.append(mail.message_id)

    def snapshot(self) -> Snapshot:
        return snapshot(self.place.engine)

    def new_deliveries(self) -> None:
        """Note when each customer heard from us."""
        for mail in self.provider.delivered[self._seen :]:
            self.contacted.setdefault(mail.to, []).append((self.now, mail.message_id))
        self._seen = len(self.provider.delivered)

    def finish(self) -> None:
        """No more faults: everything that can still happen does."""
        for _ in range(2):
            self.understands()
            self.routes()
            for ticket in self.rows(Ticket):
                if ticket.state in UNFINISHED:
                    self.resolves(ticket)
            for _ in range(2):
                self.sends(())
                self.closes()
                self.wait(hours=40)

    def routes(self) -> None:
        route.route_range.fn(0, 10**9, self.now)


def _in_state(session: Session, state: MessageState) -> Sequence[Message]:
    return session.exec(select(Message).where(col(Message.state) == state)).all()
