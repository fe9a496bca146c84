"""Templates to words. Pure: same context, same words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from functools import lru_cache

import css_inline

from notifications.contexts import Context, MailContext
from notifications.sandbox import rendered, templates

LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]*:(?:/|\S*[./@])\S*|\bwww\.\S+|(?<!\w)[^\W_][\w-]*(?:\.[\w-]+)*\.[^\W\d_]{2,24}\b(?:[/?#:]\S*)?",
    re.IGNORECASE,
)
JOINERS = "\u200c\u200d"  # invisible, and needed to write Persian, Hindi and many emoji


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(context: MailContext) -> Rendered:
    """Render the three parts of *context*'s mail in its language.

    Raises:
        jinja2.TemplateError: The template is missing, or wants a word that the context lacks.
    """
    return Rendered(
        subject=render_title(context),
        text=re.sub(r"\n{3,}", "\n\n", render_part(context, "body.txt")) + "\n",
        html=_inliner().inline(render_part(context, "body.html")),
    )


def render_title(context: Context) -> str:
    """The subject line: what a message is called."""
    return " ".join(render_part(context, "subject.txt").split())


def render_line(context: Context, part: str, *, block: str | None = None) -> str:
    """One part of a message, or a block of it, on one line."""
    return " ".join(render_part(context, part, block=block).split())


def render_part(context: Context, part: str, *, block: str | None = None) -> str:
    """One part of *context*'s template in its language: ``body.txt``.

    Raises:
        jinja2.TemplateError: The template is missing, or wants a word that the context lacks.
    """
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    template = templates().get_template(f"{context.template}/{context.language}/{part}")
    return rendered(template, values, block=block).strip()


def clean(text: str) -> str:
    """Someone's words without what cannot be seen: controls, and marks that turn other text.

    Line ends stay.
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        c
        for c in composed
        if c == "\n"
        or c in JOINERS
        or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ).strip()


def without_links(text: str) -> str:
    """A customer's words without what a mail program or a telephone would make a link of.

    Whoever writes feedback under another's address must not reach them with a link in our name.
    """
    return LINK.sub("[…]", text)


def shorten(text: str, length: int) -> str:
    """*text* on one line, cut at a word's end if it is longer than *length*."""
    line = " ".join(clean(text.replace("\t", " ")).split())
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
