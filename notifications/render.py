"""Templates to words. Pure: same context, same words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from functools import lru_cache

import css_inline
from jinja2 import PackageLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifications.contexts import Context

JOINERS = "\u200c\u200d"  # invisible, and needed to write Persian, Hindi and many emoji


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(context: Context) -> Rendered:
    """Render the three parts of *context*'s template in its language.

    Raises:
        jinja2.TemplateError: The template is missing, or wants a word that the context lacks.
    """
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    folder = f"{context.template}/{context.language}"

    def part(name: str) -> str:
        return _templates().get_template(f"{folder}/{name}").render(values).strip()

    return Rendered(
        subject=" ".join(part("subject.txt").split()),
        text=re.sub(r"\n{3,}", "\n\n", part("body.txt")) + "\n",
        html=_inliner().inline(part("body.html")),
    )


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


def shorten(text: str, length: int) -> str:
    """*text* on one line, cut at a word's end if it is longer than *length*."""
    line = " ".join(clean(text.replace("\t", " ")).split())
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


@lru_cache(maxsize=1)
def _templates() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=PackageLoader("notifications"),
        autoescape=select_autoescape(("html",), default_for_string=False),
        undefined=StrictUndefined,  # a misspelt name is an error, not a blank in someone's inbox
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
