"""Train the sentiment head: ``python -m nlp.training.sentiment_head CACHE_FOLDER``.

Reads the sets under VOC_EVAL_DATA, embeds at most 25,000 examples (a few minutes; the vectors
are kept in the cache folder), writes the weights, and prints the table of
``docs/models/sentiment.md`` and the SHA-256 that belongs into `nlp.sentiment`.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlp.arrays import FloatArray, IntArray
from nlp.clean import clean, text_hash
from nlp.embed import Encoder, get_encoder
from nlp.sentiment import (
    LABELS,
    UNSURE_BELOW,
    WEIGHTS,
    HeadSentiment,
    SentimentModel,
    softmax,
)
from nlp.split import split
from nlp.training import labelled
from nlp.training.labelled import EVALUATION_SETS, Example
from nlp.training.measures import calibration_error, macro_f1

SEED = 20261121
A_CLASS = {
    "goemotions_3class": 3000,
    "hutto_snippets": 2000,
    "uci_sentences": 900,
    "clothing_reviews": 1000,
}
QUESTIONS = ("clinc150", "banking77")
QUESTIONS_EACH = 1500
QUESTION_WEIGHT = 0.05
"""They keep "how do I change my address?" neutral; at full weight, complaints turn neutral too."""
REGULARISATION = 3.0
TEMPERATURES = np.geomspace(0.5, 3.0, 60)
MAMS_MARGIN = 0.1
"""How much nearer a category must be to one clause than to the others to lend it its polarity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One set, embedded."""

    vectors: FloatArray  # (n, d)
    gold: IntArray  # (n,), places in LABELS
    weight: float = 1.0


class CachedEncoder:
    """An encoder that keeps what it said in a folder, by text and version."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._folder = folder
        self.version = encoder.version

    def encode(self, texts: Sequence[str]) -> FloatArray:
        key = hashlib.sha256("\n".join([self.version, *map(text_hash, texts)]).encode()).hexdigest()
        path = self._folder / f"{key[:32]}.npy"
        if not path.exists():
            np.save(path, self._encoder.encode(texts))
        vectors: FloatArray = np.load(path)
        return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path, help="folder for vectors, outside the repository")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    encoder = CachedEncoder(get_encoder(), arguments.cache)
    folder = labelled.data_folder()

    parts = training_parts(folder, encoder)
    weight, bias = fit(list(parts.values()))
    temperature = best_temperature(parts)
    _write(arguments.weights, weight, bias, temperature)
    print(*{name: len(part.gold) for name, part in parts.items()}.items())  # noqa: T201
    print(f"temperature {temperature:.3f}")  # noqa: T201
    sha256 = hashlib.sha256(arguments.weights.read_bytes()).hexdigest()
    print(f"sha256 {sha256}")  # noqa: T201
    for line in report(folder, encoder, HeadSentiment(arguments.weights, sha256=sha256)):
        print(line)  # noqa: T201


def training_parts(folder: Path, encoder: Encoder) -> dict[str, Part]:
    rng = random.Random(SEED)  # noqa: S311
    parts = {
        name: embedded(
            labelled.sample(labelled.labelled(folder, name), a_class=a_class, rng=rng), encoder
        )
        for name, a_class in A_CLASS.items()
    }
    parts["mams_acsa"] = mams_clauses(folder, encoder)
    for name in QUESTIONS:
        asked = labelled.sample(labelled.questions(folder, name), a_class=QUESTIONS_EACH, rng=rng)
        parts[name] = embedded(asked, encoder, weight=QUESTION_WEIGHT)
    return parts


def embedded(examples: Sequence[Example], encoder: Encoder, *, weight: float = 1.0) -> Part:
    return Part(
        vectors=encoder.encode([clean(example.text) for example in examples]),
        gold=np.array([LABELS.index(example.label) for example in examples], dtype=np.int64),
        weight=weight,
    )


def mams_clauses(folder: Path, encoder: Encoder) -> Part:
    """Clauses of sentences of mixed polarity, each with the polarity of the category it is about.

    Which clause is about which category is not labelled: it is the one whose vector is
    clearly nearest to the category's name. Clauses that get two polarities are left out.
    """
    sentences = [(text, split(text), said) for text, said in labelled.mams_sentences(folder)]
    sentences = [sentence for sentence in sentences if len(sentence[1]) > 1]
    clauses = [text[start:end] for text, spans, _ in sentences for start, end in spans]
    vectors = encoder.encode([clean(clause) for clause in clauses])
    names = sorted({category for _, _, said in sentences for category, _ in said})
    near = vectors @ encoder.encode([f"the {name}" for name in names]).T  # (clauses, categories)

    polarities: dict[int, set[str]] = defaultdict(set)
    first = 0
    for _, spans, said in sentences:
        for category, polarity in said:
            similarity = near[first : first + len(spans), names.index(category)]
            second, best = np.sort(similarity)[-2:]
            if best - second >= MAMS_MARGIN:
                polarities[first + int(similarity.argmax())].add(polarity)
        first += len(spans)
    sure = {row: said.pop() for row, said in sorted(polarities.items()) if len(said) == 1}
    return Part(
        vectors=vectors[list(sure)],
        gold=np.array([LABELS.index(polarity) for polarity in sure.values()], dtype=np.int64),
    )


def fit(parts: Sequence[Part]) -> tuple[FloatArray, FloatArray]:
    """Weight ``(3, d)`` and bias ``(3,)``, the classes balanced."""
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=2000)
    model.fit(
        np.vstack([part.vectors for part in parts]),
        np.concatenate([part.gold for part in parts]),
        sample_weight=np.concatenate([np.full(len(part.gold), part.weight) for part in parts]),
    )
    return model.coef_.astype(np.float32), model.intercept_.astype(np.float32)


def best_temperature(parts: Mapping[str, Part]) -> float:
    """The one that fits sets the head has not seen: each is left out once. No evaluation set."""
    judged = [name for name in parts if name not in QUESTIONS]
    logits, gold = [], []
    for left_out in judged:
        weight, bias = fit([part for name, part in parts.items() if name != left_out])
        logits.append(parts[left_out].vectors @ weight.T + bias)
        gold.append(parts[left_out].gold)
    stacked: FloatArray = np.vstack(logits)
    truth = np.concatenate(gold)

    def surprise(temperature: float) -> float:
        probabilities = softmax(stacked / temperature)[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(probabilities, 1e-9)).mean())

    return float(min(TEMPERATURES, key=surprise))


def report(folder: Path, encoder: Encoder, model: SentimentModel) -> list[str]:
    """A Markdown table over the evaluation sets, the mean last; *model* as it was written."""
    rows = []
    for name in EVALUATION_SETS:
        examples = labelled.evaluation_sample(folder, name)
        part = embedded(examples, encoder)
        probabilities = model.predict([example.text for example in examples], part.vectors)
        predicted = probabilities.argmax(axis=1)
        right = predicted == part.gold
        sure = np.argsort(-probabilities.max(axis=1))[: len(right) // 2]
        rows.append(
            (
                100 * macro_f1(predicted, part.gold, len(LABELS)),
                100 * float(right.mean()),
                100 * float((predicted[part.gold == 0] == 0).mean()),
                calibration_error(probabilities, part.gold),
                100 * float(right[sure].mean()),
                100 * float((probabilities.max(axis=1) < UNSURE_BELOW).mean()),
            )
        )
    rows.append(tuple(np.mean(rows, axis=0)))
    header = "| set | macro-F1 | accuracy | negative recall | ECE | surer half | unsure |"
    return [
        header,
        "|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {f1:.1f} | {accuracy:.1f} | {recall:.1f} | {ece:.3f} | {half:.1f}"
            f" | {unsure:.1f} |"
            for name, (f1, accuracy, recall, ece, half, unsure) in zip(
                [*EVALUATION_SETS, "mean"], rows, strict=True
            )
        ),
    ]


def _write(path: Path, weight: FloatArray, bias: FloatArray, temperature: float) -> None:
    from safetensors.numpy import save

    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        "weight": np.ascontiguousarray(weight),  # else its bytes are written in another order
        "bias": bias,
        "temperature": np.array([temperature], dtype=np.float32),
    }
    path.write_bytes(save(tensors))


if __name__ == "__main__":
    main()
