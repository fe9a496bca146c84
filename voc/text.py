"""Other people's text, made safe to store: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
import unicodedata
from itertools import count

from selectolax.lexbor import LexborHTMLParser

_ZWJ = "\u200d"
_EMOJI_TAIL = frozenset("\ufe0f") | {chr(code) for code in range(0x1F3FB, 0x1F400)}
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SUSPECT = re.compile("[^\t\n -~]")
_BLOCKS = frozenset({"p", "div", "blockquote", "ul", "ol", "pre", "h1", "h2", "h3", "h4"})
_LINES = frozenset({"br", "li", "tr", "hr"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})
MOST_TAGS = 4_000
MOST_HTML = 100_000
_TAG = re.compile("<[^<>]*>?")
_FONTS = re.compile(
    r"<(/?)(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE
)
"""Tags that HTML opens anew in each paragraph: a few kilobytes become millions of elements."""


def normalise(text: str) -> str:
    """*text* in one spelling: NFC, line ends as newlines, nothing invisible, no edges of space.

    NUL is refused by PostgreSQL and lone surrogates by both databases; what turns the direction
    of writing can make a text show something else than it says. Zero-width joiners stay where
    they hold an emoji together. Normalising twice changes nothing.
    """
    text = _LINE_ENDS.sub("\n", text)
    if _SUSPECT.search(text) or "\x7f" in text:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = "".join(c for i, c in enumerate(text) if _is_seen(text, i, c))
    return unicodedata.normalize("NFC", _without_controls(text)).strip()


def html_to_text(html: str, *, left_out: str = "", mark: str = "") -> str:
    """What a reader of *html* sees, normalised: paragraphs apart, ``<br>`` as a new line.

    What is longer or has more tags than people write is read as far as they do: a parser takes
    time with the square of what is open at once.

    Args:
        left_out: CSS of the parts in whose place *mark* stands.
    """
    tree = LexborHTMLParser(_of_a_persons_size(html))
    for part in tree.css(left_out) if left_out else ():
        part.replace_with(mark)
    if tree.body is None:
        return ""
    parts: list[str] = []
    for node in tree.body.traverse(include_text=True):
        tag = node.tag or ""
        if tag == "-text":
            parent = node.parent
            if parent is None or parent.tag not in _UNSEEN:
                parts.append(node.text_content or "")
        elif tag in _BLOCKS:
            parts.append("\n\n")
        elif tag in _LINES:
            parts.append("\n")
    return normalise(re.sub(r"\n{3,}", "\n\n", "".join(parts)))


def _of_a_persons_size(html: str) -> str:
    """The text of what goes beyond the first tags is kept, as far as it is not too long."""
    seen = count()
    few = _TAG.sub(lambda tag: tag[0] if next(seen) < MOST_TAGS else " ", html)
    return _FONTS.sub(r"<\1span", few)[:MOST_HTML]


def _without_controls(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text)


def _is_seen(text: str, at: int, char: str) -> bool:
    if char == _ZWJ:
        return _joins_emoji(text, at)
    return char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs")


def _joins_emoji(text: str, at: int) -> bool:
    if at == 0 or at + 1 == len(text):
        return False
    before, after = text[at - 1], text[at + 1]
    is_emoji_before = before in _EMOJI_TAIL or unicodedata.category(before) == "So"
    return is_emoji_before and unicodedata.category(after) == "So"
