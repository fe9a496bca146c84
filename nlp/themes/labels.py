"""Three to five words for a theme, such as a person would write.

Class-based TF-IDF (Grootendorst, "BERTopic", 2022): a word counts for a theme by how often the
theme's statements have it and how seldom the others do. The formula stands here, as importing
BERTopic takes over seven seconds of processor time and 680 MB, and themes are born in the loop;
a test holds it against BERTopic's own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import numpy as np

from nlp.themes.words import NAMES_A_THEME, PARTICLES, SMALL_TALK, stem

MOST_WORDS = 5
FEWEST_WORDS = 3
CANDIDATES = 40
"""Best terms of a theme among which its words are looked for."""
WEAK = 0.25
"""Of the best term's weight: below it a term is left out once there are enough."""
TYPICAL = 0.1
"""Share of a theme's statements that must have a term; two statements in any case."""
PAIR = 0.4
"""Share of a word's statements from which the pair it stands in is said instead."""
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001


def label_words(
    texts_by_theme: Mapping[int, Sequence[str]],
    *,
    stop_words: Collection[str] = (),
) -> dict[int, tuple[str, ...]]:
    """At most `MOST_WORDS` words or pairs of words for each theme, the most telling first.

    Fewer than `FEWEST_WORDS`, or none, where the statements have nothing more to offer.

    Args:
        texts_by_theme: Each theme's statements; also of themes that keep their words, for they
            are what a theme stands out from.
        stop_words: The company's names, and what else must not name a theme, in any case.
    """
    left_out = common_words() | {
        word.casefold() for said in stop_words for word in WORD.findall(said)
    }
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    counts = {theme: Counter[str]() for theme in texts_by_theme}
    for theme, texts in texts_by_theme.items():
        for text in texts:
            said = terms(text, left_out)
            counts[theme].update(said.keys())
            for term, spelling in said.items():
                spellings[term][spelling] += 1
    weights = class_tfidf(counts)
    return {
        theme: tuple(
            _usual(spellings[term]) for term in _chosen(weights[theme], counts[theme], len(texts))
        )
        for theme, texts in texts_by_theme.items()
    }


def terms(text: str, left_out: Collection[str]) -> dict[str, str]:
    """The words of *text* that may name a theme, and the pairs that stand next to each other.

    From the folded term, the same for all forms of a word and both orders of a pair, to how it
    is written here.
    """
    words = [word.casefold().replace("’", "'") for word in WORD.findall(text)]  # noqa: RUF001
    kept = [word.removesuffix("'s") if _may_name(word, left_out) else None for word in words]
    found = {stem(word): word for word in kept if word}
    for first, second, written in zip(kept, kept[1:], words[1:], strict=False):
        if first and second and stem(first) != stem(second):
            found[" ".join(sorted((stem(first), stem(second))))] = f"{first} {second}"
        elif first and written in PARTICLES:
            found[f"{stem(first)} {written}"] = f"{first} {written}"
    return found


@cache
def common_words() -> frozenset[str]:
    """English words that say nothing alone, in lower case."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS).union(SMALL_TALK) - NAMES_A_THEME


def _may_name(word: str, left_out: Collection[str]) -> bool:
    """Contractions ("doesn't") are of stop words, or as good as such."""
    bare = word.removesuffix("'s")
    return len(bare) > 1 and "'" not in bare and bare not in left_out


def _usual(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda spelling: (-spellings[spelling], spelling))


def class_tfidf(counts: Mapping[int, Mapping[str, int]]) -> dict[int, dict[str, float]]:
    """The weight of each theme's terms, from how many of its statements have each.

    ``tf * log(1 + A / f)``: *tf* is the term's share of the theme's counts, *A* the mean of the
    themes' counts (a whole number, as in BERTopic), *f* the term's count in all themes.
    """
    everywhere: Counter[str] = Counter()
    for said in counts.values():
        everywhere.update(said)
    mean = everywhere.total() // max(1, len(counts))
    weights = {}
    for theme, said in counts.items():
        own = sum(said.values())
        weights[theme] = {
            term: count / own * float(np.log1p(mean / everywhere[term]))
            for term, count in said.items()
        }
    return weights


def _chosen(weights: Mapping[str, float], counts: Counter[str], size: int) -> list[str]:
    """A theme of many small things has no typical words; it gets the best that it has."""
    typical = _best(weights, counts, at_least=max(2, TYPICAL * size))
    chosen = _without_repeats(typical, weights, counts)
    if len(chosen) >= FEWEST_WORDS:
        return chosen
    return _without_repeats(typical + _best(weights, counts, at_least=2), weights, counts)


def _best(weights: Mapping[str, float], counts: Counter[str], *, at_least: float) -> list[str]:
    often = [term for term in weights if counts[term] >= at_least]
    return sorted(often, key=lambda term: (-weights[term], term))[:CANDIDATES]


def _without_repeats(
    best: Sequence[str], weights: Mapping[str, float], counts: Counter[str]
) -> list[str]:
    chosen: list[str] = []
    for term in best:
        weak = weights[term] < WEAK * weights[best[0]]
        if len(chosen) == MOST_WORDS or (weak and len(chosen) >= FEWEST_WORDS):
            break
        said = _fuller(term, best, counts)
        if not set(said.split()) & {word for other in chosen for word in other.split()}:
            chosen.append(said)
    return chosen


def _fuller(term: str, best: Sequence[str], counts: Counter[str]) -> str:
    """The pair that *term* mostly stands in, else the term itself."""
    pairs = [pair for pair in best if " " in pair and term in pair.split()]
    pair = max(pairs, key=lambda pair: counts[pair], default=term)
    return pair if " " not in term and counts[pair] >= PAIR * counts[term] else term
