"""Train the sentiment that ships: ``python -m nlp.training.sentiment FOLDER``.

Reads the open sets under VOC_EVAL_DATA, keeps checkpoints in FOLDER (a run that was stopped goes
on where it was), writes the weights and what they were made from, and prints the SHA-256 that
belongs into `nlp.sentiment`. About an hour on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from nlp.arrays import FloatArray, IntArray
from nlp.embed import packaged_folder
from nlp.reader import SharedReader
from nlp.sentiment import WEIGHTS, softmax
from nlp.training.fit import Plan, fit
from nlp.training.labelled import OPEN_SETS, data_folder, set_file
from nlp.training.network import Network
from nlp.training.pool import Pool, open_pool, targets
from nlp.training.weights import write

ALL_LAYERS = Plan(fork=0, steps=3600, seed=1)
"""First every layer learns. The lower ones hardly move, so then"""
UPPER_LAYERS = Plan(fork=2, steps=600, seed=2, rate=2e-5, head_rate=1e-4)
"""the upper ones settle on the base encoder's lower ones, which the vectors need anyway."""
PLANS = (ALL_LAYERS, UPPER_LAYERS)
CALIBRATED_ON = ("goemotions", "hutto_tweets", "hutto_texts", "uci", "clothing", "mams_clauses")
"""What people said of something, each set counting the same. Requests are too easy to tell how
sure to be of a domain that nobody has seen."""
TEMPERATURES = np.geomspace(0.5, 3.0, 120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for checkpoints, outside the repository")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--short", action="store_true", help="a few steps: only to try it")
    arguments = parser.parse_args()
    train, held = open_pool(data_folder(), SharedReader())
    network: Network | None = None
    plans = [replace(plan, steps=4) if arguments.short else plan for plan in PLANS]
    for number, plan in enumerate(plans, start=1):
        network = _trained(plan, train, arguments.folder / f"part-{number}", network)
    assert network is not None  # noqa: S101  (there are plans)
    sha256, temperature = release(network, arguments.weights, held)
    provenance = {
        "plans": [asdict(plan) for plan in plans],
        "temperature": round(temperature, 4),
        "examples": {name: len(samples) for name, samples in train.items()},
        "data_sha256": {name: _sha256(set_file(data_folder(), name)) for name in OPEN_SETS},
        "sha256": sha256,
    }
    path = arguments.weights.with_suffix(".json")
    path.write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
    print(f"{arguments.weights.name}: sha256 {sha256}")  # noqa: T201


def _trained(plan: Plan, train: Pool, folder: Path, start: Network | None) -> Network:
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=plan.steps)

        def report(step: int, loss: float) -> None:
            bar.update(task, completed=step, description=f"training, loss {loss:.3f}")

        return fit(plan, packaged_folder(), train, folder, report, start=start)


def release(network: Network, path: Path, held: Pool) -> tuple[str, float]:
    """Write the weights, with the temperature that fits what was held back, as it will run."""
    samples = [sample for name in CALIBRATED_ON for sample in held[name]]
    weights = np.concatenate(
        [np.full(len(held[name]), 1 / len(held[name])) for name in CALIBRATED_ON]
    )
    sha256 = write(path, network.own_tensors(), temperature=1.0)
    reader = SharedReader(sentiment=path, sentiment_sha256=sha256)
    probabilities = reader.read([sample.text for sample in samples]).probabilities
    labels = targets(samples).argmax(axis=1)
    temperature = best_temperature(probabilities, labels, weights)
    return write(path, network.own_tensors(), temperature=temperature), temperature


def best_temperature(probabilities: FloatArray, labels: IntArray, weights: FloatArray) -> float:
    """The one under which *labels* are least surprising (Guo et al. 2017).

    Args:
        probabilities: At temperature 1, shape ``(n, 3)``.
        labels: Places in `LABELS`, shape ``(n,)``.
        weights: How much each counts, shape ``(n,)``.
    """
    logits = np.log(np.maximum(probabilities, 1e-9))

    def surprise(temperature: float) -> float:
        scaled = (logits / temperature).astype(np.float32)
        likely = softmax(scaled)[np.arange(len(labels)), labels]
        return float(-(weights * np.log(np.maximum(likely, 1e-9))).sum())

    return min(map(float, TEMPERATURES), key=surprise)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
