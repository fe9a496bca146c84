"""``voc answers``: replies that a person has to read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from apps.cli.login import login_name
from apps.cli.shown import shown
from tasks.workplace import workplace
from voc.actions.answers import apply_answers
from voc.actions.judging import judge as judge_answer
from voc.models import Verdict
from voc.store.answers import unclear
from voc.store.database import transaction

app = typer.Typer(no_args_is_help=True, help="Customers' replies: those that wait to be read.")
console = Console()


class Meaning(StrEnum):
    """What unclear words mean."""

    SOLVED = "solved"
    NOT_SOLVED = "not_solved"


CAME = {
    "solved": "the case is closed as solved",
    "reopened": "the case is open again, one level up",
    "unclear": "the customer has written again since, and those words wait, too",
    "asked_just_now": "it takes effect as soon as our own message is on its way",
    "outdated": "the case has moved on since, so nothing else changes",
}


@app.command("list")
def list_answers(limit: Annotated[int, typer.Option(min=1)] = 50) -> None:
    """Replies whose words do not plainly say solved or not solved. Personal data is masked."""
    with transaction(workplace().engine) as session:
        rows = unclear(session, limit)
    table = Table("answer", "loop", "round", "by", "since", "words")
    for answer, loop in rows:
        table.add_row(
            str(answer.id),
            str(loop.id),
            str(answer.round or "-"),
            answer.way.value,
            f"{answer.at:%Y-%m-%d %H:%M}",
            escape(shown(answer.words or "")),
        )
    console.print(table if rows else "No reply waits for a person.")
    if len(rows) == limit:
        console.print(f"The first {limit}; --limit shows more.")


@app.command()
def judge(
    answer_id: Annotated[int, typer.Argument(help="The number of the answer.")],
    meaning: Annotated[Meaning, typer.Argument(help="solved closes it, not_solved reopens it.")],
    actor: Annotated[
        str,
        typer.Option(
            "--as", help="Who judges; default: your login name.", default_factory=login_name
        ),
    ],
) -> None:
    """Say what a customer's words mean; it has the effect of their own answer."""
    place = workplace()
    now = place.clock()
    with transaction(place.engine) as session:
        answer = judge_answer(session, answer_id, Verdict(meaning), actor=actor, now=now)
        came = apply_answers(session, answer.loop_id, place.company, now=now)
    console.print(f"Answer {answer_id} means {meaning.replace('_', ' ')}: {CAME[came]}.")
