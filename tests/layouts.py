"""How mail programs write an answer: the client's text, the quoted letter, the signature."""

from collections.abc import Callable

OFFICE = "Figurative <support@figurative.example>"
LETTER = (
    "Bonjour Jean Dupont,\n\nNous avons étudié votre demande « Fauteuil ». Votre devis est de "
    "2 crédits.\n\nPour accepter ce devis, répondez à ce message : Je valide\n\n"
    "L'équipe Figurative\nRéférence de votre demande : K7Q2M9X4TB"
)
_QUOTED = "\n".join(f"> {line}".rstrip() for line in LETTER.split("\n"))
_INDENTED = "\n".join(f" {line}" for line in LETTER.split("\n"))
_HTML_LETTER = "".join(f"<p>{line}</p>" for line in LETTER.split("\n") if line)
_HEADERS_FR = (
    "De : Figurative <support@figurative.example>\nEnvoyé : lundi 2 novembre 2026 10:30\n"
    "À : client@example.com\nObjet : Votre devis [#K7Q2M9X4TB]"
)
_HEADERS_EN = (
    "From: Figurative <support@figurative.example>\nSent: Monday, November 2, 2026 10:30 AM\n"
    "To: client@example.com\nSubject: Votre devis [#K7Q2M9X4TB]"
)

Layout = Callable[[str], str]

#: name → the plain text of a mail whose author wrote the given words
TEXT: dict[str, Layout] = {
    "nothing quoted": lambda t: t,
    "gmail": lambda t: f"{t}\n\nLe lun. 2 nov. 2026 à 10:30, {OFFICE} a écrit :\n\n{_QUOTED}\n",
    "gmail, cut": lambda t: (
        f"{t}\n\nLe lun. 2 nov. 2026 à 10:30, Figurative <\nsupport@figurative.example> a écrit :"
        f"\n\n{_QUOTED}\n"
    ),
    "gmail in English": lambda t: (
        f"{t}\n\nOn Mon, Nov 2, 2026 at 10:30 AM {OFFICE} wrote:\n\n{_QUOTED}"
    ),
    "gmail with a signature": lambda t: (
        f"{t}\n\n-- \nJean Dupont\nAtelier Dupont\n06 12 34 56 78\n\n"
        f"Le lun. 2 nov. 2026 à 10:30, {OFFICE} a écrit :\n\n{_QUOTED}"
    ),
    "outlook": lambda t: f"{t}\n\nJean Dupont\n\n{_HEADERS_FR}\n\n{LETTER}\n",
    "outlook in English": lambda t: f"{t}\n\n{_HEADERS_EN}\n\n{LETTER}\n",
    "old outlook": lambda t: f"{t}\n\n-----Message d'origine-----\n{_HEADERS_FR}\n\n{LETTER}",
    "old outlook in English": lambda t: (
        f"{t}\n\n-----Original Message-----\n{_HEADERS_EN}\n\n{LETTER}"
    ),
    "outlook on the web": lambda t: f"{t}\n\n{'_' * 32}\n{_HEADERS_FR}\n\n{LETTER}",
    "apple mail": lambda t: f"{t}\n\n> Le 2 nov. 2026 à 10:30, {OFFICE} a écrit :\n> \n{_QUOTED}",
    "iphone": lambda t: (
        f"{t}\n\nEnvoyé de mon iPhone\n\n> Le 2 nov. 2026 à 10:30, {OFFICE} a écrit :\n> \n{_QUOTED}"
    ),
    "galaxy": lambda t: (
        f"{t}\n\nEnvoyé depuis mon appareil Galaxy\n\n\n-------- Message d'origine --------\n"
        f"De : {OFFICE}\nDate : 02/11/2026 10:30 (GMT+01:00)\nÀ : client@example.com\n"
        f"Objet : Votre devis [#K7Q2M9X4TB]\n\n{LETTER}"
    ),
    "thunderbird": lambda t: f"{t}\n\nLe 02/11/2026 à 10:30, Figurative a écrit :\n{_QUOTED}\n",
    "thunderbird, answer below": lambda t: (
        f"Le 02/11/2026 à 10:30, Figurative a écrit :\n{_QUOTED}\n\n{t}"
    ),
    "orange": lambda t: (
        f'{t}\n\nJean\n\n> Message du 02/11/26 10:30\n> De : "Figurative" <support@figurative.example>\n'
        f"> A : client@example.com\n> Copie à :\n> Objet : Votre devis\n>\n{_QUOTED}"
    ),
    "free": lambda t: (
        f'{t}\n\n----- Mail original -----\nDe: "Figurative" <support@figurative.example>\n'
        f"À: client@example.com\nEnvoyé: Lundi 2 Novembre 2026 10:30:00\nObjet: Votre devis\n\n{LETTER}"
    ),
    "la poste": lambda t: (
        f"{t}\n\n--------- Message d'origine ---------\nDe : support@figurative.example\n"
        f"Date : 2/11/2026\nÀ : client@example.com\nObjet : Votre devis\n\n{LETTER}"
    ),
    "yahoo": lambda t: (
        f"{t}\n\n    Le lundi 2 novembre 2026 à 10:30:00 UTC+1, {OFFICE} a écrit :  \n \n{_INDENTED}\n"
    ),
    "yahoo on a phone": lambda t: (
        f"{t}\n\nEnvoyé à partir de Yahoo Mail pour iPhone\n\n\n"
        f"Le lundi 2 novembre 2026, 10:30, {OFFICE} a écrit :\n\n{LETTER}\n"
    ),
    "windows mail": lambda t: (
        f"{t}\n\nEnvoyé à partir de Courrier pour Windows\n\nDe : Figurative\n"
        f"Envoyé le :lundi 2 novembre 2026 10:30\nÀ : client@example.com\nObjet :Votre devis\n\n{LETTER}"
    ),
    "protonmail": lambda t: (
        f"{t}\n\nSent with Proton Mail secure email.\n\nOn Monday, November 2nd, 2026 at 10:30, "
        f"{OFFICE} wrote:\n\n{_QUOTED}"
    ),
    "android": lambda t: f"{t}\n\nLe lun. 2 nov. 2026, 10:30, {OFFICE} a écrit :\n\n{_QUOTED}",
    "no mark at all": lambda t: f"{t}\n\n\n{LETTER}",
    "disclaimer": lambda t: (
        f"{t}\n\nCordialement,\nJean Dupont\nAtelier Dupont\nThis e-mail is confidential and "
        f"intended for the addressee only if not stated.\n\n{_HEADERS_FR}\n\n{LETTER}"
    ),
    "environment": lambda t: (
        f"{t}\n\nJ. Dupont\nPensez à l'environnement avant d'imprimer ce message.\n\n"
        f"{_HEADERS_FR}\n\n{LETTER}"
    ),
}

#: name → the HTML of a mail whose author wrote the given words
HTML: dict[str, Layout] = {
    "gmail html": lambda t: (
        f'<div dir="ltr">{t}</div><br><div class="gmail_quote"><div class="gmail_attr">Le&nbsp;lun. '
        f"2 nov. 2026 à 10:30, Figurative a écrit&nbsp;:<br></div><blockquote>{_HTML_LETTER}"
        "</blockquote></div>"
    ),
    "outlook html": lambda t: (
        f'<body><div class="WordSection1"><p>{t}</p><p>&nbsp;</p><p>Jean Dupont</p><div><b>De&nbsp;:</b> '
        "Figurative &lt;support@figurative.example&gt;<br><b>Envoyé&nbsp;:</b> lundi 2 novembre 2026"
        "<br><b>À&nbsp;:</b> client@example.com<br><b>Objet&nbsp;:</b> Votre devis</div>"
        f"{_HTML_LETTER}</div></body>"
    ),
    "iphone html": lambda t: (
        f'<body dir="auto"><div>{t}</div><div dir="ltr"><br>Envoyé de mon iPhone</div>'
        f'<blockquote type="cite">Le 2 nov. 2026 à 10:30, Figurative a écrit :<br></blockquote>'
        f'<blockquote type="cite">{_HTML_LETTER}</blockquote></body>'
    ),
    "yahoo html": lambda t: (
        f'<div>{t}</div><div class="yahoo_quoted"><div>Le lundi 2 novembre 2026 à 10:30, Figurative '
        f"a écrit :</div>{_HTML_LETTER}</div>"
    ),
}
