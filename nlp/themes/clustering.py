"""Groups of vectors that are each other's neighbours: a shared-neighbour graph and Louvain.

Louvain alone depends on its random start, so several runs vote: two statements stay together
only where nearly all runs put them together (a consensus after Lancichinetti and Fortunato,
"Consensus clustering in complex networks", 2012). Rows are first put into an order that depends
on their content only, so the order in which statements arrived changes nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from nlp.arrays import FloatArray, IntArray

NEIGHBOURS = 10
"""And never more than a quarter of the rows: else everything is next to everything."""
RESOLUTION = 5.0
"""Of modularity: higher means more and smaller groups."""
FULL_RESOLUTION_FROM = 1000
"""Fewer rows are cut up less, in proportion, and not below plain modularity (1)."""
RUNS = 8
AGREEMENT = 0.75
"""More than this share of the runs must put both ends of an edge into one group."""
MIN_WEIGHT = 0.07
"""Edges whose ends share fewer neighbours (Jaccard index) only cost time."""
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
    graph, resolution = exact_graph(count, edges, weights)
    starts = np.random.SeedSequence(seed).generate_state(RUNS)
    votes = [_louvain(graph, count, resolution, int(start)) for start in starts]
    together = np.mean([labels[edges[:, 0]] == labels[edges[:, 1]] for labels in votes], axis=0)
    return _components(count, edges[together > AGREEMENT])


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


def exact_graph(count: int, edges: IntArray, weights: FloatArray) -> tuple[Any, float]:
    """A graph and a resolution with which networkx's Louvain makes no rounding error.

    With one it can swap two rows for ever (networkx issue 8739). So weights become whole
    numbers, and one more node, alone with itself, fills their sum up to a power of two: dividing
    by it is exact. The resolution makes up for that node, in steps of 1/64.
    """
    import networkx

    whole = np.rint(weights * 64).astype(np.int64)
    total = int(whole.sum())
    filled = 1 << total.bit_length()
    graph = networkx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_weighted_edges_from(zip(*edges.T.tolist(), whole.tolist(), strict=True))
    graph.add_edge(count, count, weight=filled - total)
    return graph, round(resolution_for(count) * filled / max(1, total) * 64) / 64


def resolution_for(count: int) -> float:
    """The resolution for *count* rows: a fixed one breaks up what little there is."""
    return RESOLUTION * min(1.0, max(count / FULL_RESOLUTION_FROM, 1 / RESOLUTION))


def _louvain(graph: Any, count: int, resolution: float, seed: int) -> IntArray:
    from networkx.algorithms.community import louvain_communities

    labels = np.empty(count + 1, dtype=np.int64)
    found = louvain_communities(graph, resolution=resolution, seed=seed)
    for number, rows in enumerate(found):
        labels[list(rows)] = number
    return labels[:count]


def _components(count: int, edges: IntArray) -> IntArray:
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges.tolist())
    labels = np.empty(count, dtype=np.int64)
    for number, rows in enumerate(networkx.connected_components(graph)):
        labels[list(rows)] = number
    return labels
