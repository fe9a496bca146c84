"""What a person can do about a message: each deed with what it means, so that it can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from voc.actions import outbox
from voc.actions.doubt import settle
from voc.models import Message, MessageState
from voc.rules.contact import Why
from voc.rules.messages import WAITING

Is = MessageState


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a person can do about a message: its button, and what it means."""

    word: str
    button: str
    question: str
    means: str
    done: str
    act: Callable[[Session, int, str, datetime], object]


def _settled(to: MessageState) -> Callable[[Session, int, str, datetime], object]:
    def act(session: Session, message_id: int, actor: str, now: datetime) -> object:
        return settle(session, message_id, to, actor=actor, now=now)

    return act


DEEDS = {
    deed.word: deed
    for deed in (
        Deed(
            word="arrived",
            button="It arrived",
            question="Did it arrive?",
            means="The message counts as sent, and the customer as told. Say so only if the "
            "provider's log or the customer says so.",
            done="It counts as sent.",
            act=_settled(Is.SENT),
        ),
        Deed(
            word="again",
            button="Send again",
            question="Send it once more?",
            means="It leaves with the next run. If it did arrive, the customer gets it a second "
            "time. Do this only if you know that it did not.",
            done="It leaves with the next run.",
            act=_settled(Is.QUEUED),
        ),
        Deed(
            word="leave",
            button="Leave it",
            question="Leave it as it is?",
            means="It is given up: not sent again, and not counted as told. If it turns out later "
            "that it arrived, that can still be said.",
            done="It is left as it is.",
            act=_settled(Is.ABANDONED),
        ),
        Deed(
            word="hold",
            button="Hold",
            question="Hold it?",
            means="It does not leave until somebody releases it.",
            done="It is held.",
            act=lambda s, m, actor, now: outbox.hold(s, m, actor=actor, now=now),
        ),
        Deed(
            word="release",
            button="Release",
            question="Release it?",
            means="It waits to leave again, and is asked about as any other: consent, caps, quiet "
            "hours.",
            done="It waits to leave.",
            act=lambda s, m, actor, now: outbox.release(s, m, actor=actor, now=now),
        ),
    )
}


def deeds_for(message: Message) -> list[Deed]:
    """What can be done about it now."""
    words: tuple[str, ...] = ()
    if message.state is Is.UNKNOWN:
        words = ("arrived", "again", "leave")
    elif message.state is Is.ABANDONED:
        words = ("arrived",)
    elif message.state in WAITING:
        words = ("hold",)
    elif message.state is Is.HELD and message.reason == Why.BY_HAND:
        words = ("release",)
    return [DEEDS[word] for word in words]
