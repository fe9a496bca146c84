"""Numbers by which a state knows a person.

A number is taken for one only if that is unlikely to be chance: its form and its checksum
together are rare, or a word before it says what it is ("my passport number is ...").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from nlp.masking.dense import dense_stretches

_FEWEST_DIGITS = 5
_NEAR = 40
"""Characters before a number in which a word may say what it is."""
_BEFORE, _AFTER = r"(?<![\w.,/-])", r"(?![\w/]|[.,-]\w)"


@dataclass(frozen=True, slots=True)
class _Number:
    form: re.Pattern[str]
    check: str = ""
    """Module of python-stdnum that knows the checksum; without one, the form has to do."""
    cue: re.Pattern[str] | None = None
    """Must stand before it, if form and checksum are met by chance too often."""


def _number(form: str, check: str = "", cue: str = "") -> _Number:
    return _Number(
        re.compile(f"{_BEFORE}(?:{form}){_AFTER}", re.IGNORECASE),
        check,
        re.compile(rf"(?<!\w)(?:{cue})(?!\w)", re.IGNORECASE) if cue else None,
    )


_NUMBERS = (
    # Form and checksum are enough.
    _number(
        r"(?!bg|gb|nk|kn|tn|nt|zz)[a-ceghj-prtw-z][a-ceghj-nprtw-z](?:\d{6}|(?: \d\d){3} )[a-d]"
    ),  # GB
    _number(r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?\d[\dab] ?\d{3} ?\d{3} ?\d\d", "fr.nir"),
    _number(r"\d{8}[ -]?[a-z]", "es.dni"),
    _number(r"[xyz][ -]?\d{7}[ -]?[a-z]", "es.nie"),
    _number(
        r"[a-z]{6}[\dl-np-v]{2}[abcdehlmprst][\dl-np-v]{2}[a-z][\dl-np-v]{3}[a-z]",
        "it.codicefiscale",
    ),
    _number(r"\d{8} ?\d ?[a-z\d]{2}\d", "pt.cc", r"cart[ãa]o(?: de)? cidad[ãa]o|cc"),
    _number(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", "ch.ssn"),
    _number(r"\d\d[. ]?\d\d[. ]?\d\d[ -]?\d{3}[. -]?\d\d", "be.nn"),
    _number(r"\d{6}[-+a]\d{3}[\da-y]", "fi.hetu"),
    _number(r"(?:\d\d)?\d{6}[-+]\d{4}", "se.personnummer"),
    _number(r"\d{6} ?\d{5}", "no.fodselsnummer"),
    _number(r"\d{3}\.\d{3}\.\d{3}-\d\d", "br.cpf"),
    # A word has to say so.
    _number(r"\d{3}[ -]?\d{2}[ -]?\d{4}", "us.ssn", r"ssn|social(?: security)?"),
    _number(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", r"nhs"),
    _number(
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        "de.idnr",
        r"steuer\W?id(?:entifikationsnummer)?|idnr|steueridentifikationsnummer|tax id",
    ),
    _number(r"\d{4}[ .]?\d{2}[ .]?\d{3}|\d{8,9}", "nl.bsn", r"bsn|burgerservicenummer|sofi\w*"),
    _number(r"\d{11}", "pl.pesel", r"pesel"),
    _number(r"\d{4} ?\d{6}", "at.vnr", r"s?vnr|svnr|sozialversicherung\w*|versicherungsnummer"),
    _number(r"(?:\d\d)?\d{6}[-+]?\d{4}", "se.personnummer", r"person(?:al)?\W?nummer|personnr"),
    _number(r"\d{3} ?\d{3} ?\d{3}", "pt.nif", r"nif|contribuinte"),
    _number(r"\d{6}-?\d{4}", "dk.cpr", r"cpr(?:\W?n(?:umme)?r)?"),
    _number(r"\d{7}[a-w][a-ij]?", "ie.pps", r"ppsn?"),
    _number(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin", r"social insurance|sin (?:number|no|is|#)"),
    _number(r"\d{11}", "br.cpf", r"cpf"),
    _number(r"\d{4}[ -]?\d{4}[ -]?\d{4}", "in_.aadhaar", r"aadh?aar"),
    _number(
        r"[a-z]{0,3}\d[\d -]{3,13}\d[a-z]{0,2}",
        "",
        r"passport|driv(?:er|ing)\W{0,2}s? licen[cs]e|national id(?:entity)?|identity card",
    ),
)


def national_numbers(text: str) -> Iterator[tuple[str, int, int]]:
    """``("national_id", start, end)`` of each."""
    for start, end in dense_stretches(text, digits=_FEWEST_DIGITS):
        for number in _NUMBERS:
            for match in number.form.finditer(text, start, end):
                if _is_meant(number, text, match.start()) and _is_valid(number, match[0]):
                    yield "national_id", match.start(), match.end()


def _is_meant(number: _Number, text: str, start: int) -> bool:
    return number.cue is None or bool(number.cue.search(text, max(0, start - _NEAR), start))


def _is_valid(number: _Number, value: str) -> bool:
    if not number.check:
        return True
    try:
        return bool(import_module(f"stdnum.{number.check}").is_valid(value))
    except ValueError:  # some checks stumble over characters that no such number has
        return False
