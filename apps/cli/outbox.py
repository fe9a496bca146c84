"""``voc outbox``: messages that a person has to look at, and what a person says of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from apps.cli.login import login_name
from voc.models import Message, MessageState

app = typer.Typer(
    no_args_is_help=True, help="Messages: list, show, settle those in doubt, hold and release."
)
console = Console()

MessageId = Annotated[int, typer.Argument(help="The number of the message.")]
MaybeMessageId = Annotated[int | None, typer.Argument(help="The number of the message.")]
Actor = Annotated[
    str,
    typer.Option("--as", help="Who acts; default: your login name.", default_factory=login_name),
]


class Word(StrEnum):
    """What a person says of a message whose reply was lost."""

    ARRIVED = "arrived"
    AGAIN = "again"
    LEAVE = "leave"


MEANS = {
    Word.ARRIVED: MessageState.SENT,
    Word.AGAIN: MessageState.QUEUED,
    Word.LEAVE: MessageState.ABANDONED,
}


@app.command("list")
def list_messages(
    state: Annotated[
        MessageState | None,
        typer.Option(help="Only in this state; default: all that need a person."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Messages with the reason why they are where they are. Addresses are not shown."""
    from tasks.workplace import workplace
    from voc.store import breakers, outbox, restores
    from voc.store.database import transaction

    place = workplace()
    with transaction(place.engine) as session:
        rows = (
            outbox.needing_a_person(session, limit=limit)
            if state is None
            else outbox.in_states(session, [state], limit=limit)
        )
        closed = breakers.open_ones(session)
        restored = restores.restored_at(session)
    if place.settings.kill_switch.exists():
        console.print("The kill switch is on: nothing leaves. `voc outbox release --all` ends it.")
    if restored is not None:
        console.print(
            f"Since {restored:%Y-%m-%d %H:%M} this is an older copy of the database: nothing "
            "leaves until `voc outbox reconcile --done`."
        )
    for breaker in closed:
        console.print(
            f"{breaker.provider} is left alone until {breaker.open_until:%Y-%m-%d %H:%M} after "
            f"{breaker.failures} failures: {breaker.reason}",
            markup=False,
        )
    nothing = "a person has to look at" if state is None else f"is {state.value}"
    console.print(_table(rows) if rows else f"There is no message that {nothing}.")
    if len(rows) == limit:
        console.print(f"The first {limit}; --limit shows more.")


def _table(rows: list[Message]) -> Table:
    table = Table("message", "about", "step", "by", "state", "since", "reason")
    for row in rows:
        since = row.settled_at or row.planned_at
        table.add_row(
            str(row.id),
            row.subject,
            row.step,
            row.channel.value,
            row.state.value,
            f"{since:%Y-%m-%d %H:%M}",
            escape(row.reason or ""),
        )
    return table


@app.command()
def show(
    message_id: MessageId,
    address: Annotated[bool, typer.Option("--address", help="Also whom it goes to.")] = False,
    words: Annotated[bool, typer.Option("--words", help="Also what it says.")] = False,
) -> None:
    """One message: what is known of it, what the ledger says, and what proves it."""
    from notifications.preview import preview
    from tasks.workplace import workplace
    from voc.journal import message_digest
    from voc.store import outbox
    from voc.store.database import transaction

    place = workplace()
    with transaction(place.engine) as session:
        message = outbox.locked(session, message_id)
        events = outbox.history(session, message_id)
    why = f" ({message.reason})" if message.reason else ""
    console.print(f"[bold]Message {message.id}[/bold]: {message.state.value}{escape(why)}")
    console.print(f"  {message.kind.value} about {message.subject}, {message.step}", markup=False)
    console.print(f"  by {message.channel.value}, route {message.route or 'none yet'}")
    console.print(f"  attempts {message.attempts}; not before {message.not_before:%Y-%m-%d %H:%M}")
    for event in events:
        moment = event.at.strftime("%Y-%m-%d %H:%M")
        console.print(
            f"  {moment}  {event.kind.value:<16} {event.detail}  {event.actor}", markup=False
        )
    digest = message_digest(message.message_id or "")
    times = place.journal.times_handed_over()[digest]
    lost = ", and once before a restore" if digest in place.journal.lost() else ""
    console.print(f"  the journal: handed over {times} times{lost}")
    console.print(f"  the provider calls it: {message.provider_id or 'nothing'}", markup=False)
    if address:
        console.print(f"  to: {message.address or message.recipient}", markup=False)
    if words and (said := preview(message)):
        console.print(f"  {said.subject or ''}\n{said.text}", markup=False, highlight=False)


@app.command()
def resolve(
    message_id: MessageId,
    word: Annotated[Word, typer.Argument(help="arrived, again (send it once more), or leave.")],
    actor: Actor,
) -> None:
    """Say what became of a message whose reply was lost."""
    from tasks.workplace import workplace
    from voc.actions.doubt import settle
    from voc.store.database import transaction

    place = workplace()
    with transaction(place.engine) as session:
        state = settle(session, message_id, MEANS[word], now=place.clock(), actor=actor)
    console.print(f"Message {message_id} is {state.value}.")


@app.command()
def hold(
    actor: Actor,
    message_id: MaybeMessageId = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever there is.")] = False,
) -> None:
    """Keep a message that waits from leaving; or everything, at once: the kill switch."""
    from tasks.workplace import workplace
    from voc.actions import kill_switch, outbox
    from voc.store.database import transaction

    place = workplace()
    if _is_one(message_id, everything=everything):
        with transaction(place.engine) as session:
            outbox.hold(session, message_id or 0, actor=actor, now=place.clock())
        console.print(f"Message {message_id} is held.")
    else:
        kill_switch.throw(place.settings.kill_switch, actor=actor, now=place.clock())
        console.print("The kill switch is on: nothing leaves.")


@app.command()
def release(
    actor: Actor,
    message_id: MaybeMessageId = None,
    everything: Annotated[bool, typer.Option("--all", help="End the kill switch.")] = False,
) -> None:
    """Let a message go that a person held; or end the kill switch."""
    from tasks.workplace import workplace
    from voc.actions import kill_switch, outbox
    from voc.store.database import transaction

    place = workplace()
    if _is_one(message_id, everything=everything):
        with transaction(place.engine) as session:
            outbox.release(session, message_id or 0, actor=actor, now=place.clock())
        console.print(f"Message {message_id} waits to leave.")
    else:
        kill_switch.lift(place.settings.kill_switch)
        console.print("The kill switch is off: what it held leaves with the next run.")


def _is_one(message_id: int | None, *, everything: bool) -> bool:
    if (message_id is None) is not everything:
        raise typer.BadParameter("give the number of a message, or --all")
    return not everything


@app.command()
def reconcile(
    actor: Actor,
    done: Annotated[bool, typer.Option("--done", help="Let messages leave again.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also those in doubt that are not in the journal.")
    ] = False,
) -> None:
    """After a restore: find what left since the copy was made, and let messages leave again."""
    from notifications.allowlist import close_all, open_channels
    from notifications.reconciling import reconcile as compare
    from tasks.workplace import workplace
    from voc.actions import loops, restoring
    from voc.actions.doubt import settle
    from voc.store.database import transaction

    place = workplace()
    now = place.clock()
    if not restoring.is_restored(place.engine, place.journal, now=now):
        console.print("This database has come through all that the journal knows: nothing to do.")
        return
    channels = open_channels(place.settings)
    try:
        found = compare(
            place.engine,
            place.journal,
            channels,
            company=place.company,
            secret=place.secret,
            now=now,
            on_sent=loops.on_sent,
        )
    finally:
        close_all(channels)
    console.print(f"{found.forgotten} messages were handed over that this copy does not know of.")
    console.print(f"  sent, as the way they took says: {_numbers(found.sent)}")
    console.print(f"  handed over, for you to settle: {_numbers(found.handed_over)}")
    console.print(f"  in doubt, and not in the journal: {_numbers(found.not_known)}")
    if not done:
        console.print("Nothing leaves yet: `voc outbox reconcile --done` when you have looked.")
        return
    with transaction(place.engine) as session:
        restoring.finish(session, place.journal, actor=actor, now=now)
        for message_id in found.not_known if again else ():
            settle(session, message_id, MessageState.QUEUED, now=now, actor=actor)
    console.print("Messages leave again. Those in doubt wait for `voc outbox resolve`.")


def _numbers(ids: list[int]) -> str:
    return ", ".join(map(str, ids)) or "none"
