"""Names of `nlp.routing` for those who only ask it: subjects, guesses, and the model."""

from nlp.routing.model import SubjectModel
from nlp.routing.subjects import NO_GUESS, Guess, Subject, soft_maximum

__all__ = ["NO_GUESS", "Guess", "Subject", "SubjectModel", "soft_maximum"]
