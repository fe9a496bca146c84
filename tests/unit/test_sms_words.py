"""Whoever asks for silence gets it; whoever might, is read by a person; nobody else is silenced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.rules.sms_words import HELPS, STARTS, STOPS, Asks, asks_for

PLAIN_STOPS = """
STOP
Stop.
stop!
"Stop"
STOP STOP STOP
stop please
Please stop
\uff33\uff34\uff2f\uff30
s\u200btop
Quit
END
Revoke
opt out
OPT-OUT
Opt out please
optout
Cancel
UNSUBSCRIBE
Unsubscribe me
please unsubscribe me!
Stop all
StopAll
please stop texting
Please stop texting me
No. Stop texting me
Not solved! Please remove me
Stop sending me these messages
stop contacting me
stop messaging this number
stop spamming me
do not text me
Don't text me again
don\u2019t contact me
never write to me again
I don't want any more messages
No more texts
no more messages please
Take me off your list
remove me from this list
Remove me
I want to unsubscribe
Leave me alone
Stopp
Stopp!
Abmelden
abmelden bitte
Bitte keine SMS mehr
Keine Nachrichten mehr!
Schreiben Sie mir nicht mehr
Bitte mich abmelden
Baja
BAJA por favor
Parar
No me escriban más
No más
no quiero recibir más mensajes
Deje de enviarme mensajes
Arrêt
ARRET
Arrêtez
arrêtez de m'envoyer des SMS
Plus de SMS svp
Ne m'écrivez plus
Désabonner
Basta
basta messaggi
Non scrivetemi più
Annulla
Disiscrivimi
Afmelden
Geen berichten meer
geen sms meer aub
Uitschrijven
Sair
Não me envie mais
Pare de me mandar mensagens
Avsluta
""".strip().splitlines()

FOR_A_PERSON = """
stop by the shop and it works
Don't stop texting me, I like it
I did not ask you to stop
I want to cancel my order
The bus stop is too far away from your shop
When does this end?
Can you remove the broken chair please, it stands in my hall since Monday and nobody came
I will quit my contract if the courier is rude again
Wann hört das auf? Ich will abbestellen, was ich bestellt habe
Ich möchte meine Bestellung abbestellen
¿Puedo cancelar el pedido?
La machine fait un arrêt toutes les cinq minutes
Il treno non ferma qui
Ik wil mijn bestelling stoppen
Posso cancelar a compra?
My parcel came late again and I am fed up, and also stop texting me about surveys every single week
""".strip().splitlines()

ANSWERS = """
Yes, thank you
It works now
Not solved. The soup was cold again
1
ok
Danke, alles gut
Todavía no funciona
Toujours en panne
It needs more help than that
The information was wrong
I started it again and it works

👍
""".splitlines()[1:]


@pytest.mark.parametrize("text", PLAIN_STOPS)
def test_a_plain_wish_for_silence_is_one_in_any_language_and_spelling(text: str) -> None:
    assert asks_for(text) is Asks.STOP


@pytest.mark.parametrize("text", FOR_A_PERSON)
def test_what_only_might_be_a_wish_for_silence_is_for_a_person(text: str) -> None:
    assert asks_for(text) is Asks.PERHAPS_STOP


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_silences_nobody(text: str) -> None:
    assert asks_for(text) is Asks.NOTHING


@pytest.mark.parametrize("text", ["START", "start!", "Unstop", "Start please", "Anmelden", "ALTA"])
def test_who_wants_to_hear_from_us_again_says_start(text: str) -> None:
    assert asks_for(text) is Asks.START


@pytest.mark.parametrize("text", ["HELP", "help?", "Info", "Hilfe!", "ayuda por favor", "Aide"])
def test_help_is_asked_for_in_several_languages(text: str) -> None:
    assert asks_for(text) is Asks.HELP


def test_a_keyword_asks_for_one_thing() -> None:
    assert not STOPS & STARTS
    assert not STOPS & HELPS
    assert not STARTS & HELPS


@given(
    st.sampled_from(sorted(STOPS)),
    st.text(alphabet=" \t\n.!?,;:'\"-*\u200b\u2066\u2069", max_size=6),
    st.text(alphabet=" \t\n.!?,;:'\"-*\u200b\u2066\u2069", max_size=6),
)
def test_case_and_punctuation_hide_no_wish_for_silence(word: str, before: str, after: str) -> None:
    assert asks_for(before + word.upper() + after) is Asks.STOP


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert asks_for(text) in set(Asks)
