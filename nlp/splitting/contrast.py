"""Clauses that say the opposite of what was said before: "but", "however", "although"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.splitting.listed import begins_a_clause

_LOOK_BACK = 24
_CONTRAST = re.compile(
    r"(?P<sure>(?<=[\s,;–—-])(?:but|however|whereas|nevertheless|nonetheless|even though"  # noqa: RUF001
    r"|although|aber|jedoch|pero|maar)(?=[\s,]))"
    r"|(?P<after_comma>(?<=[,;–—-]\s)(?:yet|while|though|except|unfortunately|sadly|mais|mas|ma)"  # noqa: RUF001
    r"(?=[\s,]))",
    re.IGNORECASE,
)
_NO_CONTRAST_BEFORE = re.compile(
    r"\b(?:nothing|anything|everything|everyone|all|none|no one|nobody|help|last|not only)\W{0,3}$",
    re.IGNORECASE,
)
_NO_CONTRAST_AFTER = re.compile(r"but\s+(?:also|not\s+least|for\b)", re.IGNORECASE)
_JOINER_BEFORE = re.compile(r"(?<!\w)(?P<joiner>and)[\s,]{1,4}\Z", re.IGNORECASE)
_ALSO_IN_PASSING = frozenset({"however", "though"})
"""They may stand anywhere: "the policy, however, did not apply"."""
_CONCESSION = re.compile(
    r"\s{0,20}(?:although|though|even though|while|despite|whereas)\s[^,]{5,300},\s{0,20}",
    re.IGNORECASE,
)
_WORDS_OF_A_CLAUSE = 2


def contrast_cuts(text: str, start: int, end: int) -> Iterator[int]:
    """Where in ``text[start:end]``, one sentence, a clause contradicts the one before it."""
    concession = _CONCESSION.match(text, start, end)
    if concession and _is_clause(text, concession.end(), end):
        yield concession.end()
    last = concession.end() if concession else start
    for match in _CONTRAST.finditer(text, start, end):
        joiner = _JOINER_BEFORE.search(text, max(last, match.start() - _LOOK_BACK), match.start())
        cut = joiner.start("joiner") if joiner else match.start()
        if (
            _is_clause(text, last, cut)
            and _is_clause(text, match.end(), end)
            and not _NO_CONTRAST_BEFORE.search(text[max(start, cut - _LOOK_BACK) : cut])
            and not _NO_CONTRAST_AFTER.match(text, cut, end)
            and not (
                match[0].lower() in _ALSO_IN_PASSING and not begins_a_clause(text, match.end(), end)
            )
        ):
            yield cut
            last = cut


def _is_clause(text: str, start: int, end: int) -> bool:
    """At least two words. Looks at the first 80 characters only."""
    return len(text[start : min(end, start + 80)].split()) >= _WORDS_OF_A_CLAUSE
