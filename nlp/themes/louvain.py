"""Louvain's method (Blondel et al., "Fast unfolding of communities in large networks", 2008).

Our own, because many runs must vote (`nlp.themes.clustering`) and networkx's takes seven times as
long for the same modularity: it visits every row again until none moves, this one only rows
next to one that moved (Ozaki et al., "A simple acceleration method for the Louvain algorithm",
2016). All arithmetic is in whole numbers, so every move is a true gain and it ends.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np

from nlp.arrays import IntArray

Graph = list[dict[int, int]]
"""The weight, above 0, of each row's ties to others: symmetric, without loops."""


def graph_of(count: int, edges: IntArray, weights: IntArray) -> Graph:
    """The graph of *count* rows with *edges* ``(e, 2)`` that weigh *weights* ``(e,)``."""
    graph: Graph = [{} for _ in range(count)]
    for (one, other), weight in zip(edges.tolist(), weights.tolist(), strict=True):
        graph[one][other] = weight
        graph[other][one] = weight
    return graph


def louvain(graph: Graph, resolution: Fraction, *, seed: int) -> IntArray:
    """A group number for each row, shape ``(n,)``, of high modularity at *resolution*.

    Args:
        graph: As `graph_of` makes it.
        resolution: 1 is plain modularity; higher means more and smaller groups.
        seed: Of the order in which rows are visited.
    """
    rng = np.random.default_rng(seed)
    degrees = [sum(ties.values()) for ties in graph]
    resolution /= max(1, sum(degrees))
    labels = np.arange(len(graph), dtype=np.int64)
    while True:
        groups = _moved(graph, degrees, resolution, rng.permutation(len(graph)).tolist())
        labels = groups[labels]
        if len(labels) == 0 or groups.max() + 1 == len(graph):
            return labels
        degrees = np.bincount(groups, weights=degrees).astype(np.int64).tolist()
        graph = _folded(graph, groups)


def _moved(graph: Graph, degrees: list[int], resolution: Fraction, order: list[int]) -> IntArray:
    """Each row to the group where modularity gains most, until no row would move."""
    whole, part = resolution.denominator, resolution.numerator
    group_of = list(range(len(graph)))
    totals = list(degrees)
    queue = deque(order)
    waits = [True] * len(graph)
    while queue:
        row = queue.popleft()
        waits[row] = False
        own = group_of[row]
        ties: dict[int, int] = {own: 0}
        for other, weight in graph[row].items():
            group = group_of[other]
            ties[group] = ties.get(group, 0) + weight
        totals[own] -= degrees[row]
        cost = part * degrees[row]
        best = own
        most = whole * ties[own] - cost * totals[own]
        for group, weight in ties.items():
            gain = whole * weight - cost * totals[group]
            if gain > most:
                best, most = group, gain
        totals[best] += degrees[row]
        if best != own:
            group_of[row] = best
            for other in graph[row]:
                if group_of[other] != best and not waits[other]:
                    waits[other] = True
                    queue.append(other)
    return np.unique(np.array(group_of, dtype=np.int64), return_inverse=True)[1].astype(np.int64)


def _folded(graph: Graph, groups: IntArray) -> Graph:
    """The graph of the groups. What is inside one shows in its degree alone."""
    of = groups.tolist()
    folded: Graph = [{} for _ in range(int(groups.max()) + 1)]
    for row, ties in enumerate(graph):
        into = folded[of[row]]
        for other, weight in ties.items():
            if of[other] != of[row]:
                into[of[other]] = into.get(of[other], 0) + weight
    return folded
