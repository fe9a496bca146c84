"""What people type into our pages, read with all its mistakes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from voc.models import Answer, Verdict
from voc.text import normalise

MAX_WORDS = 5_000
MAX_REASON = 2_000
MAX_REFUSAL = 500
PRESSABLE = (Verdict.SOLVED, Verdict.NOT_SOLVED)
RATINGS = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm:
    """An answer as it was typed. `errors`: by field the key of what to say."""

    verdict: str = ""
    rating: str = ""
    words: str = field(default="", repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_error(self) -> str | None:
        return next(iter(self.errors), None)

    @property
    def rating_given(self) -> int | None:
        return int(self.rating) if self.rating else None


def read_answer(verdict: str, rating: str, words: str) -> AnswerForm:
    """Rating and words may be empty, the verdict may not."""
    words = normalise(words)
    errors = {}  # in the order of the page: the first one gets the focus
    if rating not in {"", *RATINGS}:
        errors["rating"] = "answer.error_rating"
    if len(words) > MAX_WORDS:
        errors["words"] = "answer.error_words"
    if verdict not in PRESSABLE:
        errors["verdict"] = "answer.error_verdict"
    return AnswerForm(verdict=verdict, rating=rating, words=words, errors=errors)


def as_form(answer: Answer | None) -> AnswerForm:
    """An earlier answer, to be changed."""
    if answer is None:
        return AnswerForm()
    return AnswerForm(
        verdict=answer.verdict, rating=str(answer.rating or ""), words=answer.words or ""
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerForm:
    """What an owner typed. `errors`: by field what to say."""

    department: str = ""
    root_cause: str = ""
    action_taken: str = ""
    who: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_error(self) -> str | None:
        return next(iter(self.errors), None)


def read_reassign(department: str, choices: set[str]) -> OwnerForm:
    known = department in choices
    errors = {} if known else {"department": "Choose the department that owns this."}
    return OwnerForm(department=department if known else "", errors=errors)


def read_taker(who: str, people: Container[str]) -> OwnerForm:
    """Who takes a ticket, where the link does not say it."""
    known = who in people
    errors = {} if known else {"who": "Choose who takes it."}
    return OwnerForm(who=who if known else "", errors=errors)


def read_resolve(root_cause: str, action_taken: str) -> OwnerForm:
    """Both are required: without them nobody learns, and the customer is told nothing."""
    typed = {"root_cause": normalise(root_cause), "action_taken": normalise(action_taken)}
    missing = {"root_cause": "Say what caused it.", "action_taken": "Say what was done about it."}
    errors = {}
    for name, text in typed.items():
        if not text:
            errors[name] = missing[name]
        elif len(text) > MAX_REASON:
            errors[name] = f"This has {len(text):,} characters; {MAX_REASON:,} fit."
    return OwnerForm(errors=errors, **typed)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionForm:
    """What an approver decided of which version. `errors`: by field what to say."""

    deed: str = ""
    why: str = ""
    seen: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def read_decision(deed: str, why: str, seen: str) -> DecisionForm:
    """To refuse, a reason is required: whoever has to do better must know what was wrong."""
    typed = normalise(why)
    errors = {}
    if deed not in {"approve", "refuse"}:
        errors["deed"] = "Choose one of the two buttons."
    elif deed == "refuse" and not typed:
        errors["why"] = "Say why it should not be sent."
    elif deed == "refuse" and len(typed) > MAX_REFUSAL:
        errors["why"] = f"This has {len(typed):,} characters; {MAX_REFUSAL:,} fit."
    return DecisionForm(deed=deed, why=typed, seen=seen, errors=errors)
