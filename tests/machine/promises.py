"""What is promised, a function for each sentence. Each raises an AssertionError when it is broken.

The truth is what the provider has delivered, not what our tables say of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.machine.home import CAP_7_DAYS
from tests.machine.seen import Snapshot
from tests.machine.world import World
from voc.models import (
    Answer,
    FeedbackState,
    LoopState,
    MessageKind,
    MessageState,
    Verdict,
)
from voc.rules.messages import GONE
from voc.store.database import transaction
from voc.store.verify import verify


def every_piece_is_in_exactly_one_visible_state(world: World, found: Snapshot) -> None:
    pieces = found.feedback
    assert {piece.external_id for piece in pieces} == world.said
    assert len(pieces) == len(world.said)
    loops = Counter(loop.feedback_id for loop in found.loops)
    for piece in pieces:
        assert loops[piece.id or 0] <= 1
        if piece.state is FeedbackState.ROUTED:
            assert loops[piece.id or 0] == 1


def no_message_is_handed_over_twice(world: World, found: Snapshot) -> None:
    """At most once for each step of a loop, and once more for each time a person said so."""
    copies = Counter(mail.message_id for mail in world.provider.delivered)
    for message_id, n in copies.items():
        assert n <= 1 + world.sent_again[message_id], f"{n} copies"
    steps = _steps(found)
    told = Counter(steps[message_id] for message_id in copies if message_id in steps)
    assert max(told.values(), default=0) <= 1, "a step under two Message-IDs"


def a_mail_never_changes(world: World, found: Snapshot) -> None:
    """Once its bytes are frozen, every try is with these; and every copy is the same."""
    frozen: dict[tuple[str, datetime], bytes] = {}
    for message_id, at, content in world.provider.tried:
        assert frozen.setdefault((message_id, at), content) == content
    contents: dict[str, bytes] = {}
    for mail in world.provider.delivered:
        assert contents.setdefault(mail.message_id, mail.content) == mail.content


def a_reply_comes_when_all_is_done(world: World, found: Snapshot) -> None:
    for reply in world.replies:
        assert not reply.unfinished, f"{reply.unfinished} tickets are still worked on"
        assert reply.step == f"resolution.{reply.round}", "of an earlier round"


def a_reply_says_what_was_done(world: World, found: Snapshot) -> None:
    """As it is now, and nothing that was taken back since.

    What a person sends again says what it said: it was written before.
    """
    for reply in world.replies:
        if not world.sent_again[reply.message_id]:
            for action in reply.actions:
                assert action in reply.text, "not what was done last"


def a_ticket_is_only_given_to_who_has_it(world: World, found: Snapshot) -> None:
    assert not world.misplaced, "a colleague reads of a ticket that is not theirs"


def nothing_leaves_after_an_opt_out(world: World, found: Snapshot) -> None:
    for who, since in world.silent_since.items():
        later = [mail for mail in world.provider.delivered[since:] if mail.to == who]
        assert later == [], f"{len(later)} mails after it"


def what_left_is_known_to_have_or_in_doubt(world: World, found: Snapshot) -> None:
    """Until a person says that it is to be sent again: from then on it waits as any other."""
    states = {m.message_id: m.state for m in found.messages}
    for mail in world.provider.delivered:
        if mail.order < world.asked_again.get(mail.message_id, 0):
            continue
        assert states[mail.message_id] in GONE, states[mail.message_id]


def what_is_called_sent_was_delivered(world: World, found: Snapshot) -> None:
    """Unless a person, or a customer who answered, said that it arrived."""
    delivered = {mail.message_id for mail in world.provider.delivered}
    for message in found.messages:
        if message.state in {MessageState.SENT, MessageState.DELIVERED} and message.provider_id:
            assert message.message_id in delivered


def a_closed_loop_was_told(world: World, found: Snapshot) -> None:
    told = set()
    for message in found.messages:
        if message.template in {"resolution", "thanks"} and message.state in GONE:
            told.add(message.loop_id)
    for loop in found.loops:
        if loop.state in {LoopState.TOLD, LoopState.CLOSED}:
            assert loop.id in told


def the_newest_answer_holds(world: World, found: Snapshot) -> None:
    """A yes closes its loop; a no begins the next round, or came too late for any."""
    newest: dict[int, Answer] = {}
    for answer in sorted(found.answers, key=lambda a: (a.at, a.id or 0)):
        if answer.applied_at is not None:
            newest[answer.loop_id] = answer
    for loop in found.loops:
        last = newest.get(loop.id or 0)
        if last and last.round == loop.round:
            assert loop.state is not LoopState.TOLD
            assert loop.state is not LoopState.CLOSED or last.verdict is Verdict.SOLVED


def only_a_yes_to_this_question_solves(world: World, found: Snapshot) -> None:
    said = {(a.loop_id, a.round) for a in found.answers if a.verdict is Verdict.SOLVED}
    for loop in found.loops:
        if loop.state is LoopState.CLOSED and loop.reason == "solved":
            assert (loop.id or 0, loop.round) in said, "nobody said so"


def what_we_are_told_twice_is_kept_once(world: World, found: Snapshot) -> None:
    kept = Counter(report.event_id for report in found.reports)
    assert kept == Counter(arrived.event_id for arrived in world.reported)


def caps_are_kept(world: World, found: Snapshot) -> None:
    """Whatever of, but for resolutions: they are what the customer waits for."""
    capped = {
        m.message_id
        for m in found.messages
        if m.kind is MessageKind.FOLLOW_UP and m.template != "resolution"
    }
    for heard in world.contacted.values():
        if any(world.sent_again[message_id] for _, message_id in heard):
            continue  # a person wanted it
        counted = sorted(at for at, message_id in heard if message_id in capped)
        for n, at in enumerate(counted[CAP_7_DAYS:]):
            assert at - counted[n] >= timedelta(days=7), "too many in 7 days"


def silence_is_kept_while_the_kill_switch_is_on(world: World, found: Snapshot) -> None:
    if world.killed_since is not None:
        assert len(world.provider.delivered) == world.killed_since


def erased_words_are_gone(world: World, found: Snapshot) -> None:
    erased = {f.id for f in found.feedback if f.reason == "deleted_at_source"}
    loops = {loop.id for loop in found.loops if loop.feedback_id in erased}
    for message in found.messages:
        assert message.loop_id not in loops or message.content is None


def the_books_balance(world: World) -> None:
    with transaction(world.place.engine) as session:
        findings = [str(finding) for finding in verify(session).values() if finding]
    assert not findings, findings


PROMISES: tuple[Callable[[World, Snapshot], None], ...] = (
    every_piece_is_in_exactly_one_visible_state,
    no_message_is_handed_over_twice,
    a_mail_never_changes,
    a_reply_comes_when_all_is_done,
    a_reply_says_what_was_done,
    a_ticket_is_only_given_to_who_has_it,
    nothing_leaves_after_an_opt_out,
    what_left_is_known_to_have_or_in_doubt,
    what_is_called_sent_was_delivered,
    a_closed_loop_was_told,
    the_newest_answer_holds,
    only_a_yes_to_this_question_solves,
    what_we_are_told_twice_is_kept_once,
    caps_are_kept,
    silence_is_kept_while_the_kill_switch_is_on,
    erased_words_are_gone,
)


def nothing_is_lost(world: World, found: Snapshot) -> None:
    """At the end, when no more faults happen: who could be told was told, or we say why not."""
    for message in found.messages:
        assert message.state not in {MessageState.CLAIMED, MessageState.SENDING}
    outcomes: dict[int | None, set[Any]] = {}
    for message in found.messages:
        if message.template in {"resolution", "thanks"}:
            outcomes.setdefault(message.loop_id, set()).add(message.state)
    for loop in found.loops:
        if loop.state is LoopState.OPEN:
            assert outcomes.get(loop.id, set()) & {MessageState.UNKNOWN, MessageState.HELD}, (
                f"loop {loop.id} waits for nothing: {outcomes.get(loop.id)}"
            )
    assert all(t.state.value in {"resolved", "closed"} for t in found.tickets)


def _steps(found: Snapshot) -> dict[str, tuple[str, str, str]]:
    return {
        m.message_id: (m.subject, m.step, m.recipient)
        for m in found.messages
        if m.message_id is not None
    }
