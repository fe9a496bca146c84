"""What each number means, in the words of docs/measures.md and the glossary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TERMS: Mapping[str, str] = MappingProxyType(
    {
        "came in": "Pieces of feedback that customers said in this period, whatever became of "
        "them. One piece is one thing one customer sent us through one source.",
        "loops": "What we owe one customer for one piece of feedback. A loop belongs to the week "
        "in which the customer said it.",
        "open": "Loops whose customer we still owe an answer.",
        "told": "Loops whose customer has our answer, and whose own answer is awaited.",
        "late": "Unfinished tickets whose next promise, to be taken or to be resolved, is over.",
        "solved": "Loops that ended with the customer told, and saying that it is solved.",
        "silent": "Loops that ended with the customer told, who then said nothing.",
        "thanked": "Loops of promoters: thanked, which asks for no answer.",
        "reopened": "Loops that came back as not solved, of those with an issue that were told.",
        "could not tell": "Loops that ended without an answer that could reach the customer. They "
        "are not part of the closure rate.",
        "not actionable": "Loops with nothing left to tell: the words were deleted at their "
        "source. They are not part of the closure rate.",
        "closure rate": "Loops that ended with the customer told, of those that could: open, told "
        "and closed. Open ones count against it, so young weeks look worse than they will.",
        "first answer": "Hours from the feedback to our first answer: half were faster. Clock "
        "hours, worked out from a histogram, so it may be off by a few per cent. Loops that still "
        "wait are not in it.",
        "closing": "Hours from the feedback to the closed loop: half were faster. From the same "
        "kind of histogram. Loops that are not closed are not in it.",
        "nps": "Net promoter score: promoters (9-10) less detractors (0-6), from -100 to 100 "
        "points. 7 and 8 are passives.",
        "csat": "Customer satisfaction: customers who gave 4 or 5 of 5, in per cent.",
        "ces": "Customer effort: the mean of 1 to 7, where 1 is the least effort. Low is good.",
        "stars": "The mean of the stars in reviews, 1 to 5.",
        "sentiment": "How statements feel. A label of a person wins over the model; unsure are "
        "those that it was not sure of, or whose language it does not read.",
        "volume": "Pieces of feedback by week, by what became of them.",
        "themes": "A group of statements that was found to say the same. Statements are counted "
        "in the week in which they were said.",
        "response kept": "Tickets that were taken, or resolved, before the first promise was "
        "over, of those whose promise was kept or broken.",
        "resolution kept": "Tickets that were resolved before the second promise was over, of "
        "those whose promise was kept or broken.",
        "ticket reopened": "Tickets that customers called unsolved since this department has them, "
        "of those that it has resolved.",
        "handed over": "Tickets that another department had first, of all its tickets.",
        "interval": "The 95 % interval: how far chance alone may move the number. It says nothing "
        "about customers who never answer. Below 30 cases no value is given.",
    }
)
