"""What must hold between the parts of a company file.

Reads plain values, whatever their types: a file with a wrong type in one place is still told
what does not fit in the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from voc.company.document import Finding, Path

TRIAGE = "triage"

Plain = Mapping[str, Any]


def misfits(content: object) -> Iterator[Finding]:
    """Every id that is used twice, and every name that leads nowhere."""
    departments = _ids(content, "departments")
    if departments and TRIAGE not in departments:
        message = "one must have the id 'triage': it gets what no other is sure to own"
        yield Finding(("departments",), message)
    for key in ("departments", "topics", "touchpoints", "sources", "experiments"):
        yield from _repeated_ids(content, key)
    for path, topic in parts(content, "topics"):
        yield from _unknown(path, topic, "department", departments)
    for path, source in parts(content, "sources"):
        yield from _unknown(path, source, "touchpoint", _ids(content, "touchpoints"))
    for path, rule in parts(content, "routing", "rules"):
        yield from _unknown(path, rule, "department", departments)
        when = rule.get("when")
        if isinstance(when, Mapping):
            for key in ("topic", "source", "touchpoint"):
                yield from _unknown((*path, "when"), when, key, _ids(content, f"{key}s"))


def missing_secrets(content: object, secret: Callable[[str], str | None]) -> Iterator[Finding]:
    """Sources that name an environment variable which is not set."""
    for path, source in parts(content, "sources"):
        variable = source.get("token_env")
        if isinstance(variable, str) and variable.isupper() and not secret(variable):
            message = f"the environment variable {variable} is not set; put the token into it"
            yield Finding((*path, "token_env"), message)


def unwritten_languages(content: object, written: Iterable[str]) -> Iterator[Finding]:
    """Languages for which there are no templates of mails."""
    known = tuple(written)
    policy = content.get("follow_up") if isinstance(content, Mapping) else None
    languages = policy.get("languages") if isinstance(policy, Mapping) else None
    for i, language in enumerate(languages if isinstance(languages, list) else ()):
        if isinstance(language, str) and language not in known:
            message = f"there are no mails in {language!r}; there are in: {', '.join(known)}"
            yield Finding(("follow_up", "languages", i), message)


def parts(content: object, *keys: str) -> list[tuple[Path, Plain]]:
    """The mappings in the list at *keys*, each with its path."""
    node = content
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    if not isinstance(node, list | tuple):
        return []
    return [((*keys, i), part) for i, part in enumerate(node) if isinstance(part, Mapping)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about a name that is not known."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]!r}? (there are: {', '.join(names)})"
    return f"there are: {', '.join(names)}" if names else "there are none"


def _ids(content: object, key: str) -> list[str]:
    found = [part.get("id") for _, part in parts(content, key)]
    return [each for each in found if isinstance(each, str)]


def _repeated_ids(content: object, key: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, part in parts(content, key):
        name = part.get("id")
        if isinstance(name, str):
            if name in seen:
                yield Finding((*path, "id"), f"{name!r} is used twice; give one another id")
            seen.add(name)


def _unknown(path: Path, part: Plain, key: str, known: Iterable[str]) -> Iterator[Finding]:
    name = part.get(key)
    if isinstance(name, str) and name not in known:
        yield Finding((*path, key), f"{name!r} is not known here; {did_you_mean(name, known)}")
