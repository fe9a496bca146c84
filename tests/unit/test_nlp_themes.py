import subprocess
import sys
from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nlp.arrays import FloatArray, IntArray
from nlp.embed import unit
from nlp.themes import (
    MIN_SIZE,
    NONE,
    Found,
    Theme,
    assign,
    bootstrap,
    clustering,
    discover,
    discovery,
)
from nlp.themes.louvain import Graph, louvain

WIDTH = 24


def said(subjects: int, each: int, *, noise: int = 0, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Statements about well-told subjects, and some about nothing (subject -1), shuffled."""
    rng = np.random.default_rng(seed)
    centres = np.eye(WIDTH)[:subjects]
    about = np.repeat(np.arange(subjects), each)
    spread = 0.08 * rng.normal(size=(len(about), WIDTH))
    rows = np.concatenate([centres[about] + spread, rng.normal(size=(noise, WIDTH))])
    about = np.concatenate([about, np.full(noise, NONE)])
    order = rng.permutation(len(rows))
    return unit(rows[order].astype(np.float32)), about[order]


def registered(found: list[Found]) -> list[Theme]:
    return [
        Theme(id=number, centroid=each.centroid, cut=each.cut, size=len(each.members))
        for number, each in enumerate(found, start=1)
    ]


def themes_of(found: list[Found], count: int) -> IntArray:
    theme_of = np.full(count, NONE, dtype=np.int64)
    for number, each in enumerate(found, start=1):
        theme_of[each.members] = number
    return theme_of


def test_each_subject_becomes_one_theme() -> None:
    vectors, about = said(6, 30)

    found = bootstrap(vectors, seed=0)

    assert len(found) == 6
    assert all(len(set(about[each.members])) == 1 for each in found)
    assert sum(len(each.members) for each in found) >= 0.85 * len(vectors)
    assert [len(each.members) for each in found] == sorted(
        (len(each.members) for each in found), reverse=True
    )


@pytest.mark.parametrize("count", [0, 1, 5, 7, 8, 9, 40])
def test_little_feedback_is_no_trouble(count: int) -> None:
    vectors, _ = said(2, 20)

    found = bootstrap(vectors[:count], seed=0)
    discovery_of_few = discover(vectors[:count], registered(found), seed=0)
    assigned = assign(vectors[:count], registered(found))

    assert len(assigned.themes) == count
    assert 0 <= assigned.unassigned <= 1
    assert all(len(each.members) >= MIN_SIZE for each in found + discovery_of_few.born)
    assert bool(found) == (count == 40)


def test_thousands_of_copies_are_one_theme() -> None:
    vectors, about = said(3, 20)
    copies = np.vstack([vectors, np.repeat(vectors[:1], 3000, axis=0)])

    found = bootstrap(copies, seed=0)

    assert len(found) == 3
    assert len(found[0].members) >= 3000
    shared = found[0].members[found[0].members < len(vectors)]
    assert set(about[shared]) == {about[0]}
    assert len(shared) >= 15, "copies do not draw the border around themselves"


def test_a_sentence_said_often_is_a_theme_without_neighbours() -> None:
    one = np.eye(WIDTH, dtype=np.float32)[:1]

    [found] = bootstrap(np.repeat(one, MIN_SIZE, axis=0), seed=0)

    assert len(found.members) == MIN_SIZE
    assert found.cut <= discovery.TIGHTEST


def test_statements_without_a_vector_belong_nowhere() -> None:
    vectors, _ = said(2, 30)
    silent = np.zeros((50, WIDTH), dtype=np.float32)
    found = bootstrap(np.vstack([silent, vectors]), seed=0)

    assert min(int(each.members.min()) for each in found) >= 50
    loose = [Theme(id=1, centroid=vectors[0], cut=-1.0, size=8)]
    assert assign(silent, loose).themes.tolist() == [NONE] * 50


@settings(max_examples=5, deadline=None)
@given(
    subjects=st.integers(1, 4),
    each=st.integers(1, 20),
    noise=st.integers(0, 20),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_the_order_of_statements_changes_nothing(
    subjects: int, each: int, noise: int, seed: int, data: st.DataObject
) -> None:
    vectors, _ = said(subjects, each, noise=noise, seed=seed)
    order = np.array(data.draw(st.permutations(range(len(vectors)))))

    found = bootstrap(vectors, seed=seed)
    again = bootstrap(vectors[order], seed=seed)

    assert [set(order[each.members]) for each in again] == [set(each.members) for each in found]
    for one, two in zip(found, again, strict=True):
        assert one.cut == two.cut
        assert np.array_equal(one.centroid, two.centroid)


@settings(max_examples=12, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(0, 40), st.just(3)), elements=st.integers(-2, 2)))
def test_whatever_the_vectors_the_themes_are_sound(raw: FloatArray) -> None:
    """Ties, copies and zeros everywhere: the grid has few distinct directions."""
    vectors = unit(raw)

    found = bootstrap(vectors, seed=0)

    members = [row for each in found for row in each.members.tolist()]
    assert len(members) == len(set(members))
    for each in found:
        cosines = vectors[each.members] @ each.centroid
        assert len(each.members) >= MIN_SIZE
        assert np.isfinite(each.centroid).all()
        assert np.linalg.norm(each.centroid) == pytest.approx(1, abs=1e-5)
        assert cosines.min() >= each.cut - 1e-6
        assert (np.diff(cosines) <= 1e-6).all(), "the most central comes first"


@settings(max_examples=5, deadline=None)
@given(noise=st.integers(0, 60), seed=st.integers(0, 1000))
def test_assignment_says_the_same_as_the_discovery(noise: int, seed: int) -> None:
    vectors, _ = said(4, 20, noise=noise, seed=seed)
    found = bootstrap(vectors, seed=0)

    assigned = assign(vectors, registered(found)[::-1])

    assert assigned.themes.tolist() == themes_of(found, len(vectors)).tolist()


@given(
    arrays(np.float32, (30, 4), elements=st.floats(-1, 1, width=16)),
    st.lists(st.floats(-1, 1), min_size=1, max_size=5),
)
def test_a_statement_belongs_to_the_nearest_theme_within_its_cut(
    raw: FloatArray, cuts: list[float]
) -> None:
    vectors = unit(raw)
    themes = [Theme(id=10 + n, centroid=vectors[n], cut=cut, size=8) for n, cut in enumerate(cuts)]

    assigned = assign(vectors, themes)

    cosines = vectors @ vectors[: len(cuts)].T
    assert assigned.similarity == pytest.approx(cosines.max(axis=1), abs=1e-6)
    for row, theme in enumerate(assigned.themes):
        nearest = cosines[row].max()
        if theme == NONE:
            near = np.flatnonzero(cosines[row] >= nearest - 1e-6)
            assert not vectors[row].any() or any(nearest < cuts[n] + 1e-6 for n in near)
        else:
            assert cosines[row, theme - 10] >= max(nearest, cuts[theme - 10]) - 1e-6


def test_without_themes_everything_waits() -> None:
    vectors, _ = said(1, 10)

    assert assign(vectors, []).unassigned == 1
    assert assign(vectors[:0], []).unassigned == 0


def test_a_new_subject_is_born_of_what_waited() -> None:
    vectors, about = said(5, 30)
    old = about < 4
    themes = registered(bootstrap(vectors[old], seed=0))
    waiting = vectors[~old]
    assert assign(waiting, themes).unassigned == 1

    discovered = discover(waiting, themes, seed=0)

    assert len(discovered.born) == 1
    assert len(discovered.born[0].members) >= 25
    assert discovered.joins == {}


def test_what_is_one_with_a_theme_joins_it() -> None:
    vectors, _ = said(1, 40)
    centroid = unit(vectors.mean(axis=0, keepdims=True))[0]
    strict = Theme(id=7, centroid=centroid, cut=1.01, size=40)
    assert assign(vectors, [strict]).unassigned == 1

    discovered = discover(vectors, [strict], seed=0)

    assert discovered.born == []
    assert set(discovered.joins.values()) == {7}
    assert len(discovered.joins) >= 30


def test_what_holds_together_less_than_any_theme_is_not_born() -> None:
    vectors, _ = said(3, 30)
    tight = [
        Theme(id=1, centroid=np.eye(WIDTH, dtype=np.float32)[-1], cut=0.99, size=30),
    ]

    assert discover(vectors, tight, seed=0).born == []
    assert len(discover(vectors, [], seed=0).born) == 3


def test_only_a_bounded_sample_is_clustered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "SAMPLE", 100)
    vectors, about = said(3, 200)
    with patch.object(discovery, "communities", wraps=clustering.communities) as clustered:
        found = bootstrap(vectors, seed=0)
        other = bootstrap(vectors, seed=1)

    assert [len(call.args[0]) for call in clustered.call_args_list] == [100, 100]
    first, second = (call.args[0] for call in clustered.call_args_list)
    assert not np.array_equal(first, second), "another seed draws another sample"
    for themes in (found, other):
        assert len(themes) == 3
        assert sum(len(each.members) for each in themes) >= 0.7 * len(vectors)
        assert all(len(set(about[each.members])) == 1 for each in themes)


def test_assignment_looks_at_each_new_statement_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In proportion to what is new: one product of blocks, never a pair of new statements."""
    monkeypatch.setattr("nlp.themes.assignment.BLOCK", 10)
    vectors, _ = said(3, 35)
    themes = registered(bootstrap(vectors, seed=0))
    blocks: list[int] = []

    class Counted(np.ndarray):  # type: ignore[type-arg]
        def __matmul__(self, other: FloatArray) -> FloatArray:
            assert len(other.T) == len(themes)
            blocks.append(len(self))
            return np.asarray(self) @ np.asarray(other)

    assign(vectors.view(Counted), themes)

    assert sum(blocks) == len(vectors)


def test_neighbours_are_exact_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = said(4, 10, noise=13)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    monkeypatch.setattr(clustering, "BLOCK", 7)

    found = clustering.nearest(vectors, 5)

    for row, neighbours in enumerate(found):
        assert set(neighbours) == set(np.argsort(-cosines[row])[:5])


def test_rows_that_share_all_neighbours_weigh_most() -> None:
    neighbours = np.array([[1, 2], [0, 2], [0, 1], [0, 4], [3, 5], [3, 4]])

    edges, weights = clustering.shared_neighbours(neighbours)

    weight = {tuple(edge): value for edge, value in zip(edges.tolist(), weights, strict=True)}
    assert weight[0, 1] == 1
    assert weight[3, 4] == pytest.approx(2 / 4)
    assert weight[0, 3] == pytest.approx(1 / 5)
    assert all(first < second for first, second in weight)


def test_few_statements_are_cut_up_less() -> None:
    steps = [clustering.resolution_for(count) for count in (0, 8, 200, 500, 1000, 4000)]

    assert steps == [1, 1, 1, 2.5, 5, 5]


def test_another_seed_visits_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = said(2, 10)
    started: list[set[int]] = []

    def noted(graph: Graph, resolution: Fraction, *, seed: int) -> IntArray:
        started[-1].add(seed)
        return louvain(graph, resolution, seed=seed)

    monkeypatch.setattr(clustering, "louvain", noted)
    for seed in (0, 1):
        started.append(set())
        clustering.communities(vectors, seed=seed)

    first, second = started
    assert len(first) == len(second) == clustering.RUNS
    assert not first & second


def test_what_the_runs_do_not_agree_on_stays_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row in the middle that every second run puts on the other side."""
    vectors, _ = said(2, 10)
    side = vectors[:, 0] > vectors[:, 1]
    halfway = 3
    runs = iter(range(clustering.RUNS))

    def undecided(graph: Graph, resolution: Fraction, *, seed: int) -> IntArray:
        labels = side.astype(np.int64)
        labels[halfway] = next(runs) % 2
        return labels

    monkeypatch.setattr(clustering, "louvain", undecided)

    labels = clustering.communities(vectors, seed=0)

    assert (labels == labels[halfway]).sum() == 1
    assert len(set(labels.tolist())) == 3


def test_assigning_and_discovering_load_no_heavy_library() -> None:
    program = """
import sys
import numpy as np
from nlp.themes import Theme, assign, bootstrap, discover, rebuild
vectors = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
found = bootstrap(vectors, seed=0)
themes = [Theme(id=1, centroid=found[0].centroid, cut=found[0].cut, size=10)]
before = assign(vectors, themes).themes
discover(vectors, themes, seed=0)
rebuild(vectors, before, themes, seed=0)
heavy = {"torch", "umap", "bertopic", "sklearn", "networkx", "hdbscan", "numba", "spacy", "pandas"}
sys.exit(" ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr
