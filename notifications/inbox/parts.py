"""A raw mail taken apart, whatever is in it: headers and text that can be read, never an error.

The standard library's older policy is used: the newer one fails on headers that are not what
they should be, and such mails come.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from voc.errors import VocError
from voc.text import html_to_text, normalise

MOST_PARTS = 40
"""Reading takes time with the depth, and no person's mail has more parts."""
MOST_HEADERS = 100_000
MOST_PARAMETERS = 2_000
"""Letters in a Content-Type: the standard library reads it in the square of that."""
MOST_LINES = 20_000
"""A megabyte of attachments has 14,000. More are cut off: some servers send nothing but lines."""
MOST_TEXT = 100_000
QUOTES = (
    "blockquote, .gmail_quote, .yahoo_quoted, .protonmail_quote, .moz-cite-prefix, "
    ".moz-forward-container, #appendonsend, #mail-editor-reference-message-container"
)
QUOTED = "\n> quoted\n"
MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,250}>")
"""As ours are; PostgreSQL refuses others as text, and one mail would stop all."""
CONTENT_TYPE = re.compile(
    rb"(?:^|[\r\n])content-type:((?:[^\r\n]+|(?:\r\n?|\n)[ \t])*)", re.IGNORECASE
)
NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})
"""What Python can decode, too, but no mail is written in; the first two take very long."""


class UnreadableMailError(VocError):
    """This mail cannot be taken apart. It is kept; a person may look at it."""


def take_apart(raw: bytes) -> Message:
    """The mail as a tree.

    Raises:
        UnreadableMailError: It is larger in headers, or deeper in parts, than anybody writes.
    """
    raw = b"".join(raw.splitlines(keepends=True)[:MOST_LINES])
    if len(re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]) > MOST_HEADERS:
        raise UnreadableMailError("too many headers")
    small = raw.lower()
    if small.count(b"boundary") + small.count(b"message/") > MOST_PARTS:
        raise UnreadableMailError("too many parts in one another")
    if any(len(each) > MOST_PARAMETERS for each in CONTENT_TYPE.findall(raw)):
        raise UnreadableMailError("too many parameters")
    return message_from_bytes(raw)


def header(mail: Message, name: str) -> str:
    """A header on one line, decoded as well as can be; "" if there is none."""
    return next(iter(_values(mail, name)), "")


def headers(mail: Message, names: tuple[str, ...]) -> str:
    """All headers of these names, one a line."""
    return "\n".join(value for name in names for value in _values(mail, name))


def addresses(mail: Message, *names: str) -> list[str]:
    """The addresses in these headers, small letters."""
    values = [value for name in names for value in _values(mail, name)]
    return [address.casefold() for _, address in getaddresses(values) if address]


def message_ids(text: str) -> list[str]:
    """The Message-IDs in a header, in its order."""
    return MESSAGE_ID.findall(text)


def parts_of(mail: Message, content_type: str) -> Iterator[Message]:
    """The mail's own parts of this type: not those of mails that it has attached or returned."""
    waiting = [mail]
    while waiting:
        part = waiting.pop(0)
        if part.get_content_type() == content_type:
            yield part
        if part.is_multipart() and part.get_content_maintype() != "message":
            waiting[:0] = _children(part)


def visible_text(mail: Message) -> str:
    """What a reader sees: the plain text, or the HTML without what it quotes."""
    plain = next((p for p in parts_of(mail, "text/plain") if not _is_attached(p)), None)
    text = _text_of(plain)[:MOST_TEXT] if plain is not None else ""
    if text.strip():
        return normalise(text)
    html = next((p for p in parts_of(mail, "text/html") if not _is_attached(p)), None)
    return _readable(_text_of(html)) if html is not None else ""


def all_text(mail: Message) -> str:
    """All plain text of a mail, one part after the other: where a report explains itself."""
    return "\n".join(_text_of(part)[:MOST_TEXT] for part in parts_of(mail, "text/plain"))


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if part.is_multipart() else []


def _is_attached(part: Message) -> bool:
    return "attachment" in str(part.get("Content-Disposition", "")).lower()


def _text_of(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return _decoded(content, part.get_content_charset("utf-8"))


def _decoded(content: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        try:
            if codecs.lookup(name).name not in NO_CHARSETS:
                return content.decode(name)
        except (LookupError, ValueError):  # no such charset, or the bytes are not in it
            continue
    return content.decode("cp1252", "replace")


def _readable(html: str) -> str:
    """HTML as text, a line ">" in the place of each quotation. Line ends in HTML mean nothing."""
    return html_to_text(" ".join(html.split()), left_out=QUOTES, mark=QUOTED)


def _values(mail: Message, name: str) -> list[str]:
    """Each header of this name on one line. Eight bits in a header are allowed to nobody."""
    found = []
    for key, raw in mail.raw_items():
        if key.lower() == name.lower():
            eight_bits = str(raw).encode("utf-8", "surrogateescape")
            found.append(" ".join(_without_encoding(_decoded(eight_bits, "utf-8")).split()))
    return found


def _without_encoding(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
