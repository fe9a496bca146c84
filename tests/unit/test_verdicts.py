"""Yes, no, or a person has to read it: what a reply's first words say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.models import Verdict
from voc.rules.verdicts import NOT_SOLVED, SOLVED, verdict_of

YES = [
    "Yes",
    "yes!",
    "Yes, thanks a lot!",
    "Hi Noodles team,\n\nyes, it is solved now. Thank you!\nKim",
    "Hello,\nit's solved. Have a nice day",
    "That fixed it, thank you.",
    "Everything works again. Best wishes",
    "All good 👍",
    "Ja, danke!",
    "Guten Tag,\nja, das Problem ist jetzt gelöst.\nVielen Dank",
    "Hat sich erledigt. Danke!\nDas Problem hat sich erledigt.",
    "Alles gut, danke Ihnen.",
    "Sí, muchas gracias",
    "Hola,\nya está resuelto. Gracias.",
    "Todo funciona perfectamente.",
]
NO = [
    "No",
    "No, it is not solved.",
    "Hello,\n\nunfortunately it isn't fixed yet. The courier came late again.",
    "Still broken.",
    "No. I'm still waiting.",
    "It doesn\u2019t work",
    "Nein, leider nicht.",
    "Guten Tag, nein, das Problem ist noch immer nicht gelöst.",
    "Es funktioniert leider nicht.",
    "No, todavía no está resuelto",
    "Hola, no funciona.",
]
UNCLEAR = [
    "",
    "…",
    "Thank you",
    "Thanks, I will try it tomorrow.",
    "Yes, but the courier was late again.",
    "Yes.\nBut nobody called me.",
    "It is solved. Is my refund on its way?",
    "Yes and no",
    "No, it is solved",
    "No. It is solved.",
    "No problem, it works",
    "Not bad",
    "It would be solved if somebody called me",
    "Almost solved",
    "Solved? You must be joking.",
    "What did you do exactly?",
    "Yesterday the parcel came.",
    "I said it is solved only when I get my money back",
    "Ja, aber es dauert zu lange.",
    "Ja nein vielleicht",
    "Nichts ist gelöst",
    "Sí, pero falta el reembolso",
    "Si me llaman, hablamos",
    "No sé",
    "No worries",
    "No thanks",
    "No comment, call me",
    "Yes please",
    "Ja, leider",
    "Ja bitte!",
    "It is solved, unfortunately",
]


@pytest.mark.parametrize("words", YES)
def test_words_that_say_it_is_solved(words: str) -> None:
    assert verdict_of(words) is Verdict.SOLVED


@pytest.mark.parametrize("words", NO)
def test_words_that_say_it_is_not(words: str) -> None:
    assert verdict_of(words) is Verdict.NOT_SOLVED


@pytest.mark.parametrize("words", UNCLEAR)
def test_all_else_is_for_a_person(words: str) -> None:
    assert verdict_of(words) is Verdict.UNCLEAR


def test_no_sentence_says_both() -> None:
    assert not SOLVED & NOT_SOLVED


@given(st.sampled_from(sorted(SOLVED)), st.sampled_from(["but", "aber", "pero", "however"]))
def test_a_but_takes_any_yes_back(yes: str, but: str) -> None:
    assert verdict_of(f"{yes}. {but} something is missing") is Verdict.UNCLEAR
    assert verdict_of(f"{yes}, {but} something is missing") is Verdict.UNCLEAR


@given(st.text(max_size=200))
def test_any_text_has_a_verdict(words: str) -> None:
    assert verdict_of(words) in set(Verdict)
