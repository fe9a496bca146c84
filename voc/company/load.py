"""From a file to a `Company`, or to errors that name the line and say what would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voc.company.document import Document, Finding, NotYamlError, read_document
from voc.company.fitting import misfits
from voc.company.mistakes import mistakes
from voc.company.model import Company
from voc.errors import ConfigurationError

FILE_NAME = "voc.yaml"

Check = Callable[[Any], Iterable[Finding]]
"""Looks at the plain values of a company file, which may have the wrong types."""


class CompanyFileError(ConfigurationError):
    """The company file is wrong. One line of text for each mistake."""

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        super().__init__(path, problems)
        self.path = path
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.path}{problem}" for problem in self.problems)


def load_company(path: Path, *, also: Check = lambda _: ()) -> Company:
    """Read and validate a company file.

    Args:
        also: A further check, whose findings are reported together with ours.

    Raises:
        CompanyFileError: It cannot be read, or says something that cannot be: all mistakes.
    """
    document = _read(path)
    company, findings = None, list[Finding]()
    try:
        company = Company.model_validate(document.content)
    except ValidationError as exc:
        findings += mistakes(exc, document.content)
    findings += [*misfits(document.content), *also(document.content)]
    problems = {(document.line_of(each.path), _told(each)): None for each in findings}
    problems |= dict.fromkeys(document.duplicates())
    if problems or company is None:
        raise CompanyFileError(str(path), _lines(problems))
    return company


def _read(path: Path) -> Document:
    try:
        document = read_document(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        advice = ": there is no such file; `voc init DIR` writes one"
        raise CompanyFileError(str(path), [advice]) from None
    except UnicodeDecodeError:
        raise CompanyFileError(str(path), [": is not UTF-8 text; save it as UTF-8"]) from None
    except OSError as exc:
        raise CompanyFileError(str(path), [f": cannot be read ({exc.strerror})"]) from None
    except NotYamlError as exc:
        raise CompanyFileError(str(path), _lines(exc.problems)) from None
    if not isinstance(document.content, dict):
        what = "is empty" if document.content is None else "holds no keys with values"
        raise CompanyFileError(str(path), [f": {what}; `voc init DIR` writes one to start from"])
    return document


def _told(finding: Finding) -> str:
    return f"{'.'.join(map(str, finding.path))}: {finding.message}"


def _lines(problems: Iterable[tuple[int, str]]) -> list[str]:
    return [f", line {line}: {problem}" for line, problem in sorted(problems)]
