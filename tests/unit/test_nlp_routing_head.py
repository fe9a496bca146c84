import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.errors import ModelFileError
from nlp.routing.explanation import explain, without
from nlp.routing.head import Examples, Fitted, fit_head, folds
from nlp.routing.model import SubjectModel
from nlp.routing.router import DEPARTMENT, TOPIC, Router, pack, unpack
from nlp.routing.subjects import MIN_PROBABILITY, Subject, described, name_in_words
from nlp.routing.training import described_classes, train
from nlp.sentiment import softmax
from tests.nlp_fakes import FakeEncoder

DESCRIPTIONS = {
    "delivery": ("parcel courier late",),
    "billing": ("money invoice charged",),
    "legal": ("contract terms",),
}
ENCODER = FakeEncoder()
NO_LABELS = Examples(texts=[], vectors=np.zeros((0, 64), np.float32), labels=[])


def said(*pairs: tuple[str, str]) -> Examples:
    texts = [text for text, _ in pairs]
    return Examples(
        texts=texts, vectors=ENCODER.encode(texts), labels=[label for _, label in pairs]
    )


def many(word: str, label: str, n: int = 12) -> list[tuple[str, str]]:
    return [(f"{word} number {place} {'again' * (place % 3)}", label) for place in range(n)]


SOFA_LABELS = said(
    *many("sofa", "legal"), *many("courier", "delivery"), *many("invoice", "billing")
)


def fit(labelled: Examples = SOFA_LABELS, seed: int = 0) -> Fitted:
    return fit_head(labelled, described_classes(DESCRIPTIONS, ENCODER), seed=seed)


def model(router: Router | None = None, **changes: tuple[str, ...]) -> SubjectModel:
    subjects = [Subject(id="late", department="delivery", texts=("late parcel",))]
    return SubjectModel(subjects, DESCRIPTIONS | changes, ENCODER, router)


def learned(labelled: Examples = SOFA_LABELS) -> Router:
    return unpack(train(model(), {DEPARTMENT: labelled}).content)


def department(of: SubjectModel, text: str) -> str:
    [(_, guess)] = of.suggest(ENCODER.encode([text]), [text])
    return guess.offers[0][0]


# The head


def test_labels_teach_what_no_description_says() -> None:
    assert department(model(learned()), "my sofa number 77") == "legal"
    assert department(model(learned()), "the courier") == "delivery"


def test_the_same_labels_make_the_same_bytes() -> None:
    assert train(model(), {DEPARTMENT: SOFA_LABELS}) == train(model(), {DEPARTMENT: SOFA_LABELS})


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from(sorted(DESCRIPTIONS)), min_size=1, max_size=6))
def test_a_few_labels_leave_what_is_plain_by_description(labels: list[str]) -> None:
    labelled = said(*((f"zzz{n} qqq{n}", label) for n, label in enumerate(labels)))
    head = fit(labelled).head
    texts = ["parcel courier late", "money invoice charged", "contract terms"]
    vectors = ENCODER.encode(texts)
    anchors = [each.vectors for each in described_classes(DESCRIPTIONS, ENCODER).values()]

    logits = head.logits(texts, vectors, described(vectors, anchors))

    assert logits.argmax(axis=1).tolist() == [0, 1, 2]


def test_two_classes_are_enough_and_one_is_not() -> None:
    two = {name: DESCRIPTIONS[name] for name in ("delivery", "billing")}
    labelled = said(*many("sofa", "billing"), *many("courier", "delivery"))
    head = fit_head(labelled, described_classes(two, ENCODER)).head

    assert head.weight.shape[0] == len(head.classes) == 2
    assert head.figures.accuracy > 0.9
    one = {"delivery": DESCRIPTIONS["delivery"]}
    with pytest.raises(ValueError, match="two classes"):
        fit_head(said(("late", "delivery")), described_classes(one, ENCODER))


def test_many_classes_may_have_one_label_between_them() -> None:
    subjects = {f"subject_{n}": (f"thing number{n}",) for n in range(20)}

    head = fit_head(said(("late", "subject_3")), described_classes(subjects, ENCODER)).head

    assert head.weight.shape[0] == 20
    assert head.threshold == MIN_PROBABILITY


def test_what_is_told_of_a_label_was_said_without_it() -> None:
    odd = said(*many("courier", "delivery"), ("unheard thing", "legal"))
    fitted = fit(odd)

    assert fitted.probabilities[-1].argmax() != fitted.head.classes.index("legal")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 6), st.integers(0, 99))
def test_folds_hold_each_row_once_and_each_class_evenly(
    labels: list[int], number: int, seed: int
) -> None:
    gold = np.array(labels)
    parts = folds(gold, number, seed)

    assert sorted(np.concatenate(parts).tolist()) == list(range(len(gold)))
    for label in set(labels):
        counts = [int((gold[part] == label).sum()) for part in parts]
        assert max(counts) - min(counts) <= 1


# The router


def test_a_router_survives_its_bytes() -> None:
    head = fit().head
    [back] = unpack(pack({TOPIC: head}, "fake-1")).heads.values()

    assert back.classes == head.classes
    assert back.figures == head.figures
    assert back.has_seen(["sofa number 0 ", "never said"]).tolist() == [True, False]
    assert np.allclose(back.weight, head.weight, atol=1e-2)


def test_a_head_tells_whether_it_learned_from_what_is_gone() -> None:
    head = fit().head

    assert head.knows_only([*SOFA_LABELS.texts, "another"])
    assert not head.knows_only(SOFA_LABELS.texts[1:])


@given(st.binary(max_size=64))
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ModelFileError, match="voc label refit --again"):
        unpack(content)


def test_no_words_of_customers_are_in_it() -> None:
    assert b"sofa" not in train(model(), {DEPARTMENT: SOFA_LABELS}).content


def test_a_department_that_is_gone_is_never_offered() -> None:
    router = learned()
    without_legal = SubjectModel(
        [], {k: v for k, v in DESCRIPTIONS.items() if k != "legal"}, ENCODER, router
    )
    [(_, guess)] = without_legal.suggest(ENCODER.encode(["my sofa"]), ["my sofa"])

    assert {name for name, _ in guess.offers} == {"delivery", "billing"}


def test_a_department_that_is_new_is_found_by_its_description() -> None:
    wider = model(learned(), garden=("plants and flower pots",))

    assert department(wider, "plants and flower pots") == "garden"
    assert department(wider, "my sofa number 77") == "legal"


@given(st.text(max_size=40))
def test_probabilities_sum_to_one_whatever_was_learned(text: str) -> None:
    wider = model(LEARNED, garden=("plants and flower pots",))
    [row] = wider.probabilities(DEPARTMENT, ENCODER.encode([text]), [text])

    assert row.sum() == pytest.approx(1, abs=1e-5)
    assert (row >= 0).all()


LEARNED = learned()


def test_a_router_of_another_encoder_is_not_asked() -> None:
    other = dataclasses.replace(learned(), encoder="other-2")

    assert model(other).head(DEPARTMENT) is None
    assert model(other).version == model().version


def test_the_version_names_the_router() -> None:
    router = learned()

    assert model(router).version.startswith(router.version)
    assert len(model(router).version) <= 128
    assert model().with_router(router).version == model(router).version


# Keeping only what is better


def test_nothing_learned_without_labels_or_classes() -> None:
    trained = train(model(), {DEPARTMENT: NO_LABELS, TOPIC: said(("late", "late"))})

    assert trained.content == b""
    assert trained.skipped == {DEPARTMENT: "no labels", TOPIC: "fewer than two classes"}


def test_labels_of_departments_that_are_gone_are_left_out() -> None:
    trained = train(model(), {DEPARTMENT: said(("late", "gone"))})

    assert trained.skipped == {DEPARTMENT: "no labels"}


def test_what_is_worse_than_the_descriptions_is_not_kept() -> None:
    """Each label contradicts its neighbours: nothing can be learned, and that is seen."""
    rng = np.random.default_rng(0)
    names = sorted(DESCRIPTIONS)
    texts = [(f"{DESCRIPTIONS[name][0]} {n}", name) for n in range(3) for name in names]
    noise = [(f"zzz {n}", names[int(rng.integers(3))]) for n in range(9)]
    trained = train(model(), {DEPARTMENT: said(*texts, *noise)})
    figures = trained.comparisons[DEPARTMENT].figures

    kept = trained.comparisons[DEPARTMENT].is_kept
    assert kept == (figures.accuracy >= figures.accuracy_descriptions)
    assert bool(trained.content) == kept


def test_the_router_in_use_is_judged_on_labels_that_it_has_not_seen() -> None:
    present = model(learned())
    turned = many("carpet", "billing")
    more = said(*zip(SOFA_LABELS.texts, SOFA_LABELS.labels, strict=True), *turned)

    comparison = train(present, {DEPARTMENT: more}).comparisons[DEPARTMENT]

    assert comparison.new_labels == len(turned)
    assert comparison.accuracy_new > comparison.accuracy_present
    assert comparison.is_kept


def test_labels_that_cannot_be_learned_leave_the_router_in_use() -> None:
    """It was right about the new labels by luck, which the new one cannot be."""
    present = model(learned())
    lucky = "courier sofa invoice"
    right = department(present, lucky)
    other = next(name for name in sorted(DESCRIPTIONS) if name != right)
    against = [(f"{lucky} {'x' * n}", other) for n in range(1, 30)]
    known = zip(SOFA_LABELS.texts, SOFA_LABELS.labels, strict=True)
    seen = train(present, {DEPARTMENT: said(*known, *against)})
    after = present.with_router(unpack(seen.content))
    labels = zip(SOFA_LABELS.texts, SOFA_LABELS.labels, strict=True)

    trained = train(after, {DEPARTMENT: said(*labels, *against, (lucky + " y", right))})

    comparison = trained.comparisons[DEPARTMENT]
    assert comparison.is_kept == (comparison.accuracy_new >= comparison.accuracy_present)


# Saying why


def test_an_explanation_names_the_word_that_carried_it() -> None:
    found = explain("the courier was nice", DEPARTMENT, model(), NO_LABELS)

    assert found.carriers[0].word == "courier"
    assert found.carriers[0].share > 0
    assert not found.is_learned
    assert found.nearest[0].label == "delivery"
    assert found.nearest[0].is_described


def test_an_explanation_shows_what_people_labelled() -> None:
    found = explain("sofa number 3", DEPARTMENT, model(learned()), SOFA_LABELS)

    assert found.is_learned
    assert found.nearest[0].label == "legal"
    assert not found.nearest[0].is_described
    assert found.guess.offers[0][0] == "legal"


def test_a_statement_is_not_like_itself() -> None:
    text = SOFA_LABELS.texts[0]

    found = explain(text, DEPARTMENT, model(), SOFA_LABELS)

    assert text not in [each.text for each in found.nearest]


@given(st.text(max_size=60))
def test_any_text_is_explained(text: str) -> None:
    found = explain(text, DEPARTMENT, model(LEARNED), SOFA_LABELS)

    assert all(-1 <= each.share <= 1 for each in found.carriers)
    assert [each.similarity for each in found.nearest] == sorted(
        (each.similarity for each in found.nearest), reverse=True
    )


@given(st.lists(st.sampled_from(["late", "Parcel", "don't", "the"]), min_size=1, max_size=8))
def test_leaving_out_a_word_leaves_the_others(words: list[str]) -> None:
    assert without(" ".join(words), "parcel").split() == [w for w in words if w != "Parcel"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("late_parcel", "late parcel"), ("LatePayment", "Late Payment"), ("_", "_"), ("a b", "a b")],
)
def test_a_name_is_said_in_words(name: str, words: str) -> None:
    assert name_in_words(name) == words


def test_softmax_of_a_head_is_what_the_model_says() -> None:
    router = learned()
    text = "sofa and invoice"
    vectors = ENCODER.encode([text])
    anchors = [each.vectors for each in model().anchors(DEPARTMENT).values()]
    head = router.heads[DEPARTMENT]

    rows = model(router).probabilities(DEPARTMENT, vectors, [text])

    expected = softmax(head.logits([text], vectors, described(vectors, anchors)))
    assert np.allclose(rows, expected, atol=1e-5)
