"""``voc receipt``: one loop, so that somebody outside can check it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from voc.errors import ConfigurationError, VocError
from voc.rules.receipt_checks import check_receipt
from voc.rules.receipts import Receipt, read_receipt

console = Console(highlight=False, markup=False, soft_wrap=True)


def receipt(
    loop_id: Annotated[
        int | None, typer.Argument(help="The number of the loop.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, to be checked.")] = False,
    check: Annotated[
        Path | None, typer.Option(help="Check a receipt (its JSON) instead.", show_default=False)
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="The root that it must lead to, if you have it.")
    ] = None,
) -> None:
    """Show what happened to a loop, from the first word to the last answer; or check a receipt.

    A receipt holds no words and no customer's address. Checking one needs no database.
    """
    if (loop_id is None) == (check is None):
        raise ConfigurationError("say the number of a loop, or --check with the file of a receipt")
    if check is not None:
        _check(_read(check), root)
    elif loop_id is not None:
        made = _made(loop_id)
        if as_json:
            typer.echo(made.model_dump_json(indent=2))
        else:
            _show(made)


def _made(loop_id: int) -> Receipt:
    from tasks.workplace import workplace
    from voc.store.database import transaction
    from voc.store.receipt import receipt_of

    place = workplace()
    anchored = place.journal.last_head()
    with transaction(place.engine) as session:
        return receipt_of(session, loop_id, anchored)


def _read(path: Path) -> Receipt:
    try:
        return read_receipt(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise VocError(f"{path} cannot be read as text") from None


def _check(given: Receipt, root: str | None) -> None:
    problems = check_receipt(given, root)
    for problem in problems:
        console.print(f"wrong: {problem}")
    if problems:
        raise typer.Exit(1)
    against = "the root you named" if root else "its own root, which you should have from elsewhere"
    proven = len(given.events) - given.newer
    console.print(f"Loop {given.loop}: {proven} events are under {against}: {given.anchor.root}")
    _say_newer(given)


def _show(made: Receipt) -> None:
    console.print(f"Loop {made.loop} is {made.state.replace('_', ' ')}")
    for words in made.words:
        console.print(
            f"  feedback {words.feedback}, version {words.version}: {words.content_hash[:16]}..."
        )
    for event in made.events:
        about = f"ticket {event.ticket_id}" if event.ticket_id else ""
        about = f"message {event.message_id}" if event.message_id else about
        console.print(
            f"  {event.at:%Y-%m-%d %H:%M}  {event.number:>6}  {event.kind:<16} {about:<12} "
            f"{event.detail}  ({event.actor})"
        )
    for message in made.messages:
        bytes_of = f"bytes {message.sha256[:16]}..." if message.sha256 else "no bytes kept"
        provider = f", the provider calls it {message.provider_id}" if message.provider_id else ""
        console.print(
            f"  message {message.id}: {message.step} by {message.channel}, {message.state}, "
            f"{bytes_of}{provider}"
        )
    where = "the journal" if made.anchor.in_journal else "the database only"
    console.print(f"Anchored in {where}: {made.anchor.length} events, root {made.anchor.root}")
    _say_newer(made)


def _say_newer(receipt: Receipt) -> None:
    if receipt.newer:
        console.print(f"Newer than the anchor, and not proven yet: {receipt.newer} events")
