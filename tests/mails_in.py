"""Mails as they arrive: the wording of common servers and mail programs, made up by hand."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from zlib import crc32

from notifications.inbox.reading import OwnAddresses
from voc.models import InboundKind
from voc.rules.tokens import ReturnPurpose, message_id, return_address

SECRET = b"a secret for tests only"
REPLY_ADDRESS = "care@noodles.test"
OWN = OwnAddresses(reply_address=REPLY_ADDRESS, sender="hello@noodles.test")
ROW = 17
OUR_ID = message_id(SECRET, "loop:1|resolution.1|email|customer:1", "noodles.test")
BOUNCES = return_address(REPLY_ADDRESS, SECRET, ReturnPurpose.BOUNCE, ROW)
REPLIES = return_address(REPLY_ADDRESS, SECRET, ReturnPurpose.REPLY, ROW)
SILENCE = return_address(REPLY_ADDRESS, SECRET, ReturnPurpose.UNSUBSCRIBE, ROW)
KIM = "kim@customer.test"
OUR_TEXT = """\
Hello Kim,

On 1 March 2026 you told us:

    Great food but the courier was rude.

This is what we did:

Logistics: We spoke with the courier.

Is this solved?

Yes, it is solved: https://feedback.noodles.test/a/t?verdict=solved
No, it is not solved: https://feedback.noodles.test/a/t?verdict=not_solved

Both links open a page on which you confirm your answer.

--
You get this mail because you gave Noodles & Söhne feedback on 1 March 2026.
Noodles & Söhne, 1 Soup Street, Berlin
Stop hearing back about feedback: https://feedback.noodles.test/u/t
"""
QUOTED = "".join(f"> {line}".rstrip() + "\n" for line in OUR_TEXT.splitlines())
OUR_HEAD = f"From: Noodles <hello@noodles.test>\nTo: {KIM}\nMessage-ID: {OUR_ID}\nSubject: Yours\n"


@dataclass(frozen=True)
class Sample:
    name: str
    raw: bytes
    kind: InboundKind | None
    code: str = ""
    words: str = ""

    def __str__(self) -> str:
        return self.name


def dsn(
    *blocks: str,
    to: str = BOUNCES,
    explanation: str = "It could not be delivered.",
    returned: str = OUR_HEAD,
    head: str = "",
) -> bytes:
    """A report by RFC 3464 as postfix writes it."""
    fields = "\n\n".join(["Reporting-MTA: dns; mx.customer.test", *blocks])
    return f"""\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.customer.test (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <dsn-{crc32(repr(blocks).encode())}@mx.customer.test>
{head}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

{explanation}

--B
Content-Type: message/delivery-status

{fields}

--B
Content-Type: text/rfc822-headers

{returned}
--B--
""".encode()


def block(action: str, status: str, diagnostic: str = "") -> str:
    lines = [f"Final-Recipient: rfc822; {KIM}", f"Action: {action}", f"Status: {status}"]
    return "\n".join(lines + ([f"Diagnostic-Code: smtp; {diagnostic}"] if diagnostic else []))


def plain(
    body: str,
    *,
    to: str = REPLIES,
    head: str = "",
    subject: str = "Re: Yours",
    sender: str = f"Kim Lee <{KIM}>",
) -> bytes:
    """A mail that a person, or a machine in their name, writes."""
    return (
        f"From: {sender}\nTo: Noodles <{to}>\nSubject: {subject}\n"
        f"Message-ID: <answer-{crc32(repr((body, head, to)).encode())}@customer.test>\n{head}"
        f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}"
    ).encode()


def html(body: str) -> bytes:
    return plain("").replace(b"text/plain", b"text/html") + body.encode()


def threaded(body: str, **changes: str) -> bytes:
    return plain(body, to=REPLY_ADDRESS, head=f"In-Reply-To: {OUR_ID}\n", **changes)


def arf(feedback_type: str = "abuse") -> bytes:
    return f"""\
From: complaints@provider.test
To: {REPLY_ADDRESS}
Subject: FW: Yours
Message-ID: <arf-{feedback_type}@provider.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an email abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: {feedback_type}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{BOUNCES}>

--B
Content-Type: message/rfc822

{OUR_HEAD}
{OUR_TEXT}
--B--
""".encode()


def with_large_attachment(size: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = KIM, REPLIES, "Re: Yours"
    mail.set_content("No, it is not solved. See the picture.\n")
    mail.add_attachment(bytes(size), maintype="image", subtype="jpeg", filename="rude.jpg")
    return mail.as_bytes()


def nested(depth: int) -> bytes:
    """One multipart in the other, so many times."""
    opened = "".join(
        f'Content-Type: multipart/mixed; boundary="{i}"\n\n--{i}\n' for i in range(depth)
    )
    return f"From: {KIM}\nTo: {REPLIES}\n{opened}Content-Type: text/plain\n\nhello\n".encode()


_HARD, _SOFT = InboundKind.HARD_BOUNCED, InboundKind.SOFT_BOUNCED
_DAEMON = "MAILER-DAEMON@mx.customer.test"

BOUNCE_SAMPLES = [
    Sample(
        "postfix, no such user",
        dsn(block("failed", "5.1.1", "550 5.1.1 User unknown in virtual mailbox table")),
        _HARD,
        "5.1.1",
    ),
    Sample(
        "Gmail, no such user",
        dsn(
            block(
                "failed",
                "5.1.1",
                "550-5.1.1 The email account that you tried to reach does not exist",
            ),
            explanation="** Address not found **",
        ),
        _HARD,
        "5.1.1",
    ),
    Sample(
        "Exchange, recipient not found",
        dsn(
            block(
                "failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"
            ),
            explanation="Your message couldn't be delivered to Kim.",
        ),
        _HARD,
        "5.1.10",
    ),
    Sample(
        "a bare 550 in the status of a gateway",
        dsn(block("failed", "5.0.0", "550 No such user here")),
        _HARD,
        "5.0.0",
    ),
    Sample(
        "a status that the diagnosis knows better",
        dsn(block("failed", "5.0.0", "550 5.1.1 unknown")),
        _HARD,
        "5.1.1",
    ),
    Sample(
        "full, called permanent",
        dsn(block("failed", "5.2.2", "552 5.2.2 Mailbox full")),
        _SOFT,
        "5.2.2",
    ),
    Sample(
        "full, called temporary",
        dsn(block("failed", "4.2.2", "452 4.2.2 Over quota")),
        _SOFT,
        "4.2.2",
    ),
    Sample(
        "full, and only the words say so",
        dsn(block("failed", "5.0.0", "552 quota exceeded")),
        _SOFT,
        "5.0.0",
    ),
    Sample(
        "given up after days",
        dsn(block("failed", "4.4.7", "delivery time expired")),
        _SOFT,
        "4.4.7",
    ),
    Sample("no route to the domain's server", dsn(block("failed", "5.4.4")), _SOFT, "5.4.4"),
    Sample(
        "refused for what we wrote",
        dsn(block("failed", "5.7.1", "550 5.7.1 Message rejected as spam")),
        InboundKind.FAILED,
        "5.7.1",
    ),
    Sample("too big", dsn(block("failed", "5.3.4")), InboundKind.FAILED, "5.3.4"),
    Sample(
        "refused and given up later", dsn(block("failed", "4.7.1")), InboundKind.FAILED, "4.7.1"
    ),
    Sample(
        "our own address is refused", dsn(block("failed", "5.1.8")), InboundKind.FAILED, "5.1.8"
    ),
    Sample("still trying", dsn(block("delayed", "4.4.1")), None, "4.4.1"),
    Sample("arrived", dsn(block("delivered", "2.0.0")), InboundKind.DELIVERED, "2.0.0"),
    Sample("passed on to who reports nothing", dsn(block("relayed", "2.0.0")), None, "2.0.0"),
    Sample(
        "one address, two people, one gone",
        dsn(block("delivered", "2.0.0"), block("failed", "5.1.1")),
        _SOFT,
        "5.1.1",
    ),
    Sample(
        "exim, without a standard part",
        plain(
            "This message was created automatically by mail delivery software.\n\n"
            "A message that you sent could not be delivered to one or more of its\n"
            "recipients. This is a permanent error. The following address(es) failed:\n\n"
            f"  {KIM}\n    Unrouteable address\n\n"
            "------ This is a copy of the message, including all the headers. ------\n\n"
            f"{OUR_HEAD}",
            to=BOUNCES,
            head=f"Return-Path: <>\nX-Failed-Recipients: {KIM}\nAuto-Submitted: auto-replied\n",
            subject="Mail delivery failed: returning message to sender",
        ),
        _HARD,
        "5.0.0",
    ),
    Sample(
        "qmail",
        plain(
            "Hi. This is the qmail-send program at mx.customer.test.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
            "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
            f"<{KIM}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
            f"--- Below this line is a copy of the message.\n\n{OUR_HEAD}",
            to=BOUNCES,
            head="Return-Path: <>\n",
            subject="failure notice",
        ),
        _HARD,
        "5.1.1",
    ),
    Sample(
        "a server's own words, without any part of the standard",
        plain(
            f"Your mail to {KIM} was rejected:\n550 Requested action not taken: mailbox disabled\n",
            to=BOUNCES,
            sender=_DAEMON,
            head="Return-Path: <>\n",
            subject="Undeliverable",
        ),
        _HARD,
        "5.0.0",
    ),
]
NOTICE_SAMPLES = [
    Sample("a complaint", arf(), InboundKind.COMPLAINED, "abuse"),
    Sample("a complaint of fraud", arf("fraud"), InboundKind.COMPLAINED, "fraud"),
    Sample("no spam after all", arf("not-spam"), None),
    Sample(
        "a read receipt",
        dsn("Disposition: manual-action; displayed").replace(
            b"delivery-status;", b"disposition-notification;"
        ),
        None,
    ),
    Sample(
        "a wish for silence",
        plain("", to=SILENCE, subject="unsubscribe"),
        InboundKind.OPTED_OUT,
        "mailto",
    ),
    Sample(
        "a wish for silence that a mail program sends by itself",
        plain("", to=SILENCE, head="Auto-Submitted: auto-generated\n"),
        InboundKind.OPTED_OUT,
        "mailto",
    ),
]
_AUTO = InboundKind.AUTO_REPLIED
MACHINE_SAMPLES = [
    Sample(
        "vacation, as the standard has it",
        plain("I am away.", head="Auto-Submitted: auto-replied (vacation)\n"),
        _AUTO,
        "auto-submitted",
    ),
    Sample(
        "Outlook, German",
        plain(
            "Ich bin bis 9. März nicht im Büro.",
            head="X-Auto-Response-Suppress: All\n",
            subject="Automatische Antwort: Yours",
        ),
        _AUTO,
        "x-auto-response-suppress",
    ),
    Sample(
        "an old responder", plain("Bin im Urlaub.", head="Precedence: bulk\n"), _AUTO, "precedence"
    ),
    Sample(
        "Precedence: auto_reply",
        plain("De vacaciones.", head="Precedence: auto_reply\n"),
        _AUTO,
        "precedence",
    ),
    Sample(
        "no sender that could be answered",
        plain("We got your mail.", head="Return-Path: <>\n"),
        _AUTO,
        "return-path",
    ),
    Sample(
        "a list's copy", plain("Hello all", head="List-Id: <soup.lists.test>\n"), _AUTO, "list-id"
    ),
    Sample(
        "cPanel", plain("I am away.", head="X-Autorespond: Re: Yours\n"), _AUTO, "x-autorespond"
    ),
    Sample("to the address for bounces", plain("I am away.", to=BOUNCES), _AUTO, "bounce-address"),
    Sample(
        "to the address for bounces, with a date",
        plain("Ich bin bis 5.1.26 nicht im Haus.", to=BOUNCES),
        _AUTO,
        "bounce-address",
    ),
    Sample(
        "no sender that could be answered, with a number to call",
        plain("I am away. Is it urgent? Call 555-1234.", head="Return-Path: <>\n"),
        _AUTO,
        "return-path",
    ),
    Sample(
        "English words only",
        plain("I am out of the office.", subject="Out of Office: Yours"),
        _AUTO,
        "subject",
    ),
    Sample(
        "French words only",
        plain("Je suis en congés.", subject="Réponse automatique : Yours"),
        _AUTO,
        "subject",
    ),
    Sample(
        "Spanish words only",
        plain("Vuelvo el lunes.", subject="Respuesta automática: Yours"),
        _AUTO,
        "subject",
    ),
    Sample(
        "German words only",
        plain("Ich bin im Urlaub.", subject="Abwesenheitsnotiz"),
        _AUTO,
        "subject",
    ),
    Sample(
        "our own mail that went round",
        plain("Hello Kim", sender="Noodles <hello@noodles.test>"),
        _AUTO,
        "loop",
    ),
    Sample(
        "a forwarder that has seen it",
        plain("Hello", head="X-Loop: care@noodles.test\n"),
        _AUTO,
        "loop",
    ),
]
_REPLY = InboundKind.REPLIED
REPLY_SAMPLES = [
    Sample(
        "Gmail",
        plain(
            "No, it is not solved.\n\n"
            f"On Mon, Mar 2, 2026 at 10:00 AM Noodles <{REPLIES}> wrote:\n\n{QUOTED}"
        ),
        _REPLY,
        words="No, it is not solved.",
    ),
    Sample(
        "Gmail, the introduction on two lines",
        plain(
            "Still broken.\n\n"
            f"On Mon, Mar 2, 2026 at 10:00 AM Noodles <\n{REPLIES}> wrote:\n\n{QUOTED}"
        ),
        _REPLY,
        words="Still broken.",
    ),
    Sample(
        "Gmail, German",
        threaded(
            "Ja\n\n"
            f"Am Mo., 2. März 2026 um 10:00 Uhr schrieb Noodles <{REPLY_ADDRESS}>:\n\n{QUOTED}"
        ),
        _REPLY,
        words="Ja",
    ),
    Sample(
        "Gmail, Spanish",
        threaded(
            "Sí, gracias\n\n"
            f"El lun, 2 mar 2026 a las 10:00, Noodles (<{REPLY_ADDRESS}>) escribió:\n\n{QUOTED}"
        ),
        _REPLY,
        words="Sí, gracias",
    ),
    Sample(
        "Gmail, French",
        threaded(
            "Oui merci\n\n"
            f"Le lun. 2 mars 2026 à 10:00, Noodles <{REPLY_ADDRESS}> a écrit :\n\n{QUOTED}"
        ),
        _REPLY,
        words="Oui merci",
    ),
    Sample(
        "Apple Mail, German",
        plain(
            "Ja, danke!\n\nVon meinem iPhone gesendet\n\n"
            f"> Am 02.03.2026 um 10:00 schrieb Noodles:\n>\n{QUOTED}"
        ),
        _REPLY,
        words="Ja, danke!",
    ),
    Sample(
        "Outlook",
        threaded(
            "Thank you, but it is still broken.\n\nKim\n\n________________________________\n"
            "From: Noodles <hello@noodles.test>\nSent: Monday, March 2, 2026 10:00 AM\n"
            f"To: Kim Lee <{KIM}>\nSubject: Yours\n\n{OUR_TEXT}"
        ),
        _REPLY,
        words="Thank you, but it is still broken.\n\nKim",
    ),
    Sample(
        "Outlook, German",
        threaded(
            "Nein, leider nicht.\n\nVon: Noodles <hello@noodles.test>\n"
            f"Gesendet: Montag, 2. März 2026 10:00\nAn: Kim Lee\nBetreff: Yours\n\n{OUR_TEXT}"
        ),
        _REPLY,
        words="Nein, leider nicht.",
    ),
    Sample(
        "Outlook, Spanish",
        threaded(
            "No, sigue igual.\n\nDe: Noodles <hello@noodles.test>\n"
            f"Enviado: lunes, 2 de marzo de 2026\nPara: Kim\nAsunto: Yours\n\n{OUR_TEXT}"
        ),
        _REPLY,
        words="No, sigue igual.",
    ),
    Sample(
        "Outlook, French",
        threaded(
            "Non.\n\nDe : Noodles <hello@noodles.test>\nEnvoyé : lundi 2 mars 2026 10:00\nÀ : Kim\n"
            f"Objet : Yours\n\n{OUR_TEXT}"
        ),
        _REPLY,
        words="Non.",
    ),
    Sample(
        "the old separator",
        threaded(f"No.\n\n-----Original Message-----\nFrom: Noodles\n\n{OUR_TEXT}"),
        _REPLY,
        words="No.",
    ),
    Sample(
        "an answer below",
        threaded(
            f"On Mon, 2 Mar 2026 at 10:00, Noodles <{REPLY_ADDRESS}> wrote:\n"
            f"{QUOTED}\nYes, all good now.\n"
        ),
        _REPLY,
        words="Yes, all good now.",
    ),
    Sample(
        "answers between",
        threaded(
            "Hi,\n\nOn 02/03/2026 10:00, Noodles wrote:\n> This is what we did:\nThanks for that.\n"
            "> Is this solved?\nNo, still broken.\n"
        ),
        _REPLY,
        words="Hi,\n\nThanks for that.\nNo, still broken.",
    ),
    Sample(
        "our mail copied without any sign of it",
        threaded(f"No.\n\n{OUR_TEXT}"),
        _REPLY,
        words="No.",
    ),
    Sample(
        "with a signature",
        plain(
            "Not solved, the courier came late again.\n\n-- \nKim Lee\nHead of Soup\n+49 30 1234\n"
        ),
        _REPLY,
        words="Not solved, the courier came late again.",
    ),
    Sample(
        "with a list of dashes, and From: in the middle",
        plain("Two things:\n- the courier was late\n- it had From: Berlin\nThanks, please help."),
        _REPLY,
        words="Two things:\n- the courier was late\n- it had From: Berlin\nThanks, please help.",
    ),
    Sample(
        "somebody who writes about the holidays",
        threaded("No, it is not solved.", subject="Re: Absence of my parcel"),
        _REPLY,
        words="No, it is not solved.",
    ),
    Sample(
        "HTML only, Gmail",
        html(
            "<div dir=ltr>It is <b>not</b>\n  solved.<br>Call me.</div><div class=gmail_quote>"
            "<div class=gmail_attr>On Mon Noodles wrote:<br></div><blockquote>Hello Kim, is this "
            "solved?</blockquote></div><script>alert(1)</script>"
        ),
        _REPLY,
        words="It is not solved.\nCall me.",
    ),
    Sample(
        "HTML only, Outlook",
        html(
            "<html><style>p {color: red}</style><body><p>Yes, it is solved.</p><hr>"
            "<div id=divRplyFwdMsg><b>From:</b> Noodles<br><b>Sent:</b> Monday<br><b>To:</b> Kim"
            "<br><b>Subject:</b> Yours</div><p>Hello Kim, is this solved?</p></body></html>"
        ),
        _REPLY,
        words="Yes, it is solved.",
    ),
    Sample(
        "eight bits in a character set that does not exist",
        plain("Nein, nicht gelöst").replace(b"utf-8", b"klingon-1"),
        _REPLY,
        words="Nein, nicht gelöst",
    ),
    Sample(
        "eight bits that are not in the character set that is named",
        plain("Nein, nicht gel__st")
        .replace(b"gel__st", b"gel\xf6st")
        .replace(b"utf-8", b"us-ascii"),
        _REPLY,
        words="Nein, nicht gelöst",
    ),
    Sample("no headers but one", f"To: {REPLIES}\n\nNo.".encode(), _REPLY, words="No."),
    Sample("nothing at all", b"", _REPLY),
    Sample("zero bytes", plain("No\0, it is\0 not solved."), _REPLY, words="No, it is not solved."),
    Sample(
        "a large attachment",
        with_large_attachment(100_000),
        _REPLY,
        words="No, it is not solved. See the picture.",
    ),
    Sample(
        "a large attachment, cut off",
        with_large_attachment(100_000)[:20_000],
        _REPLY,
        words="No, it is not solved. See the picture.",
    ),
    Sample("a few parts in one another", nested(12), _REPLY, words="hello"),
]
POISON_SAMPLES = [
    Sample(
        "a thousand parts in one another",
        nested(1000),
        InboundKind.UNREADABLE,
        "too many parts in one another",
    ),
    Sample(
        "a header that takes the square of its length to read",
        plain("No").replace(b"text/plain", b'text/plain; "' + b";" * 900_000),
        InboundKind.UNREADABLE,
        "too many headers",
    ),
    Sample(
        "the same in a part, after a bare carriage return",
        plain("").replace(b"text/plain", b'multipart/mixed; boundary="B"')
        + b'\n--B\rContent-Type: text/plain; "'
        + b";" * 900_000
        + b"\n\nNo",
        InboundKind.UNREADABLE,
        "too many parameters",
    ),
]
CORPUS = [*BOUNCE_SAMPLES, *NOTICE_SAMPLES, *MACHINE_SAMPLES, *REPLY_SAMPLES, *POISON_SAMPLES]
