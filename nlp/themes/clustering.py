"""Groups of vectors that are each other's neighbours: a shared-neighbour graph and Louvain.

Louvain alone depends on its random start, so many runs vote: two statements stay together only
where nearly all runs put them together (a consensus over the graph's edges, after Lancichinetti
and Fortunato, "Consensus clustering in complex networks", 2012, and Tandon et al., "Fast consensus
clustering in complex networks", 2019). Rows are first put into an order that depends on their
content only, so the order in which statements arrived changes nothing.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np

from nlp.arrays import FloatArray, IntArray
from nlp.themes.louvain import graph_of, louvain

NEIGHBOURS = 10
"""And never more than a quarter of the rows: else everything is next to everything."""
RESOLUTION = 5
"""Of modularity: higher means more and smaller groups."""
ROWS_A_STEP = 200
"""Of resolution: fewer rows than `RESOLUTION` times as many are cut up less, and not below 1."""
RUNS = 75
AGREEMENT = 0.85
"""More than this share of the runs must put both ends of an edge into one group."""
MIN_WEIGHT = 0.07
"""Edges whose ends share fewer neighbours (Jaccard index) only cost time."""
WHOLE = 64
"""Weights are whole numbers out of so many: nothing is rounded while they are added."""
BLOCK = 1024


def communities(vectors: FloatArray, *, seed: int) -> IntArray:
    """A group number for each row, shape ``(n,)``; most rows have company, not all.

    Args:
        vectors: Distinct rows of length 1, shape ``(n, d)``, in an order that depends on their
            content only (`canonical_order`). Time and memory are those of exact neighbours,
            ``n * n``, so *n* must be bounded.
        seed: Of the Louvain runs.
    """
    count = len(vectors)
    edges, weights = shared_neighbours(nearest(vectors, min(NEIGHBOURS, count // 4)))
    graph = graph_of(count, edges, np.rint(weights * WHOLE).astype(np.int64))
    starts = np.random.SeedSequence(seed).generate_state(RUNS).tolist()
    together = np.zeros(len(edges))
    for start in starts:
        labels = louvain(graph, resolution_for(count), seed=start)
        together += labels[edges[:, 0]] == labels[edges[:, 1]]
    return _components(count, edges[together > AGREEMENT * RUNS])


def canonical_order(vectors: FloatArray, *, seed: int) -> IntArray:
    """Row numbers in an order that depends on the rows' content and the seed, nothing else."""
    key = seed.to_bytes(16, "little", signed=True)
    rows = np.ascontiguousarray(vectors + np.float32(0))  # -0.0 and 0.0 are one number
    hashes = [hashlib.blake2b(row.tobytes(), digest_size=16, key=key).digest() for row in rows]
    return np.array(sorted(range(len(hashes)), key=hashes.__getitem__), dtype=np.int64)


def nearest(vectors: FloatArray, count: int) -> IntArray:
    """The *count* most similar other rows of each row, by cosine, shape ``(n, count)``, unsorted.

    Exact; fewer columns where there are not as many other rows.
    """
    count = max(0, min(count, len(vectors) - 1))
    found = np.empty((len(vectors), count), dtype=np.int64)
    for start in range(0, len(vectors), BLOCK):
        similarity = vectors[start : start + BLOCK] @ vectors.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -2.0  # below any cosine: no row is its own neighbour
        found[start : start + BLOCK] = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
    return found


def shared_neighbours(neighbours: IntArray) -> tuple[IntArray, FloatArray]:
    """The graph's edges, shape ``(e, 2)`` with the lower row first, and their weights ``(e,)``.

    An edge for every row and neighbour; its weight is the Jaccard index of their neighbours,
    each row counted among its own.
    """
    rows, width = neighbours.shape
    pairs = np.stack([np.repeat(np.arange(rows), width), neighbours.ravel()], axis=1)
    edges = np.unique(np.sort(pairs, axis=1), axis=0)
    own = np.hstack([neighbours, np.arange(rows)[:, None]])
    shared = np.zeros(len(edges), dtype=np.float32)
    for column in own.T:
        shared += (column[edges[:, 0], None] == own[edges[:, 1]]).any(axis=1)
    weights = shared / (2 * own.shape[1] - shared)
    kept = weights > MIN_WEIGHT
    return edges[kept], weights[kept]


def resolution_for(count: int) -> Fraction:
    """The resolution for *count* rows: a fixed one breaks up what little there is."""
    return min(Fraction(RESOLUTION), max(Fraction(count, ROWS_A_STEP), Fraction(1)))


def _components(count: int, edges: IntArray) -> IntArray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ties = coo_array((np.ones(len(edges)), edges.T), shape=(count, count))
    _, labels = connected_components(ties, directed=False)
    return np.asarray(labels, dtype=np.int64)
