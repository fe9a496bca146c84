"""What a run over new feedback costs beside little history and beside much."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.understanding.figures import Figure
from benchmarks.understanding.place import at_work, collect, put_aside, put_back, warm_up
from benchmarks.understanding.texts import invented
from benchmarks.understanding.timing import Parts, Tick, Variant, in_turns, ratio

if TYPE_CHECKING:
    from tasks.workplace import Workplace

AIM = 1.1
NEW = 1_000
TIMES = (1, 10, 100)
"""How much history there is, in times of what is new."""
SEED = 2026


def history(folder: Path, texts: int | None, rounds: int, tick: Tick) -> list[Figure]:
    """The cost of a run over *texts* new pieces: with as much history, 10 times and 100 times."""
    from benchmarks.understanding.incremental import run_once
    from nlp.reader import SharedReader

    place = at_work(folder)
    books = write_books(place, folder, texts or NEW, TIMES, tick)
    parts = Parts()
    reads: dict[tuple[str, ...], Any] = {}
    with (
        patch.object(SharedReader, "read", remembering(SharedReader.read, reads)),
        parts.watching({(SharedReader, "read"): "model"}),
    ):
        tick("read the new texts once")
        put_back(place, books[min(books)])
        done = run_once()
        model = parts.seconds["model"]
        variants = {
            f"{n:,} of history": Variant(prepare=partial(put_back, place, copy), run=run_once)
            for n, copy in books.items()
        }
        seconds = in_turns(variants, rounds, tick, process_time)
    return _figures(texts or NEW, seconds, model, done)


def write_books(
    place: Workplace, folder: Path, new: int, times: Sequence[int], tick: Tick
) -> dict[int, Path]:
    """By pieces of history a database with as much of it, and *new* pieces collected after it."""
    from benchmarks.understanding.history_rows import add_history, add_themes
    from tasks.understand import models_of
    from voc.store.database import transaction

    tick("load the models")
    models = models_of(place)
    bare = put_aside(place, folder / "bare.db")
    warm_up(place)
    put_back(place, bare)
    with transaction(place.engine) as session:
        add_themes(session, models)
    rng = random.Random(SEED)
    texts = [" ".join(invented(rng)) for _ in range(new)]
    written, done = {}, 0
    for n in [new * each for each in times]:
        tick(f"write {n:,} pieces of history")
        with transaction(place.engine) as session:
            add_history(session, range(done + 1, n + 1), models)
        done = n
        before = put_aside(place, folder / "before.db")
        collect(place, texts)
        written[n] = put_aside(place, folder / f"history-{n}.db")
        put_back(place, before)
    return written


def remembering(read: Callable[..., Any], reads: dict[tuple[str, ...], Any]) -> Callable[..., Any]:
    """*read*, but what was read once is not read again: it is the same beside any history."""

    def remembered(reader: Any, texts: Sequence[str]) -> Any:
        from nlp.reader import Read

        if (key := tuple(texts)) not in reads:
            reads[key] = read(reader, texts)
        found = reads[key]
        return Read(vectors=found.vectors.copy(), probabilities=found.probabilities.copy())

    return remembered


def _figures(
    new: int, seconds: Mapping[str, Sequence[float]], model: float, done: Mapping[str, int]
) -> list[Figure]:
    least, *_, most = seconds
    whole = {name: [model + rest for rest in found] for name, found in seconds.items()}
    counted = (
        "look for work, split, language, model, topic, stored rows, theme of each statement "
        f"({done.get('themed', 0):,} fit one, {done.get('fit_no_theme', 0):,} wait); "
        f"the model's {model:.1f} s were measured once: it reads the same texts each time"
    )
    return [
        *(
            Figure(
                name=f"run over {new:,} new, {name}",
                value=median(found),
                unit="CPU seconds",
                how=f"of these {median(seconds[name]):.2f} s are not the model",
            )
            for name, found in whole.items()
        ),
        Figure(
            name=f"ratio, {TIMES[-1]} times the history",
            value=ratio(whole[most], whole[least]),
            at_most=AIM,
            how=counted,
        ),
        Figure(
            name="ratio without the model",
            value=ratio(seconds[most], seconds[least]),
            how="everything else, which alone could grow",
        ),
    ]
