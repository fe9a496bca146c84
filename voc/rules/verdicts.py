"""What a customer's own words say to "is this solved?": yes, no, or a person has to read them.

Conservative on purpose: the first sentence must be one that is listed here, and nothing after it
may take it back. All else is unclear, and unclear words close nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from voc.models import Verdict


def _said(*parts: str) -> frozenset[str]:
    """All sentences of one choice each: ``_said("it is|all is", "solved|fine")`` are four."""
    choices = product(*(part.split("|") for part in parts))
    return frozenset(" ".join(words for words in choice if words) for choice in choices)


_IT = "it|that|this|everything|all|the issue|my issue|the problem|my problem|my case|my order"
_SOLVED = "solved|resolved|fixed|sorted|sorted out|settled|okay|ok|fine|good|done"
_ES = "es|das|alles|das problem|mein problem|das anliegen|mein anliegen|die sache"
_GELOEST = "gelöst|geloest|erledigt|behoben|geklärt|geklaert|in ordnung|okay|ok|gut"
_EL = "|todo|el problema|mi problema|el asunto|esto|eso"
_RESUELTO = "resuelto|solucionado|arreglado"
SOLVED = (
    _said("yes|yep|yeah|yup", "|it is|it was|it did|it has|all good|absolutely|definitely|indeed")
    | _said("|yes", "solved|resolved|fixed|sorted|sorted out|all good|all fine")
    | _said("|yes", _IT, "is|was|has been|got", _SOLVED)
    | _said("|yes", _IT, "works|works fine|works well|is working|worked")
    | _said("|yes", "it|that|this|you", "solved|fixed|resolved", "it|this|that|my problem")
    | _said("ja|jawohl|jo|jep", "|ist es|hat es|alles gut|passt|alles bestens|natürlich")
    | _said("|ja", "gelöst|geloest|erledigt|behoben|geklärt|alles gut|alles bestens|passt alles")
    | _said("|ja", _ES, "ist|wurde|hat sich", _GELOEST)
    | _said("|ja", "hat sich", "erledigt|geklärt|geklaert")
    | _said("|ja", "es|das|alles", "funktioniert|klappt|passt|geht")
    | _said("sí|si", "|claro|lo está|todo bien|todo perfecto")
    | _said("|sí|si", _EL, "|está|esta|ha sido|quedó|quedo|se ha", _RESUELTO)
    | _said("|sí|si", "todo", "|está", "bien|perfecto")
    | _said("|sí|si", "|todo", "funciona", "|bien|perfectamente")
)
NOT_SOLVED = (
    _said(
        "no|nope", "|not really|not at all|it is not|it was not|it did not|it does not|it has not"
    )
    | _said("not", "solved|resolved|fixed|sorted|settled|okay|ok|good|really|at all")
    | _said("|no", _IT, "is not|was not|has not been|is never", _SOLVED)
    | _said("|no", _IT, "does not|did not", "work|help|solve it|solve anything|solve my problem")
    | _said("|no", "|it is|i am|i have", "still", "broken|unsolved|unresolved|waiting|missing|open")
    | _said("|no", "|it is|it does", "still not", "solved|resolved|fixed|working|work|here|okay")
    | _said("nein", "|ist es nicht|hat es nicht|nicht wirklich|gar nicht|nicht")
    | _said("|nein", "nicht", _GELOEST)
    | _said("|nein", _ES, "ist|wurde|hat sich", "nicht", _GELOEST)
    | _said("|nein", "es|das", "funktioniert|klappt|geht|passt|hilft", "nicht")
    | _said("no", "|lo está|del todo|para nada")
    | _said("|no", _EL, "no|sin", "|está|esta|ha sido|se ha|quedó|quedo", f"{_RESUELTO}|resolver")
    | _said("|no", "no", "funciona|me ayuda|me ayudó")
    | _said("|no", _EL, "sigue", "igual|mal|sin resolver|sin funcionar|sin solución")
)
FILLERS = _said(
    "now|already|again|finally|completely|fully|perfectly|really|indeed|jetzt|nun|endlich"
) | _said("wieder|inzwischen|vollständig|ya|ahora|por|fin|completamente")
"""Words that change neither a yes nor a no."""
REGRETS = _said(
    "yet|anymore|unfortunately|sadly|sorry|please|leider|noch|immer|bisher|weiterhin|bitte"
) | _said("lamentablemente|todavía|todavia|aún|aun")
"""Words that leave a no as it is, but not a yes: "yes, please" and "ja, leider"."""
COURTESY = re.compile(
    r"(hi|hello|hey|dear|good (morning|day|evening)|hallo|guten (tag|morgen|abend)|moin|liebe[rs]?|"
    r"sehr geehrte\w*|hola|buen[oa]s (días|tardes|noches)|estimad[oa]s?"
    r"|(many |vielen |herzlichen |besten |muchas )?(thanks?|thx|danke?|gracias))\b.{0,60}"
)
TAKES_BACK = re.compile(
    r"\b(but|however|although|though|except|still|not|never|no|yet|wrong|unless|again|until|"
    r"aber|jedoch|allerdings|trotzdem|außer|ausser|nicht|nie|kein\w*|noch|leider|erneut|nur|"
    r"pero|sin|aunque|excepto|sigue|todavía|todavia|aún|nunca|ningún|ninguna|salvo)\b|\?"
)
APART = {"n't": " not", "'s": " is", "'m": " am", "'re": " are", "'ve": " have"}


def verdict_of(words: str) -> Verdict:
    """What the first sentence says, if nothing after it takes it back; else UNCLEAR.

    Args:
        words: The customer's own, without what they quote and without their signature.
    """
    sentences = _sentences(words)
    first = next(iter(sentences), "")
    if _is_one_of(NOT_SOLVED, first, FILLERS | REGRETS):
        doubt = any(_is_one_of(SOLVED, each, FILLERS) for each in sentences[1:])
        return Verdict.UNCLEAR if doubt else Verdict.NOT_SOLVED
    if _is_one_of(SOLVED, first, FILLERS) and not TAKES_BACK.search(" ".join(sentences[1:])):
        return Verdict.SOLVED
    return Verdict.UNCLEAR


def _is_one_of(listed: frozenset[str], sentence: str, fillers: frozenset[str]) -> bool:
    """Whether the sentence is listed, as it is or without the words that change nothing."""
    words = sentence.split()
    return sentence in listed or " ".join(w for w in words if w not in fillers) in listed


def _sentences(words: str) -> Sequence[str]:
    """Sentences in small letters, less punctuation, greetings and thanks; a line ends one, too."""
    text = words.casefold().replace("\u2019", "'")
    for short, long in APART.items():
        text = text.replace(short, long)
    found = []
    for part in re.split(r"[\n.!;]+", text):
        clauses = [_plain(clause) for clause in re.split(r"[,:\u2013\u2014]", part)]
        if kept := [clause for clause in clauses if clause and not _is_courtesy(clause)]:
            found.append(" ".join(kept))
    return found


def _plain(clause: str) -> str:
    return " ".join(re.sub(r"[^\w?]", " ", clause).split())


def _is_courtesy(clause: str) -> bool:
    """A greeting or thanks, unless it goes on: "thanks but it is still broken"."""
    return bool(COURTESY.fullmatch(clause)) and not TAKES_BACK.search(clause)
