"""The models of a company, for whoever reads texts: tasks, and the command line without Prefect."""

from __future__ import annotations

from nlp.language import LinguaDetector
from nlp.reader import SharedReader, get_reader
from nlp.topics import Subject, SubjectModel
from nlp.understand import Models
from voc.company.model import TRIAGE, Company
from voc.settings import get_settings


def default_reader() -> SharedReader:
    """The process's reader; what it builds is kept in the home folder.

    Before there is a home, as where only a file is analysed, the user's cache folder serves.
    """
    home = get_settings().home
    return get_reader(home / "models" if home.is_dir() else None)


def load_models() -> None:
    """Load, and on first use build, what takes longest, now."""
    default_reader().read(["ready"])


def build_models(company: Company) -> Models:
    """The models for a company. Nothing is loaded until a text is read."""
    reader = default_reader()
    subjects = [
        Subject(id=t.id, department=t.department, texts=(t.description, *t.examples))
        for t in company.topics
    ]
    departments = {
        d.id: (d.description, *d.examples) for d in company.departments if d.id != TRIAGE
    }
    return Models(
        detector=LinguaDetector(),
        reader=reader,
        subjects=SubjectModel(subjects, departments, reader),
    )
