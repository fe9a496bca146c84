"""Subject lines in the company file: words, and ``{{ name }}`` for a few plain values."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes

SUBJECT_NAMES = ("company",)
"""What a subject may name: nothing that a customer wrote."""


def why_no_subject(template: str) -> str | None:
    """What is wrong with a subject line; None if nothing is.

    Nothing but plain names: no filter, sum, loop or condition, so none can take time or room.
    """
    try:
        # Only parsed, never run: the sandbox does that.
        tree = Environment(autoescape=False).parse(template)  # noqa: S701
    except TemplateSyntaxError:
        return "is not closed or not readable between {{ and }}"
    names: list[str] = []
    for node in _said(tree):
        if isinstance(node, nodes.Name):
            names.append(node.name)
        elif not isinstance(node, nodes.TemplateData):
            return "may hold words and {{ name }}, and nothing else between the braces"
    unknown = [name for name in names if name not in SUBJECT_NAMES]
    if unknown:
        return f"{unknown[0]!r} is not known here; there are: {', '.join(SUBJECT_NAMES)}"
    return None


def _said(tree: nodes.Template) -> Iterator[nodes.Node]:
    for node in tree.body:
        if isinstance(node, nodes.Output):
            yield from node.nodes
        else:
            yield node
