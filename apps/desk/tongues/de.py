WORDS = {
    "optional": "freiwillig",
    "error": "Fehler",
    "answer.title": "Haben wir es gelöst?",
    "answer.lead": "Nur Sie können sagen, ob es erledigt ist. Es dauert eine halbe Minute.",
    "answer.you_said": "Sie schrieben",
    "answer.we_did": "Was wir getan haben",
    "answer.earlier": "Am {day} haben Sie geantwortet: {verdict}. "
    "Sie können Ihre Antwort hier ändern.",
    "answer.confirm": "In unserer Mail haben Sie „{verdict}“ gewählt. "
    "Bitte bestätigen Sie es mit dem Knopf am Ende dieser Seite.",
    "answer.rating": "Wie gut haben wir uns darum gekümmert?",
    "answer.rating_low": "1 heißt sehr schlecht",
    "answer.rating_high": "5 heißt sehr gut",
    "answer.no_rating": "Keine Note",
    "answer.words": "Gibt es etwas, das wir wissen sollten?",
    "answer.words_hint": "Bis zu 5.000 Zeichen. Bitte keine Passwörter und Kartennummern.",
    "answer.question": "Ist es für Sie gelöst?",
    "answer.solved": "Ja, es ist gelöst",
    "answer.not_solved": "Nein, nicht gelöst",
    "answer.check": "Noch wurde nichts gespeichert. Bitte sehen Sie sich das Markierte an.",
    "answer.error_verdict": "Bitte wählen Sie eine der beiden Antworten.",
    "answer.error_rating": "Bitte wählen Sie eine Zahl von 1 bis 5 oder keine Note.",
    "answer.error_words": "Ihr Text hat {length} Zeichen, 5.000 haben Platz. Bitte kürzen Sie ihn.",
    "thanks.title": "Vielen Dank",
    "thanks.saved": "Ihre Antwort ist gespeichert.",
    "thanks.next": "Wie es weitergeht",
    "thanks.solved": "Wir freuen uns, dass es gelöst ist, und schließen Ihren Fall.",
    "thanks.solved_more": "Sollte es wiederkommen, öffnen Sie den Link in unserer Mail noch "
    "einmal und sagen es uns.",
    "thanks.not_solved": "Das tut uns leid. Ihr Fall geht zurück in Arbeit, eine Ebene höher.",
    "thanks.not_solved_more": "Sie hören von uns, sobald es etwas Neues gibt.",
    "unsubscribe.title": "Keine Mails mehr?",
    "unsubscribe.text": "{company} schreibt Ihnen dann nicht mehr wegen Ihrer Rückmeldung, an "
    "keine Ihrer Adressen.",
    "unsubscribe.still": "Was Sie uns gesagt haben, bleibt bei uns und wird weiter bearbeitet.",
    "unsubscribe.button": "Keine Mails mehr",
    "unsubscribe.again": "Noch hat sich nichts geändert. Bitte benutzen Sie den Knopf.",
    "unsubscribed.title": "Sie bekommen keine Mails mehr",
    "unsubscribed.text": "Ab jetzt schreibt Ihnen {company} nicht mehr wegen Ihrer Rückmeldung.",
    "unsubscribed.on_its_way": "Eine Nachricht wurde genau in diesem Moment übergeben und kann "
    "Sie noch erreichen. Es ist die letzte.",
    "notice.home.title": "Hier gibt es nichts zu sehen",
    "notice.home.text": "Die Links in unseren Mails führen zu den Seiten, die für Sie "
    "bestimmt sind.",
    "notice.unknown.title": "Dieser Link führt nirgendwohin",
    "notice.unknown.text": "Vielleicht hat Ihr Mailprogramm ihn gekürzt. Bitte kopieren Sie den "
    "ganzen Link aus der Mail und versuchen es noch einmal.",
    "notice.expired.title": "Dieser Link gilt nicht mehr",
    "notice.expired.text": "Links in unseren Mails gelten begrenzte Zeit. Wenn wir etwas wissen "
    "sollten, wenden Sie sich bitte direkt an {company}.",
    "notice.outdated.title": "Diese Frage ist nicht mehr aktuell",
    "notice.outdated.text": "Ihr Fall ist seit dieser Mail weitergegangen. Unsere neueste Mail "
    "enthält einen gültigen Link.",
    "notice.ended.title": "Es gibt nichts mehr zu beantworten",
    "notice.ended.text": "Dieser Fall ist beendet. Wenn wir etwas wissen sollten, wenden Sie "
    "sich bitte direkt an {company}.",
    "notice.handed_over.title": "Dieses Ticket liegt jetzt bei anderen",
    "notice.handed_over.text": "Es wurde seit dieser Mail einer anderen Abteilung übergeben, "
    "oder Sie gehören nicht mehr zu ihr. Für Sie ist nichts mehr zu tun.",
    "notice.not_approver.title": "Andere geben jetzt Nachrichten frei",
    "notice.not_approver.text": "Die Firmendatei nennt Sie nicht mehr als eine Person, die "
    "Nachrichten freigibt. Für Sie ist nichts mehr zu tun.",
    "notice.unreadable.title": "Das war nicht lesbar",
    "notice.unreadable.text": "Es wurde nichts gespeichert. Bitte gehen Sie zurück und versuchen "
    "es noch einmal.",
    "notice.too_long.title": "Das ist zu viel auf einmal",
    "notice.too_long.text": "Es wurde nichts gespeichert. Bitte gehen Sie zurück und kürzen Sie "
    "Ihren Text.",
    "notice.too_many.title": "Einen Moment, bitte",
    "notice.too_many.text": "Das waren zu viele Versuche in kurzer Zeit. Bitte warten Sie eine "
    "Minute und versuchen es noch einmal.",
    "notice.busy.title": "Gerade wird noch anderes eingetragen",
    "notice.busy.text": "Es wurde nichts gespeichert. Bitte versuchen Sie es gleich noch einmal.",
    "notice.broken.title": "Bei uns ist etwas schiefgegangen",
    "notice.broken.text": "Es wurde nichts gespeichert. Bitte versuchen Sie es in ein paar "
    "Minuten noch einmal.",
}
