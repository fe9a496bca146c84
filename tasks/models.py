"""The models of a company, for whoever reads texts: tasks, and the command line without Prefect."""

from __future__ import annotations

from nlp.embed import get_encoder
from nlp.language import LinguaDetector
from nlp.sentiment import HeadSentiment
from nlp.topics import Subject, SubjectModel
from nlp.understand import Models
from voc.company.model import TRIAGE, Company


def load_models() -> None:
    """Load what takes long, now."""
    get_encoder().encode(["ready"])


def build_models(company: Company) -> Models:
    """The models for a company. Nothing is loaded until a text is read."""
    encoder = get_encoder()
    subjects = [
        Subject(id=t.id, department=t.department, texts=(t.description, *t.examples))
        for t in company.topics
    ]
    departments = {
        d.id: (d.description, *d.examples) for d in company.departments if d.id != TRIAGE
    }
    return Models(
        detector=LinguaDetector(),
        encoder=encoder,
        sentiment=HeadSentiment(),
        subjects=SubjectModel(subjects, departments, encoder),
    )
