"""The closed classes of English that tell a clause from a list of nouns.

No parser: what starts a subject, what is certainly a finite verb, what joins and what
subordinates. Words that are as often something else ("like", "set") are left out on purpose.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


JOINERS = _words("and plus &")
ADVERBS = _words("""
    also then even overall unfortunately fortunately sadly luckily thankfully honestly actually
    still just now sometimes usually often always never only really finally meanwhile afterwards
    again besides moreover additionally secondly lastly therefore thus hence later today
    yesterday too not definitely certainly clearly obviously generally mostly
    apparently quite rather very pretty however but yet maybe perhaps probably
    especially already soon immediately simply truly
""")
INTENSIFIERS = _words("""
    very too far so really quite rather pretty super extremely incredibly absolutely totally
    completely fairly somewhat slightly bit little way much more less a bit also not never
    always just simply truly terribly awfully overly utterly highly
""")
SUBJECT_PRONOUNS = _words(
    "i we they he she i'm we're they're he's she's i've we've they've i'd we'd"
    " they'd he'd she'd i'll we'll they'll he'll she'll im ive"
)
OTHER_PRONOUNS = _words("""
    it you this that these those there everyone everybody nobody someone somebody anyone nothing
    everything something anything one none most all both each some others
""")
ANAPHORS = _words("""
    he she it they this that these those he's she's it's they're they've they'd they'll he'd
    she'd he'll she'll it'll it'd that's
""")
"""Subjects that mean nothing without the clause before them."""
WITH_A_VERB = _words("""
    it's that's there's you're you've you'll everything's it'll there're here's what's
    nothing's it'd
""")
DETERMINERS = _words("""
    the a an my our your their his her its this that these those some all both no each every
    another any other most many several few two three four five
""")
BE = _words("""
    is was are were am isn't wasn't aren't weren't ain't isnt wasnt arent werent aint
""")
PLURAL_VERBS = _words("are were have aren't weren't haven't arent werent do don't dont")
AUXILIARIES = _words("""
    has have had hasn't haven't hadn't do does did don't doesn't didn't dont doesnt didnt can
    could will would should must may might shall can't cannot couldn't won't wouldn't shouldn't
    mustn't cant couldnt wont wouldnt shouldnt
""")
PASTS = _words("""
    came took got went said told made gave ate paid found thought kept lost broke sent brought
    stood sat ran began became knew saw spoke forgot threw fell grew held met wrote chose drove
    understood felt left bought sold caught taught drank rang slept wore hung stank cost took
    loved hated liked enjoyed ordered arrived waited asked asked tried called seemed looked tasted
    worked smelled needed wanted used recommended returned refused ignored stopped started
    charged cancelled canceled received expected decided crashed failed lasted turned finished
    added offered showed
""")
THIRD_PERSONS = _words("""
    tastes seems comes serves feels smells makes takes gets needs goes offers brings keeps
    costs says sounds lasts leaves gives lacks fits looks works knows tells wants loves hates
    runs varies ranges arrives remains becomes
""")
BASES = _words("""
    love hate enjoy recommend seem taste look work smell come go get feel need want make take
    know think keep give fit have agree appreciate understand believe hope expect wish prefer
    serve lack offer arrive vary range find
""")
"""Finite after a pronoun or a plural noun only."""
OPENERS = _words("""
    that when if because since as after before once until till whenever where wherever whether
    unless which who whom whose what why how while although though considering whereas whatever
""")
"""They open a clause inside a clause: its own verb must come before the next one starts."""
THINKERS = _words("think thought hope guess believe wish said say says know knew felt mean")
SUBORDINATORS = _words("""
    when if because since after before once until till whenever wherever unless while although
    though considering
""")
COMMENTS = THINKERS | _words("told suppose bet see sure imagine heard seems tell add admit afraid")
INTRODUCTIONS = OPENERS | _words("""
    despite for in on at with without by during from to of about aside besides apart except
    between upon over under given due even not
""") - {"that", "what", "who", "whatever"}
ENDS_OF_A_SUBJECT = OPENERS | SUBJECT_PRONOUNS | _words("it you than as or but so to")
PREPOSITIONS = _words("of in at on for with from by to near behind inside outside about here there")
FUNCTION_WORDS = (
    OPENERS
    | PREPOSITIONS
    | JOINERS
    | _words("""
    or nor but than into like per via not no yes me us him them myself itself ourselves
    themselves yourself so being been be having between both either neither such worth
    """)
)
ADJECTIVES = _words("""
    good great excellent amazing awesome fantastic wonderful superb outstanding perfect nice fine
    lovely delicious tasty yummy fresh friendly helpful attentive polite courteous kind warm
    welcoming professional fast quick prompt efficient reliable clean cozy cosy beautiful pretty
    gorgeous comfortable spacious cheap affordable reasonable fair generous decent solid
    okay ok average mediocre bland dull boring poor bad terrible horrible awful disgusting
    disappointing lousy mean rude slow cold hot dry stale greasy salty soggy raw undercooked
    overcooked burnt burned overpriced expensive pricey dirty filthy loud noisy cramped crowded
    small tiny large big huge broken useless unhelpful unfriendly unprofessional incompetent
    careless late early long short confusing complicated easy simple hard difficult impossible
    buggy laggy unstable weak strong sturdy flimsy thin thick heavy light bright dark soft rough
    smooth sharp crisp clear blurry impressive impeccable inattentive nonexistent non-existent
    unacceptable inedible delightful pleasant unpleasant charming romantic nasty gross ridiculous
    stunning phenomenal exceptional exquisite divine sublime heavenly superior inferior best
    worst better worse top-notch so-so authentic unique creative interesting limited special
    subpar sub-par meh brilliant crappy shitty sucky wrong right missing damaged empty full
    happy unhappy cool modern outdated old new high low steep pathetic atrocious abysmal
    sloppy annoying frustrating knowledgeable accommodating gracious arrogant snobby snooty
    pretentious indifferent surly sweet sour spicy juicy tender tough chewy crunchy crispy
    underwhelming forgettable memorable unforgettable hit-or-miss inconsistent consistent
""")
