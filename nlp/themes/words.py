"""Words that name no theme, and forms of one word. English, as the encoder is."""

from __future__ import annotations

NAMES_A_THEME = frozenset(
    """
    amount back bottom call empty front full move name show side top
    """.split()  # noqa: SIM905
)
"""Words that spaCy counts as stop words and customers mean."""
SMALL_TALK = frozenset(
    """
    absolutely actually ago allowed amp anybody apparently ask asked asking available bad
    basically believe best better big bit came cant care cause come comes coming completely
    couldnt couple day days dear definitely didnt different doesnt dont em especially etc exactly
    expected extremely fact far feel feeling find fine fix folks found fyi gave gets getting given
    gives giving glad god goes going gone gonna good got gotten great guess guy guys haha half
    happen happened happening happens hate havent having hear hello help hey hi hope hour hours
    http https idea idk im imagine important information instead isnt ive keeps kept kidding kind
    kinda knew know known knows later learn let lets like liked literally little lol long longer
    look looked looking looks lot lots love loved luck make makes making matter maybe mean means
    mention min mind mins minute minutes miss moment month months morning multiple near need
    needed needs new nice night nope normal number obviously officially ok okay old omg overall
    past people perfect person pls plz point possible pretty probably purpose question reach ready
    real reason reasons receive received recently resolve result right said sat saw saying says
    seconds seeing seen set shouldnt showing shows simply single sir situation small soon sorry
    sort specific start started steps stop stuff super supposed sure taking talk tell telling
    thank thanking thanks thats theres thing things think thinking thought time times today told
    tomorrow tonight took totally tried trouble try trying type typically ugh understand
    unfortunately upset ur urgently use uses usual usually wait waited waiting want wanted wanting
    wants wasnt way week weeks went whats wish wonder wondering wont work worked working works
    worse worst wouldnt wow wtf ya yeah year years yep yes yesterday youre
    """.split()  # noqa: SIM905
)
"""What is in many complaints and names none."""
PARTICLES = frozenset(("up", "off", "out", "down"))
"""Part of the word before them: top up, hung up, locked out."""
ENDINGS = (
    *("ations", "ation", "ements", "ement", "ments", "ment", "ings", "ing", "ies", "ied"),
    *("ers", "ed", "es", "er", "ly", "s", "y", "e"),
)
SHORTEST = 3


def stem(word: str) -> str:
    """What forms of a word have in common: bag and bags, delay and delayed. Never shown."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            word = word.removesuffix(ending)
            break
    doubled = len(word) > SHORTEST and word[-1] == word[-2]
    return word[:-1] if doubled else word  # cancelled, cancel
