from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.arrays import IntArray
from nlp.themes.louvain import Graph, graph_of, louvain


def drawn(count: int, seed: int, *, parts: int = 1) -> tuple[IntArray, IntArray]:
    """Edges and weights by chance, most of them inside one of *parts*."""
    rng = np.random.default_rng(seed)
    pairs = np.array([(a, b) for a in range(count) for b in range(a + 1, count)])
    near = pairs[:, 0] % parts == pairs[:, 1] % parts
    edges = pairs[rng.random(len(pairs)) < np.where(near, 0.7, 0.02)]
    return edges, rng.integers(1, 65, size=len(edges))


def modularity(graph: Graph, labels: IntArray, resolution: Fraction | int) -> Fraction:
    """By the book (Newman and Girvan 2004), in exact numbers."""
    twice = sum(sum(ties.values()) for ties in graph)
    inside, totals = 0, dict.fromkeys(labels.tolist(), 0)
    for row, ties in enumerate(graph):
        totals[int(labels[row])] += sum(ties.values())
        inside += sum(weight for other, weight in ties.items() if labels[other] == labels[row])
    expected = sum(Fraction(total, twice) ** 2 for total in totals.values())
    return Fraction(inside, twice) - resolution * expected


def test_clear_parts_are_found() -> None:
    graph = graph_of(60, *drawn(60, 1, parts=4))

    labels = louvain(graph, Fraction(1), seed=0)

    parts = {tuple((np.flatnonzero(labels == label) % 4).tolist()) for label in labels}
    assert parts == {(part,) * 15 for part in range(4)}


@pytest.mark.parametrize("resolution", [1, 3])
def test_it_is_as_good_as_networkx(resolution: int) -> None:
    import networkx

    ours: list[float] = []
    theirs: list[float] = []
    for seed in range(6):
        edges, weights = drawn(80, seed, parts=9)
        graph = graph_of(80, edges, weights)
        labels = louvain(graph, Fraction(resolution), seed=seed)
        ours.append(float(modularity(graph, labels, resolution)))
        same = networkx.Graph()
        same.add_nodes_from(range(80))
        same.add_weighted_edges_from(
            (*edge, int(w)) for edge, w in zip(edges, weights, strict=True)
        )
        groups = networkx.community.louvain_communities(same, resolution=resolution, seed=seed)
        labels = np.zeros(80, dtype=np.int64)
        for number, rows in enumerate(groups):
            labels[list(rows)] = number
        theirs.append(float(modularity(graph, labels, resolution)))

    assert np.mean(ours) >= np.mean(theirs) - 0.01


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 25),
    st.integers(0, 2**32),
    st.fractions(min_value=Fraction(1, 2), max_value=6, max_denominator=200),
)
def test_no_grouping_is_worse_than_everybody_alone(
    count: int, seed: int, resolution: Fraction
) -> None:
    edges, weights = drawn(count, seed, parts=3)
    if len(edges) == 0:
        return
    graph = graph_of(count, edges, weights)

    labels = louvain(graph, resolution, seed=seed)

    best = modularity(graph, labels, resolution)
    assert best >= modularity(graph, np.arange(count), resolution)
    assert np.array_equal(labels, louvain(graph, resolution, seed=seed))
    assert set(labels.tolist()) == set(range(int(labels.max()) + 1))


def test_rows_without_ties_stay_alone() -> None:
    nothing = np.zeros((0, 2), dtype=np.int64)

    labels = louvain(graph_of(3, nothing, nothing[:, 0]), Fraction(5), seed=0)

    assert labels.tolist() == [0, 1, 2]
    assert louvain([], Fraction(1), seed=0).tolist() == []
