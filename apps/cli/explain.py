"""``voc explain``: why a statement would be sent where it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console

from apps.cli.prefect_server import quiet_prefect
from nlp.routing.explanation import Explanation
from nlp.routing.router import DEPARTMENT, TOPIC
from voc.errors import ConfigurationError
from voc.settings import get_settings

console = Console(highlight=False, markup=False, soft_wrap=True)


def explain(
    statement_id: Annotated[
        int | None, typer.Argument(help="The number of a statement.", show_default=False)
    ] = None,
    text: Annotated[str | None, typer.Option(help="Words of your own instead.")] = None,
) -> None:
    """Say why a statement goes to its department and topic: what it is like, and by which words.

    Asks the router in use now, which may know more than the one that routed the statement.
    """
    if (statement_id is None) == (text is None):
        raise ConfigurationError("say the number of a statement, or --text with words of your own")
    quiet_prefect(get_settings())
    from nlp.clean import clean
    from nlp.mask import mask_by
    from nlp.routing.explanation import explain as explained
    from tasks.learn_router import labelled_examples, router_in_use
    from tasks.models import build_models
    from tasks.workplace import workplace
    from voc.store.database import transaction
    from voc.store.labels import words_of

    place = workplace()
    about = place.company.company
    if statement_id is not None:
        with transaction(place.engine) as session:
            text = words_of(session, statement_id)
    else:
        text = mask_by(about, text or "").text
    words = clean(text, about.brand_names)
    if not any(character.isalnum() for character in words):
        raise ConfigurationError("there are no words in it that could be judged")
    subjects = build_models(place.company).subjects.with_router(router_in_use(place))
    console.print(f'"{" ".join(text.split())}"')
    for kind in (DEPARTMENT, TOPIC):
        examples = labelled_examples(place, kind, subjects)
        for line in told(kind, explained(words, kind, subjects, examples)):
            console.print(line)


def told(kind: str, found: Explanation) -> Iterator[str]:
    """An explanation in plain language."""
    guess = found.guess
    if not guess.offers:
        yield f"\n{kind}: the company file describes none"
        return
    if guess.value:
        yield f"\n{kind}: {guess.value}, {guess.probability:.0%} sure"
    elif guess.probability < found.threshold:
        yield f"\n{kind}: none is sure enough ({found.threshold:.0%} is needed), a person decides"
    else:
        yield f"\n{kind}: it is like nothing that is known, a person decides"
    yield f"  offered: {', '.join(f'{name} {share:.0%}' for name, share in guess.offers)}"
    yield f"  judged by: {'labels and descriptions' if found.is_learned else 'descriptions only'}"
    best = guess.offers[0][0]
    for each in found.carriers:
        effect = "for" if each.share > 0 else "against"
        yield (
            f'  "{each.word}" speaks {effect} {best}: without it '
            f"{guess.probability - each.share:.0%}"
        )
    for near in found.nearest:
        source = "company file" if near.is_described else "labelled"
        yield f'  like ({near.similarity:.2f}) {near.label}, {source}: "{near.text}"'
