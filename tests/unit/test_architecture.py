"""What import-linter cannot see: sizes, names, and errors that travel between processes."""

import importlib
import inspect
import pickle
import pkgutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

LONGEST = 300
LONG = {
    "migrations/versions/0001_first_tables.py": "one table after another, written by Alembic",
    "migrations/versions/0005_desk.py": "one release of tables, columns and indexes, up and down",
}
CALLED_BY_TASKS = ("voc", "nlp", "sources", "notifications")
"""What they raise, Prefect carries between processes."""


def modules(package: str) -> Iterator[ModuleType]:
    """The module, and all below it."""
    module = importlib.import_module(package)
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{package}."):
        if not found.name.endswith(".__main__"):  # importing it runs it
            yield importlib.import_module(found.name)


def errors() -> list[type[Exception]]:
    """Every exception class that is defined below the tasks."""
    found = {
        value
        for package in CALLED_BY_TASKS
        for module in modules(package)
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda each: f"{each.__module__}.{each.__qualname__}")


def example(error: type[Exception]) -> Exception:
    """One with something to say for each argument that it needs."""
    if not inspect.isfunction(error.__init__):  # as the standard library wrote it
        return error("the sofa is late: ask the courier")
    parameters = [
        each
        for each in inspect.signature(error).parameters.values()
        if each.kind != each.KEYWORD_ONLY
    ]
    values = {"int": 7, "Sequence[str]": ["one", "two"], "Sequence[tuple[int, str]]": [(1, "one")]}
    return error(*(values.get(str(p.annotation), p.name) for p in parameters))


@pytest.mark.parametrize("error", errors(), ids=lambda e: f"{e.__module__}.{e.__name__}")
def test_an_error_comes_out_of_another_process_as_it_went_in(error: type[Exception]) -> None:
    raised = example(error)
    arrived = pickle.loads(pickle.dumps(raised))  # noqa: S301 (our own)
    assert type(arrived) is error
    assert str(arrived) == str(raised)
    assert vars(arrived) == vars(raised)


def test_a_long_module_has_a_reason_and_a_reason_has_a_long_module() -> None:
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for package in [*PACKAGES, "benchmarks"]
        for path in (ROOT / package).rglob("*.py")
    }
    assert {name for name, n in lines.items() if n > LONGEST} == set(LONG)


def test_no_module_in_flows_hides_a_standard_module_or_a_package_of_ours() -> None:
    names = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert names
    assert not names & {*sys.stdlib_module_names, *sys.builtin_module_names, *PACKAGES}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_of_ours_comes_from_nowhere_else(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"vocloop"}
    file = importlib.import_module(package).__file__
    assert file
    assert Path(file).parent == ROOT / package


def test_every_package_is_shipped_and_checked() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert folders == set(PACKAGES)
    checked = PROJECT["tool"]["mypy"]["packages"]
    assert folders - set(checked) == {"migrations"}
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == set(checked)
