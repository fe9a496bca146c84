"""Where templates run: they can do little, take little room, and name nothing that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import PackageLoader, StrictUndefined, Template, TemplateRuntimeError, select_autoescape
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from voc.company.subjects import why_no_subject

LONGEST = 200_000  # bytes that one part of a message may have


class _Sandbox(ImmutableSandboxedEnvironment):
    """Also refuses sums that grow without end: 9**9**9, and a text times a number."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(isinstance(each, int | float) for each in (left, right)):
            raise SecurityError(f"{operator} is not for templates")
        return super().call_binop(context, operator, left, right)


@lru_cache(maxsize=1)
def templates() -> ImmutableSandboxedEnvironment:
    """Our own templates. A misspelt name is an error, not a blank in someone's inbox."""
    return _Sandbox(
        loader=PackageLoader("notifications"),
        autoescape=select_autoescape(("html",), default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(template: Template, values: Mapping[str, Any], *, block: str | None = None) -> str:
    """What *template*, or one block of it, makes of *values*.

    Raises:
        jinja2.TemplateError: A word is missing, something is not allowed, or it is too long.
    """
    context = template.new_context(dict(values))
    root = template.root_render_func if block is None else template.blocks[block]
    parts, size = list[str](), 0
    for part in root(context):
        size += len(part.encode(errors="surrogatepass"))
        if size > LONGEST:
            raise TemplateRuntimeError(f"longer than {LONGEST:,} bytes")
        parts.append(part)
    return "".join(parts)


def render_subject(template: str, context: Mapping[str, str | int | float]) -> str:
    """A subject line from the company file, on one line. Its values are plain.

    Raises:
        jinja2.TemplateError: It is more than words and plain names, or a name is not known.
    """
    if why := why_no_subject(template):
        raise SecurityError(why)
    line = rendered(templates().from_string(template), context)
    return " ".join(line.split())
