"""Compare shapes of the sentiment model: ``python -m nlp.training.shapes FOLDER``.

Each gets the same computing time, about five minutes of one core; checkpoints in FOLDER let it go
on after a stop. Prints macro-F1 on what was held back of the open sets (which decides) and on the
evaluation sets (which only look on), how near the vectors stay to the base encoder's, and how
many texts a CPU-second gets through the whole reader on one thread.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from nlp.arrays import IntArray
from nlp.clean import clean
from nlp.embed import packaged_folder
from nlp.evaluation.measures import f1_scores
from nlp.reader import SharedReader
from nlp.sentiment import LABELS
from nlp.training.fit import Plan, fit
from nlp.training.labelled import EVALUATION_SETS, data_folder, evaluation_sample
from nlp.training.network import LAYERS, Network
from nlp.training.pool import Pool, open_pool, targets
from nlp.training.weights import write

STEPS_OF_A_FULL_ENCODER = 350
A_SET = 400
KEEP = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    name: str
    fork: int
    keep: float = 0.0

    @property
    def passes(self) -> int:
        """Layers passed through for one training step: back costs twice forward."""
        trained = LAYERS - max(self.fork, 0)
        return LAYERS + 2 * trained + (LAYERS if self.keep else 0)

    @property
    def plan(self) -> Plan:
        steps = STEPS_OF_A_FULL_ENCODER * 3 * LAYERS // self.passes
        return Plan(fork=self.fork, steps=steps, keep=self.keep)


SHAPES = (
    Shape(name="a second encoder", fork=0),
    Shape(name="one encoder for both", fork=0, keep=KEEP),
    Shape(name="upper layers forked", fork=2),
)

Texts = dict[str, tuple[list[str], IntArray]]
"""By set: texts, and places in `LABELS`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for checkpoints, outside the repository")
    folder: Path = parser.parse_args().folder
    train, held = open_pool(data_folder(), SharedReader())
    own, others = held_texts(held), unseen_texts()
    print("| shape | held back | unseen | cosine to the base | texts per CPU-second |")  # noqa: T201
    print("|---|---|---|---|---|")  # noqa: T201
    for number, shape in enumerate(SHAPES):
        place = folder / f"shape-{number}"
        network = _train(shape, train, place)
        sha256 = write(place / "weights.safetensors", network.own_tensors(), temperature=1.0)
        reader = SharedReader(
            sentiment=place / "weights.safetensors", sentiment_sha256=sha256, threads=1
        )
        near = cosine(network, own)
        print(  # noqa: T201
            f"| {shape.name} | {mean_f1(reader, own):.1f} | {mean_f1(reader, others):.1f}"
            f" | {near:.3f} | {speed(reader, others, alone=bool(shape.keep)):.0f} |",
            flush=True,
        )


def _train(shape: Shape, train: Pool, folder: Path) -> Network:
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(shape.name, total=shape.plan.steps)
        return fit(
            shape.plan,
            packaged_folder(),
            train,
            folder,
            lambda step, _: bar.update(task, completed=step),
        )


def held_texts(held: Pool) -> Texts:
    rng = random.Random(0)  # noqa: S311
    chosen = {name: rng.sample(part, min(A_SET, len(part))) for name, part in held.items()}
    return {
        name: ([each.text for each in part], targets(part).argmax(axis=1))
        for name, part in chosen.items()
    }


def unseen_texts() -> Texts:
    found = {}
    for name in EVALUATION_SETS:
        examples = evaluation_sample(data_folder(), name, size=A_SET)
        gold = np.array([LABELS.index(example.label) for example in examples])
        found[name] = ([clean(example.text) for example in examples], gold)
    return found


def mean_f1(reader: SharedReader, sets: Texts) -> float:
    """In percent; a set without one of the classes is judged by those it has."""
    scores = []
    for texts, gold in sets.values():
        answers = reader.read(texts).probabilities.argmax(axis=1)
        scores.append(np.mean(f1_scores(answers, gold, len(LABELS))[np.unique(gold)]))
    return 100 * float(np.mean(scores))


def cosine(network: Network, sets: Texts) -> float:
    """Mean cosine between this network's own vectors and the base encoder's."""
    import torch

    from nlp.training.pool import NEUTRAL, Sample
    from nlp.training.stream import load_tokenizer, padded

    texts = [text for some, _ in sets.values() for text in some[:20]]
    encoded = load_tokenizer(packaged_folder()).encode_batch(texts)
    base = Network(packaged_folder(), fork=0).eval()
    found = []
    with torch.inference_mode():
        for text, ids in zip(texts, encoded, strict=True):
            batch = padded([Sample(text=text, target=NEUTRAL)], [ids.ids])
            own, old = (each.pooled(batch.ids, batch.mask) for each in (network, base))
            found.append(torch.nn.functional.cosine_similarity(own, old).item())
    return float(np.mean(found))


def speed(reader: SharedReader, sets: Texts, *, alone: bool) -> float:
    """Texts per CPU-second; *alone*: one encoder does both, so only vectors are computed."""
    texts: Sequence[str] = [text for some, _ in sets.values() for text in some[:60]]
    run = reader.encode if alone else reader.read
    run(texts[:5])
    start = time.process_time()
    run(texts)
    return len(texts) / (time.process_time() - start)


if __name__ == "__main__":
    main()
