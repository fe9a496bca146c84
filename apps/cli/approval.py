"""``voc approval``: messages that wait until somebody has read them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from apps.cli.login import login_name
from apps.cli.shown import shown
from notifications.preview import preview
from tasks.workplace import workplace
from voc.actions import approval as actions
from voc.store import approval as store
from voc.store.database import transaction

app = typer.Typer(no_args_is_help=True, help="Messages that wait for approval: read, decide.")
console = Console()

MessageId = Annotated[int, typer.Argument(help="The number of the message.")]
Seen = Annotated[
    str | None,
    typer.Option(help="The fingerprint that `show` printed: only if it is still that."),
]
Actor = Annotated[
    str,
    typer.Option("--as", help="Who decides; default: your login name.", default_factory=login_name),
]


@app.command("list")
def list_waiting(limit: Annotated[int, typer.Option(min=1)] = 50) -> None:
    """Messages that wait for approval, the longest waiting first. No words, no addresses."""
    with transaction(workplace().engine) as session:
        rows = store.listing(session, limit=limit)
    table = Table("message", "what", "about", "by", "since", "fingerprint")
    for row in rows:
        since = row.frozen_at or row.planned_at
        table.add_row(
            str(row.id),
            row.step,
            row.subject,
            row.channel.value,
            f"{since:%Y-%m-%d %H:%M}",
            actions.fingerprint(row),
        )
    console.print(table if rows else "No message waits for approval.")


@app.command()
def show(message_id: MessageId) -> None:
    """What a message says. Its recipient and the secret part of its links are hidden."""
    with transaction(workplace().engine) as session:
        message = store.found(session, message_id)
    words = preview(message)
    about = f"{message.step} of {message.subject}, {message.state.value}"
    console.print(f"[bold]Message {message.id}[/bold]: {about}", highlight=False)
    if message.refusal:
        console.print(f"  refused: {shown(message.refusal)}", markup=False, highlight=False)
    if words is None:
        console.print("Its words are not written yet, or no longer kept.")
        return
    console.print(f"  to: {words.recipient}", markup=False, highlight=False)
    console.print(f"  fingerprint: {actions.fingerprint(message)}", highlight=False)
    if words.subject:
        console.print(f"  subject: {words.subject}", markup=False, highlight=False)
    console.print(f"\n{words.text}", markup=False, highlight=False)


@app.command()
def approve(message_id: MessageId, actor: Actor, seen: Seen = None) -> None:
    """Let a message leave just as it is."""
    place = workplace()
    now = place.clock()
    with transaction(place.engine) as session:
        actions.approve(session, message_id, seen=seen, actor=actor, now=now)
    console.print(f"Message {message_id} is approved; it leaves with the next run.")


@app.command()
def refuse(
    message_id: MessageId,
    why: Annotated[str, typer.Option(help="What is wrong with it; its owners read this.")],
    actor: Actor,
    seen: Seen = None,
) -> None:
    """Do not let a message leave; what it was about goes back to its owners."""
    place = workplace()
    now = place.clock()
    with transaction(place.engine) as session:
        actions.refuse(session, message_id, place.company, why=why, seen=seen, actor=actor, now=now)
    console.print(f"Message {message_id} is refused and will not be sent.")
