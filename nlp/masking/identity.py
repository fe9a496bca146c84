"""A customer's own identifiers, as they may stand in a text of theirs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_PARTICLE_TEXT = """
    van von vom zum zur der den dem des del della delle dos das las los the and bin ibn ben
    abu san saint sir miss mrs
"""
# First and last names that are also words. In lower case they are taken for the word.
_WORD_TEXT = """
    will mark may rose grace hope faith joy june april august art bill chase chip dean drew
    frank grant guy hunter jack jay lance max miles nick pat penny ray rich rob rod sandy
    skip sue summer autumn winter violet ruby olive page king young long short brown white
    black green grey gray wood woods stone field fields hill lake rivers banks bush cook
    baker price rice love good best day knight major fox wolf bird lamb swift small little
    strong power early case cash cross church court park parks street west east north bishop
    pope rush rocky star sunny angel chance charity christian crystal dawn destiny eve eden
    harmony iris ivy jade jasmine lily melody misty pearl poppy prince robin sage sky storm
    tiger trinity victor wade ward web webb weeks wise worth yes not but for new one you all
    any can had her was our out get has him his how man now old see two way who did its let
    put say she too use klein gross lang kurz neu sommer sonntag freitag berg stein vogel
    koch bauer weiss schwarz braun blanc petit grand roi fort mas sol paz cruz rosa reyes
    flores
"""
_PARTICLES = frozenset(_PARTICLE_TEXT.split())
_ALSO_WORDS = frozenset(_WORD_TEXT.split())
_MIN_LETTERS = 3
_PHONE_TAIL = 8
_MIN_PHONE_DIGITS = 6
_SEPARATOR = r"[\s().\-/]{0,3}"
_WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One thing that the customer's record says of them."""

    kind: str
    """name, email, phone, account or address."""
    value: str


def known_spans(text: str, known: tuple[Known, ...]) -> Iterator[tuple[str, int, int]]:
    """``(kind, start, end)`` of each identifier, whatever its case and accents; whole words."""
    if not known or not text:
        return
    folded, origins = _fold(text)
    for identifier in known:
        for match in _pattern(identifier).finditer(folded):
            start, end = origins[match.start()], origins[match.end()]
            if not (match.lastgroup == "word" and text[start:end].islower()):
                yield identifier.kind, start, end


@lru_cache(maxsize=4096)
def _pattern(known: Known) -> re.Pattern[str]:
    """What matches it in folded text; the group ``word`` is a name that is also a word."""
    value = _fold(known.value.strip())[0]
    alternatives = {
        "name": _name,
        "phone": _phone,
        "address": _address,
    }.get(known.kind, _exact)(value)
    return re.compile("|".join(alternatives) or r"(?!)")


def _exact(value: str) -> list[str]:
    words = value.split()
    if sum(character.isalnum() for character in value) < 2:  # noqa: PLR2004 (a lone initial)
        return []
    pattern = r"\s{1,4}".join(re.escape(word) for word in words)
    before = "" if _WITHOUT_SPACES.match(value) else r"(?<!\w)"
    after = "" if _WITHOUT_SPACES.match(value[-1]) else r"(?!\w)"
    return [f"{before}{pattern}{after}"]


def _name(value: str) -> list[str]:
    parts = [
        part
        for part in re.split(r"[\s,.\-]+", value)
        if sum(letter.isalpha() for letter in part) >= _MIN_LETTERS and part not in _PARTICLES
    ]
    sure = [pattern for part in parts if part not in _ALSO_WORDS for pattern in _exact(part)]
    words = [pattern for part in parts if part in _ALSO_WORDS for pattern in _exact(part)]
    whole = _exact(value) if value not in _ALSO_WORDS else []
    return whole + sure + ([f"(?P<word>{'|'.join(words)})"] if words else [])


def _phone(value: str) -> list[str]:
    """By its last digits: the same number is written with and without the country code."""
    digits = [digit for digit in value if digit.isdigit()][-_PHONE_TAIL:]
    if len(digits) < _MIN_PHONE_DIGITS:
        return _exact(value)
    return [rf"(?<!\d)(?:[+(]{{0,2}}\d[\d\s().\-/]{{0,11}})?{_SEPARATOR.join(digits)}(?!\d)"]


def _address(value: str) -> list[str]:
    """All of it, and its lines that have a number. A town alone names nobody."""
    lines = [line.strip() for line in re.split(r"[,;\n]", value)]
    telling = [line for line in lines if re.search(r"\d", line) and len(line) >= 4]  # noqa: PLR2004
    whole = r"[\s,;]{1,4}".join(re.escape(word) for word in re.split(r"[\s,;]+", value) if word)
    return [
        *([rf"(?<!\w){whole}(?!\w)"] if len(lines) > 1 and len(whole) > 4 else []),  # noqa: PLR2004
        *(pattern for line in telling for pattern in _exact(line)),
        *(_exact(value) if len(lines) == 1 else []),
    ]


def _fold(text: str) -> tuple[str, list[int]]:
    """*text* without case and accents, and for each position in it where it came from.

    The list is one longer than the folded text, so that the end of a match has an origin.
    """
    folded: list[str] = []
    origins: list[int] = []
    for position, character in enumerate(text):
        if character.isascii():
            folded.append(character.lower())
            origins.append(position)
            continue
        plain = "".join(
            part
            for part in unicodedata.normalize("NFKD", character.casefold())
            if not unicodedata.combining(part)
        )
        folded.append(plain)
        origins += [position] * len(plain)
    return "".join(folded), [*origins, len(text)]
