"""What the words of a clause may be: its verb, its subject, an adjective without a verb.

Closed classes and endings only (`nlp.splitting.words`); in doubt a word is nothing of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nlp.splitting import words as closed

_WORD = re.compile(r"[^\W_]+(?:['’.&/-][^\W_]+)*|&")  # noqa: RUF001
_LISTING = re.compile(r"\s?(?:,{1,3}|;|[–—]|-{2,3}|,\s-)\s?|\s-\s")  # noqa: RUF001
_LONGEST_SUBJECT = 7
_LONGEST_BARE_SUBJECT = 3
_SHORTEST_CLAUSE = 3
_VERBS = closed.BE | closed.AUXILIARIES | closed.PASTS | closed.THIRD_PERSONS
_ADJECTIVE = re.compile(r".{3,}(?:ful|ous|less|ible)")
_PAST = re.compile(r"[a-z]{3,}ed")
_AFTER_A_VERB = (
    closed.FUNCTION_WORDS
    | closed.DETERMINERS
    | closed.ADVERBS
    | closed.SUBJECT_PRONOUNS
    | closed.OTHER_PRONOUNS
)
_NOT_BEFORE_A_PAST = closed.INTENSIFIERS | {"well", "badly", "highly"}
_NOT_IN_A_BARE_SUBJECT = closed.DETERMINERS | closed.PREPOSITIONS | closed.JOINERS
_NOT_FINITE_AFTER = closed.DETERMINERS | {"to"}


@dataclass(frozen=True, slots=True)
class Word:
    start: int
    text: str
    """In lower case, with a plain apostrophe."""
    gap: str
    """What stands between it and the word before it."""

    @property
    def is_joined(self) -> bool:
        """To the word before it, by white space only (or a stray apostrophe)."""
        return self.gap.strip() in {"", "'", "’"}  # noqa: RUF001

    @property
    def is_listed(self) -> bool:
        return _LISTING.fullmatch(self.gap) is not None


def read(text: str, start: int, end: int) -> list[Word]:
    words = []
    reached = start
    for match in _WORD.finditer(text, start, end):
        plain = match[0].lower().replace("’", "'")  # noqa: RUF001
        words.append(Word(match.start(), plain, text[reached : match.start()]))
        reached = match.end()
    return words


def without_openers(words: Sequence[Word]) -> Sequence[Word]:
    """Without the joiner and the adverbs that a clause may start with: "and then, sadly, ..."."""
    place = 0
    while place < len(words) and (
        words[place].text in closed.JOINERS or words[place].text in closed.ADVERBS
    ):
        place += 1
    return words[place:]


def is_verb(words: Sequence[Word], place: int) -> bool:
    """Certainly finite. ``words[place - 1]`` is looked at, too."""
    word = words[place].text
    if word in closed.BE or word in closed.AUXILIARIES or word in closed.WITH_A_VERB:
        return True
    if "'" in word and word.endswith(("n't", "'re", "'ve", "'ll", "'m", "'d")):
        return True
    before = words[place - 1].text if place else ""
    if before in _NOT_FINITE_AFTER:
        return False
    if word in closed.PASTS or word in closed.THIRD_PERSONS:
        return True
    if _PAST.fullmatch(word):  # "ignored us", not "grilled chicken"
        after = words[place + 1].text if place + 1 < len(words) else ""
        return (
            after != "by"
            and (not after or after in _AFTER_A_VERB)
            and before not in _NOT_BEFORE_A_PAST
        )
    return word in closed.BASES and (
        before in closed.SUBJECT_PRONOUNS
        or before in closed.OTHER_PRONOUNS
        or before in closed.ADVERBS
        or is_plural(before)
    )


def is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith("ss") and word not in closed.FUNCTION_WORDS


def starts_clause(words: Sequence[Word]) -> bool:
    """A subject, then its finite verb, with nothing but words between."""
    if not words:
        return False
    if len(words) < _SHORTEST_CLAUSE or not all(
        word.is_joined for word in words[1:_SHORTEST_CLAUSE]
    ):
        return False
    subject = words[0].text
    if subject in closed.SUBJECT_PRONOUNS or subject in closed.WITH_A_VERB:
        return True
    if subject in closed.OTHER_PRONOUNS and verb_within(words, 1, 3):
        return True
    if subject in closed.DETERMINERS:
        return verb_within(words, 2, _LONGEST_SUBJECT)
    is_bare = (may_be_noun(subject) or is_adjective(subject)) and subject not in _VERBS
    return is_bare and verb_within(words, 1, _LONGEST_BARE_SUBJECT, stops=_NOT_IN_A_BARE_SUBJECT)


def verb_within(
    words: Sequence[Word], first: int, last: int, *, stops: frozenset[str] = frozenset()
) -> bool:
    """The first finite verb is between those places, and only a subject stands before it."""
    for place in range(1, min(last + 1, len(words))):
        word = words[place]
        if not word.is_joined or word.text in closed.ENDS_OF_A_SUBJECT or word.text in stops:
            return False
        if is_verb(words, place):
            # A noun without an article and a form in -ed: "Wooden toys painted by".
            return place >= first and not (stops and _PAST.fullmatch(word.text))
    return False


def up_to_a_stop(words: Sequence[Word]) -> Sequence[Word]:
    """Up to the next comma, dash or "and"."""
    for place, word in enumerate(words):
        if place and (not word.is_joined or word.text in closed.JOINERS or word.text == "but"):
            return words[:place]
    return words


def is_gapped(words: Sequence[Word]) -> bool:
    """As "The waiter slow", "the music far too loud", "service slow": the verb is left out."""
    said = up_to_a_stop(words)
    if not 2 <= len(said) <= _LONGEST_SUBJECT or not is_adjective(said[-1].text):  # noqa: PLR2004
        return False
    nouns = [word.text for word in said[:-1] if not is_intensifier(word.text)]
    if nouns and nouns[0] in closed.DETERMINERS:
        nouns = nouns[1:]
    return 1 <= len(nouns) <= 3 and all(may_be_noun(noun) for noun in nouns)  # noqa: PLR2004


def is_adjective(word: str) -> bool:
    return word in closed.ADJECTIVES or _ADJECTIVE.fullmatch(word) is not None


def is_intensifier(word: str) -> bool:
    return word in closed.INTENSIFIERS or re.fullmatch("so{2,}", word) is not None


def may_be_noun(word: str) -> bool:
    return not (
        is_adjective(word)
        or word in closed.FUNCTION_WORDS
        or word in closed.DETERMINERS
        or word in closed.ADVERBS
        or word in closed.OTHER_PRONOUNS
        or word in closed.SUBJECT_PRONOUNS
        or word.endswith(("ly", "ing", "ed"))
        or word in _VERBS
        or word.isdigit()
    )


def is_fragment(words: Sequence[Word]) -> bool:
    """As "Great food", "very slow service", "service slow": no verb, one adjective, its noun."""
    texts = [
        word.text
        for word in words
        if not is_intensifier(word.text) and word.text not in closed.DETERMINERS
    ]
    if not 2 <= len(texts) <= 4 or not all(word.is_joined for word in words[1:]):  # noqa: PLR2004
        return False
    rest = texts[1:] if is_adjective(texts[0]) else texts[:-1] if is_adjective(texts[-1]) else []
    return bool(rest) and all(may_be_noun(word) for word in rest)
