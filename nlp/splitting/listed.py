"""Clauses of one sentence that could each stand alone: joined by "and", listed with commas.

A clause needs something like a subject and something like a predicate, on both sides of the
cut: "the food was great, the waiter slow and the music far too loud" is three, "great pizza,
pasta and wine" is one. A clause about "it" or "them" stays with the one that says what that is;
relative and subordinate clauses are not cut off. English only; what its closed classes
(`nlp.splitting.words`) do not know stays whole. Every look ahead and every look back is bounded,
so the time grows with the length of the sentence and not faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nlp.splitting import words as closed
from nlp.splitting.grammar import (
    Word,
    is_adjective,
    is_fragment,
    is_gapped,
    is_plural,
    is_verb,
    read,
    starts_clause,
    up_to_a_stop,
    without_openers,
)

_ENTITIES = frozenset({"amp", "gt", "lt", "quot", "nbsp"})
_ASIDE = re.compile(r"\([^()]{0,300}\)|\"[^\"]{0,300}\"|“[^“”]{0,300}”")
_LOOK_BACK = 60
_LONGEST_BEGINNING = 200
_LOOK_AHEAD = 12
_LONGEST_PREDICATE = 8
_COMMENTATORS = frozenset({"i", "we", "you", "it", "i'm", "i'd"})


def listed_cuts(text: str, start: int, end: int) -> Iterator[int]:
    """Where the clauses of ``text[start:end]``, one sentence or less, begin; without *start*."""
    words = read(text, start, end)
    asides = {
        character
        for aside in _ASIDE.finditer(text, start, end)
        for character in range(aside.start() + 1, aside.end())
    }
    first = 0
    for place, word in enumerate(words):
        if place == 0 or word.start in asides:
            continue
        is_entity = word.gap.startswith(";") and words[place - 1].text in _ENTITIES
        if is_entity or not (word.is_listed or (word.is_joined and word.text in closed.JOINERS)):
            continue
        before = without_openers(words[max(first, place - _LOOK_BACK) : place])
        after = without_openers(words[place : place + _LOOK_AHEAD])
        if _is_introduction(before):
            if word.is_listed and starts_clause(after):
                first = place  # "when we came, the waiter ...": the main clause starts here
            continue
        if _may_part(before, after, is_listed=word.is_listed):
            yield word.start
            first = place


def begins_a_clause(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` begins with a subject and its verb."""
    words = read(text, start, min(end, start + _LONGEST_BEGINNING))
    return starts_clause(without_openers(words))


def _may_part(before: Sequence[Word], after: Sequence[Word], *, is_listed: bool) -> bool:
    if len(before) < 2 or not after:  # noqa: PLR2004 (a clause has two words)
        return False
    if _is_complete(before, is_listed=is_listed):
        return (
            starts_clause(after)
            and not _is_about_what_was_said(after)
            and not (is_adjective(before[-1].text) and is_adjective(after[0].text))
            and not _is_said_aside(after)
            and not (not is_listed and _is_second_subject(after))
        ) or (_ends_in_predicate(before) and is_gapped(after))
    return is_fragment(before) and is_fragment(up_to_a_stop(after))


def _is_introduction(words: Sequence[Word]) -> bool:
    """As "When we came", "sorry if you waited": the main clause is still to come."""
    if not words:
        return False
    if words[0].text in closed.INTRODUCTIONS:
        return True
    for place, word in enumerate(words):
        if word.text in closed.SUBORDINATORS:
            return True
        if is_verb(words, place):
            return False
    return False


def _is_complete(words: Sequence[Word], *, is_listed: bool) -> bool:
    """It has a finite verb, and no clause inside it waits for one."""
    verbs = [place for place in range(len(words)) if is_verb(words, place)]
    if not verbs:
        return False
    openers = [place for place, word in enumerate(words) if place and word.text in closed.OPENERS]
    if openers and openers[-1] > verbs[-1]:
        return False
    return is_listed or words[verbs[-1]].text not in closed.THINKERS


def _is_about_what_was_said(words: Sequence[Word]) -> bool:
    """Such as "it was cold" or "this was cold", but not "this room was cold"."""
    subject = words[0].text
    is_article = subject in closed.DETERMINERS and len(words) > 1 and not is_verb(words, 1)
    return subject in closed.ANAPHORS and not is_article


def _is_said_aside(words: Sequence[Word]) -> bool:
    """As "I think", "we were told", "you know": it comments on the clause before it."""
    said = up_to_a_stop(words)
    return (
        len(said) <= 4  # noqa: PLR2004
        and said[0].text in _COMMENTATORS
        and any(word.text in closed.COMMENTS for word in said)
    )


def _is_second_subject(after: Sequence[Word]) -> bool:
    """As "(I heard that) the food and the service were great": one verb for both."""
    for place in range(1, len(after)):
        if is_verb(after, place):
            return (
                after[place].text in closed.PLURAL_VERBS
                and not is_plural(after[place - 1].text)
                and after[0].text not in closed.SUBJECT_PRONOUNS | closed.OTHER_PRONOUNS
            )
    return False


def _ends_in_predicate(words: Sequence[Word]) -> bool:
    """As "the food was great": a form of "be" near its end, which the next clause may leave out."""
    near = words[-_LONGEST_PREDICATE:]
    return any(word.text in closed.BE or word.text in closed.WITH_A_VERB for word in near)
