"""In which encoding a text file is written."""

from __future__ import annotations

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 256 * 1024
_WESTERN = "cp1252"
_CANDIDATES = [_WESTERN, "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "big5"]


def detect_encoding(path: Path) -> str:
    """The encoding of the file: by its mark, else UTF-8 if it is that throughout, else a guess.

    A file whose bytes are nearly all UTF-8 is UTF-8 with a few broken places: reading it as
    something else would break every accent in it for the sake of one.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if b"\x00" in head:
        return _utf_16_side(head)
    good, bad = _utf_8_counts(path)
    if bad == 0 or good > 3 * bad:
        return "utf-8"
    return _guess(head)


def _utf_16_side(head: bytes) -> str:
    """Without a mark, Western text in UTF-16 has its zero bytes all on one side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) / 8:
        return "utf-8"  # a stray NUL in ordinary text
    return "utf-16-le" if odd > even else "utf-16-be"


def _utf_8_counts(path: Path) -> tuple[int, int]:
    """How many characters beyond ASCII are good UTF-8, and how many bytes are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    with path.open("rb") as file:
        while chunk := file.read(_SAMPLE):
            text = decoder.decode(chunk)
            if text.isascii():
                continue
            escaped = sum("\udc80" <= c <= "\udcff" for c in text)
            bad += escaped
            good += sum(c > "\x7f" for c in text) - escaped
    return good, bad


def _guess(head: bytes) -> str:
    best = from_bytes(head, cp_isolation=_CANDIDATES).best()
    if best is None or _WESTERN in best.could_be_from_charset:
        return _WESTERN
    return best.encoding
