"""The customers' side of the play: from mails in the mailbox to what is clicked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import cast

from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from apps.desk.app import create_app
from notifications.mailbox import MailboxChannel
from rehearsal.customers import Reaction, react
from rehearsal.deeds import Deed
from tasks.workplace import Workplace
from voc.models import Answer, Consent, Feedback, Loop, LoopState, Message, MessageState, Verdict
from voc.store.database import transaction

LINK = re.compile(r"https?://[^/\s]+(/[au]/[A-Za-z0-9_-]+)")
FOR_CUSTOMERS = ("receipt", "thanks", "resolution", "reminder")


@dataclass
class _Clock:
    """What time the web app believes it is."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class CustomerDeeds:
    """What the customers of one company do with our mails."""

    place: Workplace
    seed: int
    since: datetime
    _clock: _Clock = field(init=False)
    _browser: TestClient = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_clock", _Clock(self.since))
        app = create_app(
            engine=self.place.engine,
            company=self.place.company,
            secret=self.place.secret,
            clock=self._clock,
            report=None,
            kill_switch=self.place.settings.kill_switch,
        )
        object.__setattr__(self, "_browser", TestClient(app))

    def all(self) -> Iterable[Deed]:
        """The deed that each mail leads to, where one is still to be done."""
        with transaction(self.place.engine) as session:
            rows = session.exec(
                select(Message, Loop, Feedback)
                .join(Loop, col(Loop.id) == Message.loop_id)
                .join(Feedback, col(Feedback.id) == Loop.feedback_id)
                .where(
                    col(Message.template).in_(FOR_CUSTOMERS),
                    Message.state == MessageState.SENT,
                )
                .order_by(col(Message.id))
            ).all()
            deeds = [self._deed(session, *row) for row in rows]
        return [deed for deed in deeds if deed]

    def _deed(self, session: Session, message: Message, loop: Loop, piece: Feedback) -> Deed | None:
        key = f"{piece.source}:{piece.external_id}:{message.step}"
        reaction = react(message.template, key, loop.round, self.seed)
        if not self._still_to_do(session, message, loop, reaction):
            return None
        sent_at = cast("datetime", message.settled_at)
        at = max(sent_at + timedelta(hours=reaction.after_hours), self.since)
        return Deed(at, key, lambda: self._do(message.message_id or "", reaction, at))

    def _still_to_do(
        self, session: Session, message: Message, loop: Loop, reaction: Reaction
    ) -> bool:
        if reaction.unsubscribes:
            withdrawn = select(Consent.id).where(
                Consent.customer_id == message.customer_id,
                col(Consent.granted).is_(False),
            )
            return session.exec(withdrawn.limit(1)).first() is None
        if reaction.verdict is None or loop.state is not LoopState.TOLD:
            return False
        if not message.step.endswith(f".{loop.round}"):
            return False
        answered = select(Answer.id).where(Answer.loop_id == loop.id, Answer.round == loop.round)
        return session.exec(answered.limit(1)).first() is None

    def _do(self, message_id: str, reaction: Reaction, at: datetime) -> Iterable[Deed]:
        self._clock.now = at
        links = self._links(message_id)
        if reaction.unsubscribes:
            form = {"List-Unsubscribe": "One-Click"}
            self._browser.post(links["u"], data=form).raise_for_status()
            return []
        self._browser.get(links["a"]).raise_for_status()
        verdict = cast("Verdict", reaction.verdict)
        form = {"verdict": verdict.value, "rating": str(reaction.rating), "words": reaction.words}
        self._browser.post(links["a"], data=form).raise_for_status()
        return []

    def _links(self, message_id: str) -> dict[str, str]:
        """The paths in a mail by their first letter: a for answer, u for unsubscribe."""
        path = MailboxChannel(self.place.settings.mailbox).find(message_id)
        if path is None:
            raise LookupError(f"the mailbox has no mail {message_id}")
        mail = message_from_bytes(path.read_bytes(), policy=default)
        body = mail.get_body(preferencelist=("plain",))
        text = body.get_content() if body else ""
        return {link[1]: link for link in LINK.findall(text)}
