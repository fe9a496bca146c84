"""A small shop, its customers and its provider, and everything that may happen to them.

Stages are the plain functions under the tasks, on a real SQLite database; only the models, the
provider and the clock are stand-ins. `promises` says what must hold at every moment.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import Session, col, select

from tasks import close, follow_up, route, understand
from tasks.workplace import workplace
from tests.machine.provider import Fate, KilledError, Provider
from tests.outbox_cases import everywhere
from tests.story import COMPANY, Story, fake_models, write_company
from voc.actions import answers, collect, doubt, tickets
from voc.actions.contact import unsubscribe
from voc.actions.inbound import Arrived, take_in
from voc.arrivals import Page, RawFeedback, RawIdentity, RawRating
from voc.models import (
    Answer,
    AnswerWay,
    Channel,
    Feedback,
    Identity,
    IdentityKind,
    InboundKind,
    Loop,
    Message,
    MessageState,
    RatingScale,
    Ticket,
    TicketState,
    Verdict,
)
from voc.settings import get_settings
from voc.store import messages
from voc.store.database import connect, transaction

PEOPLE = ("kim@example.com", "lee@example.com", "sam@example.com")
WORDS = {
    "late": "The parcel came late, the courier was rude.",
    "charged": "I was charged twice and want my money back.",
    "both": "The parcel came late. I was charged twice, give me my refund.",
    "praise": "Wonderful, thank you!",
}
POLICY = "follow_up: {cap_7_days: 2, cap_30_days: 3, reminder_after_days: 5}\n"
CAP_7_DAYS = 2
SILENCES = frozenset({InboundKind.HARD_BOUNCED, InboundKind.COMPLAINED})
MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of its own is made in it)


@dataclass(frozen=True)
class Snapshot:
    """The tables at one moment."""

    feedback: list[Feedback]
    loops: list[Loop]
    tickets: list[Ticket]
    messages: list[Message]
    answers: list[Answer]


class World(Story):
    """One run of the machine."""

    def __init__(self, template: Path) -> None:
        self.home = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.exists() else None))
        shutil.copytree(template, self.home, dirs_exist_ok=True)
        _work_at(self.home)
        super().__init__(workplace())
        self.provider = Provider(meanwhile=self._meanwhile)
        self.sent_again: Counter[str] = Counter()
        self.silent_since: dict[str, int] = {}
        self.contacted: dict[str, list[Any]] = {}
        self.said: set[str] = set()
        self.backlog: list[RawFeedback] = []
        self.reported: list[Arrived] = []
        self.killed_since: int | None = None
        self._seen = 0
        setattr(follow_up, "open_channels", lambda _settings: everywhere(self.provider))  # noqa: B010

    def end(self) -> None:
        self.place.engine.dispose()
        connect.cache_clear()
        shutil.rmtree(self.home)

    # What customers and sources do.

    def somebody_says(self, who: str, what: str, *, breaks_off: bool = False) -> None:
        """It is collected at once; the first try may break off half way."""
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
        if breaks_off:
            with _BreakingOff(self.place.engine):
                self.reads_on()
        self.reads_on()

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

    def sends(self, fates: Sequence[Fate]) -> None:
        """One run of the follow-up stage; a sender that dies is followed by no other."""
        self.provider.fates.extend(fates)
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
            if recipient in PEOPLE:
                self.opts_out(recipient)
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

    def snapshot(self) -> Snapshot:
        with transaction(self.place.engine) as session:
            return Snapshot(
                *(
                    list(session.exec(select(table)))
                    for table in (Feedback, Loop, Ticket, Message, Answer)
                )
            )

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
                if ticket.state in {TicketState.OPEN, TicketState.IN_PROGRESS}:
                    self.resolves(ticket)
            for _ in range(3):
                self.sends(())
                self.closes()
                self.wait(hours=25)

    def routes(self) -> None:
        route.route_range.fn(0, 10**9, self.now)


class _BreakingOff:
    """A page that breaks off half way: one of its statements fails."""

    def __init__(self, engine: Any) -> None:
        self._engine, self._left = engine, 16

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._count)

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> bool:
        event.remove(self._engine, "before_cursor_execute", self._count)
        return kind is not None and issubclass(kind, _BrokenOffError)

    def _count(self, *_args: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise _BrokenOffError


class _BrokenOffError(Exception):
    pass


def make_template(folder: Path) -> Path:
    """A home with an empty, migrated database, to be copied."""
    write_company(folder, COMPANY.replace("follow_up: {cap_7_days: 9, cap_30_days: 99}\n", POLICY))
    _work_at(folder)
    place = workplace()
    models = fake_models(place.company)
    setattr(understand, "build_models", lambda _company: models)  # noqa: B010
    understand.unlearned_models.cache_clear()
    place.engine.dispose()
    connect.cache_clear()
    return folder


def _work_at(home: Path) -> None:
    os.environ["VOC_HOME"] = str(home)
    get_settings.cache_clear()
    workplace.cache_clear()


def _in_state(session: Session, state: MessageState) -> Sequence[Message]:
    return session.exec(select(Message).where(col(Message.state) == state)).all()
