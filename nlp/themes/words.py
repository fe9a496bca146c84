"""Words that name no theme, and forms of one word. English, as the encoder is."""

from __future__ import annotations

from collections.abc import Sequence

NAMES_A_THEME = frozenset(
    """
    amount back bill bottom call describe detail empty fill fire front full interest move name show
    side system thick thin top
    """.split()  # noqa: SIM905
)
"""What scikit-learn counts among its stop words and customers mean."""
SMALL_TALK = frozenset(
    """
    absolutely actually ago allowed amp anybody apparently ask asked asking available bad basically
    believe best better big bit came cant care cause come comes coming completely couldnt couple day
    days dear definitely did didnt different does doesnt doing dont em especially etc exactly
    expected extremely fact far feel feeling find fine fix folks found fyi gave gets getting given
    gives giving glad god goes going gone gonna good got gotten great guess guy guys haha half
    happen happened happening happens hate havent having hear hello help hey hi hope hour hours http
    https idea idk im imagine important information instead isnt ive just keeps kept kidding kind
    kinda knew know known knows later learn let lets like liked literally little lol long longer
    look looked looking looks lot lots love loved luck make makes making matter maybe mean means
    mention min mind mins minute minutes miss moment month months morning multiple near need needed
    needs new nice night nope normal number obviously officially ok okay old omg overall past people
    perfect person pls plz point possible pretty probably purpose question quite reach ready real
    really reason reasons receive received recently regarding resolve result right said sat saw say
    saying says seconds seeing seen set shouldnt showing shows simply single sir situation small
    soon sorry sort specific start started steps stop stuff super supposed sure taking talk tell
    telling thank thanking thanks thats theres thing things think thinking thought time times today
    told tomorrow tonight took totally tried trouble try trying type typically ugh understand
    unfortunately unless upset ur urgently use used uses using usual usually various wait waited
    waiting want wanted wanting wants wasnt way week weeks went whats wish wonder wondering wont
    work worked working works worse worst wouldnt wow wtf ya yeah year years yep yes yesterday youre
    """.split()  # noqa: SIM905
)
"""What is in many complaints and names none."""
PARTICLES = frozenset(("up", "off", "out", "down"))
"""Part of the word before them: top up, hung up, locked out."""
ENDINGS = (
    *("ations", "ation", "ements", "ement", "ments", "ment", "ings", "ing", "ions", "ion"),
    *("ies", "ied", "ers", "ed", "es", "er", "ly", "s"),
)
FINAL = ("y", "e")
SHORTEST = 3


def stem(word: str) -> str:
    """What forms of a word have in common: bag and bags, delay and delayed. Never shown."""
    word = _without(FINAL, _without(ENDINGS, word))
    doubled = len(word) > SHORTEST and word[-1] == word[-2]
    return word[:-1] if doubled else word  # cancelled, cancel


def _without(endings: Sequence[str], word: str) -> str:
    """*word* without the first of *endings* that leaves enough of it."""
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            return word.removesuffix(ending)
    return word
