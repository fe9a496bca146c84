"""What a text message asks of us: silence, to hear from us again, help; or it answers us.

Whoever wants silence gets it, in whatever plain words they say so. Where the words only might
mean that, a person reads them: a wish for silence is never taken for chatter.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Asks(StrEnum):
    """What somebody asks of us with a text."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    PERHAPS_STOP = "perhaps_stop"  # a word of stopping, but not plainly to us
    NOTHING = "nothing"  # it is an answer


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Accents are stripped and letters are small, here as in what is read: arrêt is arret.
STOPS = _words(
    "stop stopall quit end revoke optout cancel unsubscribe remove "  # en
    "stopp stoppen abmelden abbestellen abmeldung aufhoren "  # de
    "baja alto parar pare cancelar desuscribir desuscribirme "  # es
    "arret arreter arretez desabonner desabonnement desinscription desinscrire "  # fr
    "basta annulla cancella cancellami disiscrivi disiscrivimi ferma "  # it
    "afmelden uitschrijven ophouden "  # nl
    "sair remover descadastrar desinscrever cancele "  # pt
    "avsluta avregistrera slutt avmeld afmeld lopeta wypisz koniec rezygnuje"  # sv no da fi pl
)
STOP_PHRASES = frozenset(
    {
        "opt out",
        "opting out",
        "stop all",
        "no more",
        "leave me alone",
        "hor auf",
        "horen sie auf",
        "keine sms mehr",
        "darme de baja",
        "dar de baja",
        "no mas",
        "laissez moi tranquille",
        "me desinscrire",
        "lasciatemi in pace",
        "laat me met rust",
        "me deixe em paz",
    }
)
STARTS = _words("start unstop anmelden alta iniciar reprendre riprendi aanmelden voltar")
HELPS = _words("help info hilfe ayuda aide aiuto hulp ajuda hjalp pomoc apua")
POLITE = _words(
    "please pls plz thanks thank you now me my number us bitte danke jetzt mich por favor gracias "
    "ya me merci svp s il vous plait me per favore grazie aub alstublieft dank je obrigado ok hi "
    "hello hallo hola bonjour ciao the all"
)

_THINGS = r"(?:texts?|texting|messag\w*|sms|contact\w*|mails?|emails?|reminders?)"
INTENTS = re.compile(
    "|".join(
        (
            r"\bstop (?:the |these |this |those |all |your |sending |with )*" + _THINGS,
            r"\bstop (?:sending|writing|contacting|bothering|spamming|calling|pestering)\b",
            r"\b(?:do not|dont|don t|never|no longer) (?:ever )?(?:text|message|contact|write|sms|"
            r"mail|email)(?: to)? (?:me|us|this number)\b",
            r"\b(?:do not|dont|don t) (?:want|wish)(?: to (?:get|receive|hear))? "
            r"(?:any |more |these |your |from |you |any more )*" + _THINGS,
            r"\bno (?:more|further) " + _THINGS,
            r"\b(?:take|remove|delete) (?:me|us|my number|this number)\b"
            r"(?=.*\b(?:off|from|list)\b|$)",
            r"\b(?:unsubscribe|opt) (?:me|us|my number)(?: out)?\b",
            r"\bi (?:want|wish|would like) to (?:unsubscribe|opt out)\b",
            r"\bkeine (?:\w+ )?(?:sms|nachricht\w*|text\w*|mails?|werbung) mehr\b",
            r"\bschreib\w* (?:sie |ihr )?(?:mir|uns) nicht(?:s)? mehr\b",
            r"\bmich (?:bitte )?(?:abmelden|austragen|abbestellen)\b",
            r"\b(?:no|deje\w*|paren|dejen) (?:de )?(?:me )?(?:mand\w*|envi\w*|escrib\w*)"
            r"(?:me)?(?: mas)?(?: (?:mensajes|sms))?\b",
            r"\bno (?:quiero|deseo) (?:recibir )?(?:mas )?(?:mensajes|sms)\b",
            r"\bplus (?:de|aucun) (?:sms|messages?|textos?)\b",
            r"\bne m (?:ecri\w*|envoy\w*|contact\w*) plus\b",
            r"\b(?:arretez|cessez) de m (?:ecri\w*|envoy\w*|contact\w*)",
            r"\bnon (?:mi )?(?:scriv\w*|mand\w*|invi\w*)(?:mi)?(?: \w+)? piu\b",
            r"\b(?:basta|niente piu|non voglio(?: piu)?(?: ricevere)?) (?:sms|messaggi)\b",
            r"\bgeen (?:\w+ )?(?:sms\w*|berichten|tekst\w*) meer\b",
            r"\bstop(?: a\w*b)? met (?:sms\w*|berichten|sturen|schrijven)\b",
            r"\bnao (?:me )?(?:envi\w*|mand\w*|escrev\w*)(?: me)? mais\b",
            r"\b(?:pare|parem) de (?:me )?(?:envi\w*|mand\w*|escrev\w*)",
            r"\bnao quero (?:receber )?(?:mais )?(?:mensagens|sms)\b",
        )
    )
)
NEGATED = re.compile(
    r"\b(?:not|never|dont|don t|didn t|nicht|no|ne|non|niet|nao) (?:\w+ ){0,4}stop"
)
SENTENCE_END = re.compile(r"[.!?;\n]+")
SHORT = 12
"""Words in which a wish for silence is the whole message; in a longer one it is one of several."""


def asks_for(text: str) -> Asks:
    """What the sender of a text wants, whatever its case, accents and punctuation."""
    said = _plain(text)
    words = said.split()
    core = [word for word in words if word not in POLITE]
    if not core:
        return Asks.NOTHING
    if len(set(core)) == 1 and core[0] in STOPS | STARTS | HELPS:
        return _KEYWORDS[core[0]]
    if " ".join(core) in STOP_PHRASES or said in STOP_PHRASES:
        return Asks.STOP
    each = [said, *map(_plain, SENTENCE_END.split(text))]  # "No. Stop it" is no "do not stop it"
    if any(map(_is_plain_wish, each)) and len(words) <= SHORT:
        return Asks.STOP
    has_phrase = any(f" {phrase} " in f" {said} " for phrase in STOP_PHRASES)
    if has_phrase or INTENTS.search(said) or STOPS & set(words):
        return Asks.PERHAPS_STOP
    return Asks.NOTHING


def _is_plain_wish(sentence: str) -> bool:
    return bool(INTENTS.search(sentence)) and not NEGATED.search(sentence)


_KEYWORDS = (
    dict.fromkeys(STOPS, Asks.STOP)
    | dict.fromkeys(STARTS, Asks.START)
    | dict.fromkeys(HELPS, Asks.HELP)
)


def _plain(text: str) -> str:
    """Small letters without accents, words apart by one space."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in letters if not unicodedata.combining(c) and not _is_format(c))
    return " ".join(re.findall(r"\w+", bare))


def _is_format(character: str) -> bool:
    """Zero-width and direction marks, which phones add without anybody seeing them."""
    return unicodedata.category(character) == "Cf"
