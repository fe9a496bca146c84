"""What the sentiment model learns from: openly licensed text with soft labels.

The border of neutral decides how good such a model is, so labels keep the doubt that is in the
data: a crowd's mean rating becomes three probabilities, three stars become "mixed", an emotion
that is hardly one counts less than a strong one.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlp.arrays import FloatArray
from nlp.clean import clean
from nlp.embed import Encoder
from nlp.sentiment import LABELS
from nlp.split import split
from nlp.training.labelled import mams_sentences, read_rows

HELD_BACK = 10
"""One row in ten is never trained on: it chooses, calibrates and measures."""

Target = tuple[float, float, float]
"""Probabilities in the order of `LABELS`."""
NEGATIVE, NEUTRAL, POSITIVE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

CROWD_BORDERS = (-0.35, 0.5)
CROWD_DOUBT = 0.25
"""On the scale of -4 to 4: twenty raters' means scatter by about this much around a border."""
STARS: dict[str, Target] = {
    "1": (0.95, 0.05, 0.0),
    "2": (0.75, 0.25, 0.0),
    "3": (0.2, 0.65, 0.15),
    "4": (0.0, 0.15, 0.85),
    "5": (0.0, 0.0, 1.0),
}
MILD_EMOTIONS = {
    **dict.fromkeys(("approval", "caring", "desire", "optimism"), (0.0, 0.3, 0.7)),
    **dict.fromkeys(("annoyance", "disapproval", "nervousness"), (0.9, 0.1, 0.0)),
}
PROBLEMS = frozenset(
    (
        *("Refund_not_showing_up", "balance_not_updated_after_bank_transfer", "card_not_working"),
        *("balance_not_updated_after_cheque_or_cash_deposit", "card_payment_not_recognised"),
        *("card_payment_wrong_exchange_rate", "card_swallowed", "cash_withdrawal_not_recognised"),
        *("contactless_not_working", "declined_card_payment", "declined_cash_withdrawal"),
        *("declined_transfer", "direct_debit_payment_not_recognised", "failed_transfer"),
        *("extra_charge_on_statement", "transaction_charged_twice", "top_up_failed"),
        *("transfer_not_received_by_recipient", "virtual_card_not_working", "pin_blocked"),
        *("wrong_amount_of_cash_received", "wrong_exchange_rate_for_cash_withdrawal"),
        *("transfer_fee_charged", "card_payment_fee_charged", "cash_withdrawal_charge"),
        *("unable_to_verify_identity", "compromised_card", "reverted_card_payment?"),
        *("top_up_reverted", "beneficiary_not_allowed", "card_arrival", "lost_or_stolen_card"),
        *("account_blocked", "report_fraud", "card_declined", "damaged_card", "lost_luggage"),
    )
)
"""Intents that say something went wrong: neither a plain question nor an angry word."""
PROBLEM: Target = (0.8, 0.2, 0.0)
THANKS = frozenset({"thank_you"})


CLEARLY_NEARER = 0.08
"""How much nearer a category must be to one clause than to the others to lend it its polarity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One text to learn from."""

    text: str
    target: Target
    weight: float = 1.0


Pool = dict[str, list[Sample]]
"""By set."""


def open_pool(folder: Path, encoder: Encoder) -> tuple[Pool, Pool]:
    """Every usable row of the open sets, cleaned: to train on, and held back.

    Args:
        encoder: Tells which clause is about what.
    """
    everything = {name: reader(folder) for name, reader in READERS.items()}
    everything["mams_clauses"] = mams_clauses(folder, encoder)
    train: Pool = {}
    held: Pool = {}
    for name, samples in everything.items():
        distinct = {sample.text: sample for sample in samples if sample.text}.values()
        train[name] = [sample for sample in distinct if not is_held_back(sample.text)]
        held[name] = [sample for sample in distinct if is_held_back(sample.text)]
    return train, held


def is_held_back(text: str) -> bool:
    """By a hash of the text, so that the same text is never on both sides."""
    return hashlib.sha256(text.encode()).digest()[0] % HELD_BACK == 0


def goemotions(folder: Path) -> Iterator[Sample]:
    for row in read_rows(folder, "goemotions_3class"):
        mild = MILD_EMOTIONS.get(row["emotions"])
        # Names are masked there in capitals; our own masks are dropped before a text is read.
        yield _sample(row["text"].replace("[NAME]", ""), mild or _certain(row["label"]))


def hutto(folder: Path, *, tweets: bool) -> Iterator[Sample]:
    """Snippets with the mean of twenty ratings."""
    for row in read_rows(folder, "hutto_snippets"):
        if (row["source"] == "tweets") == tweets:
            yield _sample(row["text"], crowd_target(float(row["mean_rating"])))


def uci(folder: Path) -> Iterator[Sample]:
    for row in read_rows(folder, "uci_sentences"):
        if row["text"].isascii():  # a few rows are not English
            yield _sample(row["text"], _certain(row["label"]))


def clothing(folder: Path) -> Iterator[Sample]:
    for row in read_rows(folder, "clothing_reviews"):
        title = row["title"].strip()
        text = f"{title}. {row['text']}" if title else row["text"]
        yield _sample(text, STARS[str(int(float(row["rating"])))])


def clinc(folder: Path) -> Iterator[Sample]:
    for row in read_rows(folder, "clinc150"):
        yield _sample(row["text"], _request(row["label"]))


def banking(folder: Path) -> Iterator[Sample]:
    for row in read_rows(folder, "banking77"):
        yield _sample(row["text"], _request(row["label"]))


def mams_whole(folder: Path) -> Iterator[Sample]:
    """Whole sentences of mixed polarity: what two opposite halves add up to is neutral."""
    for text, said in mams_sentences(folder):
        yield _sample(text, summed([LABELS.index(polarity) for _, polarity in said]))


def mams_clauses(folder: Path, encoder: Encoder) -> Iterator[Sample]:
    """Their clauses, each with the polarity of the category it is about.

    Which clause is about which category is not labelled: it is the one whose vector is clearly
    nearest to the category's name. Clauses that get two polarities are left out.
    """
    sentences = [(text, split(text), said) for text, said in mams_sentences(folder)]
    clauses = [clean(text[a:b]) for text, spans, _ in sentences for a, b in spans]
    names = sorted({category for _, _, said in sentences for category, _ in said})
    near = encoder.encode(clauses) @ encoder.encode([f"the {name}" for name in names]).T
    first = 0
    for _, spans, said in sentences:
        rows = slice(first, first + len(spans))
        first += len(spans)
        if len(spans) > 1:
            yield from _judged(clauses[rows], near[rows], names, said)


def _judged(
    clauses: list[str], near: FloatArray, names: list[str], said: list[tuple[str, str]]
) -> Iterator[Sample]:
    polarities: dict[int, set[str]] = defaultdict(set)
    for category, polarity in said:
        similarity = near[:, names.index(category)]
        second, best = np.sort(similarity)[-2:]
        if best - second >= CLEARLY_NEARER:
            polarities[int(similarity.argmax())].add(polarity)
    for row, found in sorted(polarities.items()):
        if len(found) == 1:
            yield Sample(text=clauses[row], target=_certain(found.pop()))


def summed(said: Sequence[int]) -> Target:
    """What statements with these labels (places in `LABELS`) say together.

    Plain facts weigh nothing beside an opinion; opposite opinions meet in the middle.
    """
    opinions = [label for label in said if label != 1]
    if not opinions:
        return NEUTRAL
    mean = sum(label - 1 for label in opinions) / len(opinions)
    middle = 0.85 * (1 - abs(mean)) ** 0.8
    facts = 0.25 * (1 - len(opinions) / len(said)) * (1 - middle)
    rest = 1 - middle - facts
    return (rest * (1 - mean) / 2, middle + facts, rest * (1 + mean) / 2)


def crowd_target(rating: float) -> Target:
    """Probabilities that a mean *rating* in [-4, 4] lies below, between and above the borders."""
    below = _logistic((CROWD_BORDERS[0] - rating) / CROWD_DOUBT)
    above = _logistic((rating - CROWD_BORDERS[1]) / CROWD_DOUBT)
    return (below, 1 - below - above, above)


def composed(pool: Pool, *, n: int, rng: random.Random) -> list[Sample]:
    """*n* texts of two to six statements that were said apart, judged by their sum.

    They teach how a long text adds up, which no open set of whole reviews labels finely enough.
    """
    sure: dict[int, list[str]] = defaultdict(list)
    for name in COMPOSED_OF:
        for sample in pool[name]:
            best = int(np.argmax(sample.target))
            if sample.target[best] >= SURE:
                sure[best].append(sample.text)
    samples = []
    for _ in range(n):
        tone = rng.choices(_TONES, weights=(3, 1, 3, 4))[0]
        said = rng.choices((0, 1, 2), weights=tone, k=rng.randint(2, 6))
        text = " ".join(_ended(rng.choice(sure[label])) for label in said)
        samples.append(Sample(text=text, target=summed(said)))
    return samples


_TONES = ((0.65, 0.35, 0.0), (0.0, 1.0, 0.0), (0.0, 0.35, 0.65), (0.4, 0.2, 0.4))


def targets(samples: Iterable[Sample]) -> FloatArray:
    """Shape ``(n, 3)``."""
    return np.array([sample.target for sample in samples], dtype=np.float32).reshape(-1, 3)


def _sample(text: str, target: Target) -> Sample:
    return Sample(text=clean(text), target=target)


def _certain(label: str) -> Target:
    return (NEGATIVE, NEUTRAL, POSITIVE)[LABELS.index(label)]


def _request(intent: str) -> Target:
    if intent in PROBLEMS:
        return PROBLEM
    return POSITIVE if intent in THANKS else NEUTRAL


def _ended(text: str) -> str:
    return text if text[-1] in ".!?" else f"{text}."


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


READERS: dict[str, Callable[[Path], Iterator[Sample]]] = {
    "goemotions": goemotions,
    "hutto_tweets": lambda folder: hutto(folder, tweets=True),
    "hutto_texts": lambda folder: hutto(folder, tweets=False),
    "uci": uci,
    "clothing": clothing,
    "clinc": clinc,
    "banking": banking,
    "mams": mams_whole,
}
SURE = 0.9
COMPOSED_OF = ("hutto_tweets", "hutto_texts", "uci", "goemotions")
