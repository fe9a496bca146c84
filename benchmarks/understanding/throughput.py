"""The whole understand stage beside sentence-transformers on the same texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks.understanding.figures import Figure
from benchmarks.understanding.place import (
    at_work,
    collect,
    put_aside,
    put_back,
    understand_all,
    warm_up,
)
from benchmarks.understanding.texts import REVIEWS, SHORT, TextSet, words_each
from benchmarks.understanding.timing import Parts, Tick, Variant, in_turns, ratio

AIM = 1.5
TEXTS = {SHORT: 400, REVIEWS: 200}
OURS, THEIRS = "understand", "sentence-transformers"


def throughput(folder: Path, texts: int | None, rounds: int, tick: Tick) -> list[Figure]:
    """Texts a CPU second, from the split to the stored rows, and where the time goes."""
    from sentence_transformers import SentenceTransformer

    from nlp.embed import packaged_folder

    place = at_work(folder)
    empty = put_aside(place, folder / "empty.db")
    tick("load the models")
    warm_up(place)
    other = SentenceTransformer(str(packaged_folder()), device="cpu", local_files_only=True)
    figures = []
    for each, n in TEXTS.items():
        words = each.read(texts or n)
        put_back(place, empty)
        collect(place, words)
        collected = put_aside(place, folder / f"{each.folder}.db")
        parts = Parts()
        variants = {
            OURS: Variant(
                prepare=partial(put_back, place, collected), run=partial(_in_parts, parts)
            ),
            THEIRS: Variant(run=partial(other.encode, words)),
        }
        with parts.watching(watched()):
            seconds = in_turns(variants, rounds, tick, process_time)
        figures += _figures(each, words, seconds, parts.seconds)
    return figures


def watched() -> Mapping[tuple[Any, str], str]:
    """The functions of the stage, and the part that each belongs to; the rest is storing."""
    import nlp.understand
    import tasks.understand
    from nlp.language import LinguaDetector
    from nlp.reader import SharedReader
    from nlp.topics import SubjectModel

    return {
        (nlp.understand, "split"): "split and clean",
        (nlp.understand, "clean"): "split and clean",
        (LinguaDetector, "detect"): "language",
        (SharedReader, "read"): "tokens and model",
        (SubjectModel, "suggest"): "topic and department",
        (tasks.understand, "understand"): "put together",
        (tasks.understand, "vectors"): "read and store rows",
    }


def _in_parts(parts: Parts) -> None:
    with parts.part("read and store rows"):
        understand_all()


def _figures(
    each: TextSet,
    words: Sequence[str],
    seconds: Mapping[str, Sequence[float]],
    parts: Mapping[str, float],
) -> list[Figure]:
    n = len(words)
    on = f"{n} texts, {each.name}, {words_each(words):.0f} words each"
    whole = sum(parts.values())
    shares = ", ".join(
        f"{name} {share / whole:.1%}"
        for name, share in sorted(parts.items(), key=lambda part: -part[1])
    )
    rate = {name: n / median(found) for name, found in seconds.items()}
    unit = "texts a CPU second"
    return [
        Figure(name=f"whole stage, {each.label}", value=rate[OURS], unit=unit, how=on),
        Figure(
            name=f"`SentenceTransformer.encode`, {each.label}",
            value=rate[THEIRS],
            unit=unit,
            how="its defaults, the same model and texts; vectors only",
        ),
        Figure(
            name=f"ratio, {each.label}",
            value=ratio(seconds[THEIRS], seconds[OURS]),
            at_least=AIM,
            how=f"median of {len(seconds[OURS])} rounds in turns",
        ),
        Figure(
            name=f"share of the model, {each.label}",
            value=100 * parts.get("tokens and model", 0.0) / whole,
            unit="%",
            how=shares,
        ),
    ]
