"""``voc outbox``: messages that a person has to look at."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voc.models import Message, MessageState

app = typer.Typer(no_args_is_help=True, help="Messages: those in doubt, and what becomes of them.")
console = Console()


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
        MessageState, typer.Option(help="In which state; default: those in doubt.")
    ] = MessageState.UNKNOWN,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Messages in one state, with the reason. Addresses are not shown."""
    from sqlmodel import col, select

    from tasks.workplace import workplace
    from voc.store.database import transaction

    with transaction(workplace().engine) as session:
        query = select(Message).where(Message.state == state).order_by(col(Message.id)).limit(limit)
        rows = list(session.exec(query))
    table = Table("message", "about", "step", "since", "reason")
    for row in rows:
        since = row.settled_at or row.planned_at
        table.add_row(
            str(row.id), row.subject, row.step, f"{since:%Y-%m-%d %H:%M}", escape(row.reason or "")
        )
    console.print(table if rows else f"There is no message that is {state.value}.")


@app.command()
def resolve(
    message_id: Annotated[int, typer.Argument(help="The number of the message.")],
    word: Annotated[Word, typer.Argument(help="arrived, again (send it once more), or leave.")],
) -> None:
    """Say what became of a message whose reply was lost."""
    from tasks.workplace import workplace
    from voc.actions.doubt import settle
    from voc.store.database import transaction

    place = workplace()
    with transaction(place.engine) as session:
        settle(session, message_id, MEANS[word], now=place.clock())
    console.print(f"Message {message_id} is {MEANS[word].value}.")
