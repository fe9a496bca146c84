"""The documents say what is so: commands, words, states, links, licences."""

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlmodel import SQLModel

import voc.models
from apps.cli.main import app
from voc.models import FeedbackState, LoopState, MessageState, TicketState
from voc.rules.lifecycle import LOOP_ARROWS, TICKET_ARROWS
from voc.rules.messages import ARROWS
from voc.store.verify import CHECKS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ADRS = sorted(ROOT.glob("docs/adr/*.md"))
BEFORE_THE_DESK = sorted(
    path.name for path in ROOT.glob("migrations/versions/*.py") if path.name < "0005"
)
LIVES: tuple[type[StrEnum], ...] = (FeedbackState, LoopState, TicketState, MessageState)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# The command line


def commands(group: Any, words: tuple[str, ...] = ("voc",)) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, as the program itself knows them."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS: Mapping[str, Any] = dict(commands(typer.main.get_command(app)))


def options(command: Any) -> set[str]:
    return {option for each in command.params for option in each.opts if option.startswith("--")}


def arguments(command: Any) -> list[str]:
    return [
        each.metavar or each.name.upper()
        for each in command.params
        if each.param_type_name == "argument"
    ]


def sections() -> dict[str, tuple[str, str]]:
    """Of docs/cli.md by command: the heading's words after its name, and what stands below."""
    found = {}
    for block in re.split(r"^### ", read("docs/cli.md"), flags=re.MULTILINE)[1:]:
        heading, _, body = block.partition("\n")
        usage = heading.strip("`")
        name = next((n for n in COMMANDS if usage == n or usage.startswith(f"{n} ")), usage)
        found[name] = usage.removeprefix(name), re.split(r"^## ", body, flags=re.MULTILINE)[0]
    return found


def command_lines(text: str) -> Iterator[list[str]]:
    """The lines in fenced blocks that call voc, from its name on."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if called := re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(voc .*)", line):
                yield shlex.split(called[1], comments=True)


def test_the_page_of_the_command_line_names_every_command_and_no_other() -> None:
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_stands_there_with_its_arguments_and_options(name: str) -> None:
    usage, body = sections()[name]
    command = COMMANDS[name]
    assert re.findall(r"[A-Z_]+", usage) == arguments(command)
    assert set(re.findall(r"^\| `(--[\w-]+)", body, flags=re.MULTILINE)) == options(command)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_an_example(name: str) -> None:
    _, body = sections()[name]
    assert any(" ".join(line).startswith(name) for line in command_lines(body))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_what_a_document_tells_people_to_type_exists(path: Path) -> None:
    for line in command_lines(path.read_text(encoding="utf-8")):
        called = " ".join(line)
        name = next((n for n in COMMANDS if called == n or called.startswith(f"{n} ")), None)
        assert name, f"there is no command {called!r}"
        used = {word.partition("=")[0] for word in line if word.startswith("--")}
        assert used <= options(COMMANDS[name]), called


def test_what_the_documents_tell_people_to_make_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", read("Makefile"), flags=re.MULTILINE))
    told = {t for path in DOCUMENTS for t in re.findall(r"(?:^|`)make ([\w-]+)", path.read_text())}
    assert told <= targets


# The words


@pytest.mark.parametrize("name", voc.models.__all__)
def test_every_noun_stands_in_the_glossary(name: str) -> None:
    assert f"**{name}**" in read("docs/glossary.md")


def test_the_glossary_has_no_noun_that_the_code_has_not() -> None:
    nouns = re.findall(r"\*\*([A-Z]\w+)\*\*", read("docs/glossary.md"))
    assert set(nouns) <= set(voc.models.__all__)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_every_state_of_a_life_stands_in_its_table(life: type[StrEnum]) -> None:
    table = read("docs/glossary.md").partition(f"| **{life.__name__}** |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == [s.value for s in life]


# The lives, as ARCHITECTURE.md draws them


def drawn(life: str) -> set[tuple[str, str, str]]:
    """The arrows of a diagram: from, what moves it, to."""
    section = read("ARCHITECTURE.md").partition(f"### {life}\n")[2].partition("\n### ")[0]
    return {
        (state, move, to)
        for state, to, moves in re.findall(r"^ +(\w+) --> (\w+): (.+)$", section, re.MULTILINE)
        for move in moves.split(", ")
    }


def test_the_arrows_of_a_loop_are_drawn_as_they_are() -> None:
    arrows = {(state.value, move.value, to.value) for (state, move), to in LOOP_ARROWS.items()}
    assert drawn("Loop") == arrows


def test_the_arrows_of_a_ticket_are_drawn_as_they_are() -> None:
    arrows = {(state.value, move.value, to.value) for (state, move), to in TICKET_ARROWS.items()}
    assert drawn("Ticket") == arrows


def test_the_arrows_of_a_message_are_written_as_they_are() -> None:
    section = read("ARCHITECTURE.md").partition("### Message\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
    written = {state: set(re.findall(r"`(\w+)`", to)) for state, to in rows}
    assert written == {state.value: {s.value for s in to} for state, to in ARROWS.items()}


# The rest


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (path.parent / link).exists(), link


def test_the_folders_of_the_architecture_are_there() -> None:
    tree = read("ARCHITECTURE.md").partition("```\n")[2].partition("```")[0]
    top = ""
    for indent, folder in re.findall(r"^( *)([\w/]+)/ ", tree, re.MULTILINE):
        top = top if indent else folder
        assert (ROOT / (f"{top}/{folder}" if indent else folder)).is_dir(), folder


def test_every_check_of_the_books_is_explained_and_no_other() -> None:
    explained = re.findall(r"^\| \*\*(.+?)\*\* \|", read("docs/books.md"), re.MULTILINE)
    assert explained == list(CHECKS)


@pytest.mark.parametrize("path", ADRS, ids=name_of)
def test_a_decision_says_what_a_later_reader_asks(path: Path) -> None:
    headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [
        "Context",
        "Decision",
        "The probe that decided",
        "Consequences",
        "The check that enforces it",
        "Alternatives",
    ]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in ADRS]
    assert numbers == list(range(1, len(ADRS) + 1))


def test_every_index_that_came_with_the_desk_is_accounted_for() -> None:
    earlier = "".join(read(f"migrations/versions/{name}") for name in BEFORE_THE_DESK)
    decided = "".join(path.read_text(encoding="utf-8") for path in ADRS)
    names = {str(i.name) for table in SQLModel.metadata.tables.values() for i in table.indexes}
    assert [n for n in sorted(names) if n not in earlier and f"`{n}`" not in decided] == []


def licence_of(distribution: str) -> str:
    """What the installed metadata says of the licence, however it says it."""
    found = metadata(distribution)
    said = " ".join(
        each
        for field in ("License-Expression", "License", "Classifier")
        for each in found.get_all(field) or []
        if field != "Classifier" or each.startswith("License ::")
    )
    return said.replace("Apache Software License", "Apache-2.0").replace("BSD License", "BSD-3")


def test_a_library_that_was_added_is_a_dependency_under_the_licence_that_is_told() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    dependencies = {re.split(r"[<>=\[ ]", each)[0] for each in wanted}
    rows = re.findall(
        r"^\| ([\w.-]+)(?: \(tests\))? \| ((?:Apache|MIT|BSD)\S*) \|",
        read("docs/adr/0007-libraries-added.md"),
        re.MULTILINE,
    )
    assert len(rows) >= 10
    for library, licence in rows:
        assert library in dependencies
        assert licence.removesuffix("-Clause") in licence_of(library)


def test_the_notice_names_every_set_that_the_shipped_weights_were_trained_on() -> None:
    table = read("docs/models/sentiment.md").partition("name for the NOTICE |")[2]
    names = re.findall(r"\| (\S[^|]*?) \|$", table.partition("\n\n")[0], re.MULTILINE)
    works = [re.split(r" \d{4}, |, ", name)[-1] for name in names]
    assert len(works) == 7
    for work in works:
        assert work.removeprefix("UCI ") in read("NOTICE")


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = " ".join(read("LICENSE").split())
    assert text.startswith("Apache License Version 2.0, January 2004")
    for end in ("END OF TERMS AND CONDITIONS", "limitations under the License."):
        assert end in text
    assert all(f" {n}. " in text for n in range(1, 10))


def test_the_picture_can_be_read_aloud() -> None:
    picture = read("docs/loop.svg")
    labelled = re.search(r'aria-labelledby="(\S+) (\S+)"', picture)
    assert labelled
    for tag, key in zip(("title", "desc"), labelled.groups(), strict=True):
        assert re.search(rf'<{tag} id="{key}">\S[^<]+</{tag}>', picture)
