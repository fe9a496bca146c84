"""The sentiment of a whole text: of its words in one piece, and of what its statements add up to.

Read in one piece, a long text sounds like its loudest half. Its statements know that there is
another: opposite opinions meet in the middle, facts beside an opinion weigh little. The share of
each was chosen on held-back reviews of an open set (`docs/models/sentiment.md`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlp.arrays import FloatArray
from nlp.clean import clean
from nlp.reader import Reader
from nlp.split import split

OF_STATEMENTS = 0.25
"""How much the sum of the statements counts; the rest is the text read in one piece."""
MIXED = 0.85
"""Of wholly opposite opinions, how much becomes neutral."""


def read_whole(
    texts: Sequence[str], reader: Reader, *, brand_names: Sequence[str] = ()
) -> FloatArray:
    """Probabilities in the order of `nlp.sentiment.LABELS`, shape ``(n, 3)``."""
    wholes = [clean(text, brand_names) for text in texts]
    parts = [[clean(text[a:b], brand_names) for a, b in split(text)] for text in texts]
    several = [statements if len(statements) > 1 else [] for statements in parts]
    distinct = list(dict.fromkeys([*wholes, *(each for part in several for each in part)]))
    found = reader.read(distinct).probabilities if distinct else np.zeros((0, 3), np.float32)
    places = {text: place for place, text in enumerate(distinct)}
    rows = [
        in_all(
            found[places[whole]],
            found[[places[each] for each in statements]],
            [len(each) for each in statements],
        )
        for whole, statements in zip(wholes, several, strict=True)
    ]
    return np.array(rows, dtype=np.float32).reshape(-1, 3)


def in_all(whole: FloatArray, statements: FloatArray, lengths: Sequence[int]) -> FloatArray:
    """A text's probabilities, shape ``(3,)``.

    Args:
        whole: Of the text in one piece, shape ``(3,)``.
        statements: Of each statement, shape ``(m, 3)``; none or one: *whole* stands.
        lengths: Of each statement, in characters.
    """
    if len(statements) < 2:  # noqa: PLR2004
        return whole
    mixed: FloatArray = (1 - OF_STATEMENTS) * whole + OF_STATEMENTS * summed(statements, lengths)
    return mixed


def summed(statements: FloatArray, lengths: Sequence[int]) -> FloatArray:
    """What statements say together, shape ``(m, 3)`` to ``(3,)``; a longer one counts more."""
    negative, neutral, positive = np.sqrt(lengths) @ statements
    opinions = max(float(negative + positive), 1e-9)
    lean = float(positive - negative) / opinions
    middle = MIXED * (1 - abs(lean)) ** 0.8
    facts = (1 - middle) * float(neutral / (opinions + neutral)) ** 3
    rest = 1 - middle - facts
    return np.array(
        [rest * (1 - lean) / 2, middle + facts, rest * (1 + lean) / 2], dtype=np.float32
    )
