import numpy as np
import pytest

from nlp.evaluation.routing import evaluate_routing
from tests.nlp_fakes import FakeEncoder

ENCODER = FakeEncoder()
LABELS = ("late_parcel", "wrong_invoice", "rude_staff")
TEXTS = [f"{label.replace('_', ' ')} {n} {'again' * (n % 2)}" for n in range(8) for label in LABELS]
GOLD = [label for _ in range(8) for label in LABELS]
VECTORS = ENCODER.encode(TEXTS)
SHARES = ("accuracy", "macro_f1", "top3", "ece", "accuracy_surest_50", "accuracy_surest_80")


def test_five_folds_ask_about_every_row_once() -> None:
    asked: list[int] = []

    report = evaluate_routing(TEXTS, VECTORS, GOLD, encoder=ENCODER, advance=asked.append)

    assert report.rows == sum(asked) == len(TEXTS)
    assert report.metrics["accuracy"] == report.metrics["top3"] == 1
    assert all(0 <= report.metrics[name] <= 1 for name in SHARES)
    assert {name: each.support for name, each in report.per_class.items()} == dict.fromkeys(
        LABELS, 8
    )


def test_without_labels_names_or_descriptions_decide() -> None:
    codes = [f"c{LABELS.index(label)}" for label in GOLD]
    said = {f"c{n}": [label.replace("_", " ")] for n, label in enumerate(LABELS)}

    by_name = evaluate_routing(TEXTS, VECTORS, GOLD, encoder=ENCODER, per_class=0)
    described = evaluate_routing(
        TEXTS, VECTORS, codes, encoder=ENCODER, per_class=0, descriptions=said
    )

    assert by_name.metrics["accuracy"] == described.metrics["accuracy"] == 1
    assert by_name.labels_learned == 0


def test_of_a_few_labels_the_mean_of_three_draws_is_told() -> None:
    report = evaluate_routing(TEXTS, VECTORS, GOLD, encoder=ENCODER, per_class=2)

    assert report.rows == len(TEXTS)
    assert report.labels_learned == 2 * len(LABELS)


def test_a_file_to_learn_from_is_not_asked_about() -> None:
    lies = [LABELS[(LABELS.index(label) + 1) % 3] for label in GOLD]
    nonsense = {label: ["zzz qqq"] for label in LABELS}
    others = [f"{text} then" for text in TEXTS]

    report = evaluate_routing(
        TEXTS,
        VECTORS,
        GOLD,
        encoder=ENCODER,
        descriptions=nonsense,
        train=(others, VECTORS, lies),
    )

    assert report.rows == len(TEXTS)
    assert report.metrics["accuracy"] < 0.1


def test_copies_of_what_is_asked_about_are_not_learned_from() -> None:
    assert evaluate_routing(
        [*TEXTS, *TEXTS], np.vstack([VECTORS, VECTORS]), [*GOLD, *GOLD], encoder=ENCODER
    ).rows == len(TEXTS)
    with pytest.raises(ValueError, match="asked about, too"):
        evaluate_routing(TEXTS, VECTORS, GOLD, encoder=ENCODER, train=(TEXTS, VECTORS, GOLD))


def test_the_same_seed_gives_the_same_figures() -> None:
    first, second = (
        evaluate_routing(TEXTS, VECTORS, GOLD, encoder=ENCODER, per_class=1, seed=3)
        for _ in range(2)
    )

    assert first == second


def test_one_label_or_too_few_rows_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="at least two labels"):
        evaluate_routing(TEXTS, VECTORS, ["x"] * len(TEXTS), encoder=ENCODER)
    with pytest.raises(ValueError, match="5 folds"):
        evaluate_routing(TEXTS[:3], VECTORS[:3], GOLD[:3], encoder=ENCODER)
