"""How mail programs write an answer: the client's text, the quoted letter, the signature."""

import textwrap
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
    "outlook on a phone": lambda t: (
        f"{t}\n\nTélécharger Outlook pour iOS<https://aka.ms/o0ukef>\n{'_' * 32}\n{_HEADERS_FR}\n\n{LETTER}"
    ),
    "outlook on an android phone": lambda t: (
        f"{t}\n\nGet Outlook for Android<https://aka.ms/AAb9ysg>\n{'_' * 32}\n{_HEADERS_EN}\n\n{LETTER}"
    ),
    "outlook, starred headers": lambda t: (
        f"{t}\n\n*De :* Figurative <support@figurative.example>\n*Envoyé :* lundi 2 novembre 2026 "
        f"10:30\n*À :* client@example.com\n*Objet :* Votre devis\n\n{LETTER}"
    ),
    "outlook, headers cut": lambda t: (
        f"{t}\n\nDe :\nFigurative <support@figurative.example>\nEnvoyé :\nlundi 2 novembre 2026 10:30\n"
        f"À :\nclient@example.com\nObjet :\nVotre devis\n\n{LETTER}"
    ),
    "apple mail in English": lambda t: (
        f"{t}\n\n> On 2 Nov 2026, at 10:30, {OFFICE} wrote:\n> \n{_QUOTED}"
    ),
    "apple mail, cut before wrote": lambda t: (
        f"{t}\n\n> Le 2 nov. 2026 à 10:30, Figurative\n> <support@figurative.example>\n> a écrit :\n> \n{_QUOTED}"
    ),
    "iphone in English": lambda t: (
        f"{t}\n\nSent from my iPhone\n\n> On 2 Nov 2026, at 10:30, {OFFICE} wrote:\n> \n> \ufeff{_QUOTED[2:]}"
    ),
    "thunderbird in English": lambda t: (
        f"On 11/2/26 10:30 AM, Figurative wrote:\n{_QUOTED}\n\n{t}\n\n-- \nJean Dupont\n"
    ),
    "thunderbird forwarded style": lambda t: (
        f"{t}\n\n-------- Message transféré --------\nSujet : Votre devis\nDate : Mon, 2 Nov 2026 10:30:00 "
        f"+0100\nDe : {OFFICE}\nPour : client@example.com\n\n{LETTER}"
    ),
    "roundcube": lambda t: f"{t}\n\nLe 2026-11-02 10:30, Figurative a écrit :\n\n{_QUOTED}",
    "roundcube, answer below": lambda t: (
        f"Le 2026-11-02 10:30, Figurative a écrit :\n\n{_QUOTED}\n\n{t}\n\n---\nJean Dupont"
    ),
    "sfr": lambda t: (
        f"{t}\n\n========================================\nMessage du : 02/11/2026 10:30\n"
        f'De : "Figurative " <support@figurative.example>\nA : client@example.com\nCopie à : \n'
        f"Sujet : Votre devis\n\n{LETTER}"
    ),
    "la poste, quoted": lambda t: (
        f"{t}\n\n> Message du 02/11/26 10:30\n> De : support@figurative.example\n> A : "
        f"client@example.com\n> Copie à : \n> Objet : Votre devis\n> \n{_QUOTED}"
    ),
    "bouygues": lambda t: (
        f"{t}\n\n----- Message d'origine -----\nDe : Figurative <support@figurative.example>\n"
        f"À : client@example.com\nEnvoyé : Mon, 02 Nov 2026 10:30:00 +0100 (CET)\nObjet : Votre devis\n\n{LETTER}"
    ),
    "zimbra in English": lambda t: (
        f'{t}\n\n----- Original Message -----\nFrom: "Figurative" <support@figurative.example>\n'
        f'To: "client" <client@example.com>\nSent: Monday, November 2, 2026 10:30:00 AM\n'
        f"Subject: Votre devis\n\n{LETTER}"
    ),
    "lotus notes": lambda t: (
        f"{t}\n\n\n\nDe :    Figurative <support@figurative.example>\nA :     client@example.com\n"
        f"Date :  02/11/2026 10:30\nObjet : Votre devis\n\n\n\n{LETTER}"
    ),
    "lotus notes in English": lambda t: (
        f"{t}\n\n\n\nFrom:   Figurative <support@figurative.example>\nTo:     client@example.com\n"
        f"Date:   11/02/2026 10:30 AM\nSubject:        Votre devis\n\n\n{LETTER}"
    ),
    "protonmail in French": lambda t: (
        f"{t}\n\nEnvoyé avec la messagerie sécurisée Proton Mail.\n\nLe lundi 2 novembre 2026 à 10:30, "
        f"{OFFICE} a écrit :\n\n{_QUOTED}"
    ),
    "protonmail, old": lambda t: (
        f"{t}\n\nEnvoyé depuis ProtonMail mobile\n\n-------- Message d'origine --------\n"
        f"Le 2 nov. 2026 à 10:30, Figurative < support@figurative.example> a écrit :\n\n{LETTER}"
    ),
    "gmail, cut in the date": lambda t: (
        f"{t}\n\nLe lun. 2 nov. 2026 à\n10:30, Figurative Modélisation 3D et réalité augmentée <\n"
        f"support@figurative.example> a écrit :\n\n{_QUOTED}"
    ),
    "gmail on a phone": lambda t: (
        f"{t}\n\nEnvoyé depuis Gmail Mobile\n\nLe lun. 2 nov. 2026 à 10:30, {OFFICE} a\nécrit :\n\n{_QUOTED}"
    ),
    "gmail, name and phone unmarked": lambda t: (
        f"{t}\n\nJean Dupont\nAtelier Dupont SARL\n12 rue des Lilas, 35000 Rennes\nTél. : 02 99 00 11 22\n\n"
        f"Le lun. 2 nov. 2026 à 10:30, {OFFICE} a écrit :\n\n{_QUOTED}"
    ),
    "huawei": lambda t: (
        f"{t}\n\nEnvoyé depuis mon téléphone Huawei\n\n\n-------- Message original --------\nObjet : Votre devis\n"
        f"De : Figurative \nÀ : client@example.com\nCc : \n\n\n{LETTER}"
    ),
    "android, orange application": lambda t: (
        f"{t}\n\nEnvoyé de mon mobile Orange\n\n---- Figurative a écrit ----\n\n{LETTER}"
    ),
    "samsung in English": lambda t: (
        f"{t}\n\nSent from my Galaxy\n\n\n-------- Original message --------\nFrom: {OFFICE}\n"
        f"Date: 02/11/2026 10:30 (GMT+01:00)\nTo: client@example.com\nSubject: Votre devis\n\n{LETTER}"
    ),
    "no mark, wrapped again": lambda t: (
        f"{t}\n\n" + "\n".join(textwrap.wrap(" ".join(LETTER.split()), 38))
    ),
    "no mark, answer below": lambda t: f"{LETTER}\n\n{t}",
    "spaces before the quote signs": lambda t: (
        f"{t}\n\n  Le 2 nov. 2026 à 10:30, {OFFICE} a écrit :\n"
        + "\n".join(f"  | {line}" for line in LETTER.split("\n"))
    ),
    "two quotes deep": lambda t: (
        f"{t}\n\nLe lun. 2 nov. 2026 à 10:30, {OFFICE} a écrit :\n\n{_QUOTED}\n>\n> Le dim. 1 nov. 2026 à "
        f"09:00, Jean Dupont <client@example.com> a écrit :\n>\n>> Bonjour, je souhaite un devis.\n"
    ),
    "antivirus line": lambda t: (
        f"{t}\n\n--\nCet e-mail a été vérifié par le logiciel antivirus d'Avast.\nwww.avast.com\n\n"
        f"Le 02/11/2026 à 10:30, Figurative a écrit :\n{_QUOTED}\n"
    ),
    "disclaimer on several lines": lambda t: (
        f"{t}\n\nBien cordialement,\n\nJean Dupont\nAtelier Dupont\n\nCe message et ses pièces jointes peuvent "
        "contenir des informations confidentielles.\nSi vous n'êtes pas le destinataire, ne le copiez pas "
        f"et détruisez-le.\n\n{_HEADERS_FR}\n\n{LETTER}"
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
    "outlook on the web html": lambda t: (
        f'<body><div class="elementToProof" style="color: rgb(0, 0, 0);">{t}</div><div id="appendonsend"></div>'
        f'<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>De :</b> '
        "Figurative<br><b>Envoyé :</b> lundi 2 novembre 2026 10:30<br><b>À :</b> client<br><b>Objet :</b> "
        f"Votre devis</div><div>{_HTML_LETTER}</div></body>"
    ),
    "outlook on a phone html": lambda t: (
        f'<body><div dir="ltr">{t}</div><div id="ms-outlook-mobile-signature">Télécharger <a href="https://'
        f'aka.ms/o0ukef">Outlook pour iOS</a></div><hr><div id="divRplyFwdMsg"><b>De :</b> Figurative<br>'
        f"<b>Envoyé :</b> lundi 2 novembre 2026 10:30<br><b>À :</b> client<br><b>Objet :</b> devis</div>{_HTML_LETTER}</body>"
    ),
    "thunderbird html": lambda t: (
        f'<body><p>{t}</p><div class="moz-cite-prefix">Le 02/11/2026 à 10:30, Figurative a écrit :<br></div>'
        f'<blockquote type="cite" cite="mid:x@figurative.example">{_HTML_LETTER}</blockquote></body>'
    ),
    "thunderbird html, answer below": lambda t: (
        f'<body><div class="moz-cite-prefix">Le 02/11/2026 à 10:30, Figurative a écrit :<br></div>'
        f'<blockquote type="cite">{_HTML_LETTER}</blockquote><p>{t}</p><div class="moz-signature">-- <br>'
        "Jean Dupont</div></body>"
    ),
    "apple mail html": lambda t: (
        f'<html><body style="overflow-wrap: break-word;">{t}<br id="lineBreakAtBeginningOfMessage"><div><br>'
        f'<blockquote type="cite"><div>Le 2 nov. 2026 à 10:30, Figurative a écrit :</div><br><div>'
        f"{_HTML_LETTER}</div></blockquote></div></body></html>"
    ),
    "protonmail html": lambda t: (
        f'<div style="font-family: Arial; font-size: 14px;">{t}</div><div class="protonmail_signature_block">'
        '<div class="protonmail_signature_block-user"></div><div>Envoyé avec la messagerie sécurisée '
        f'Proton Mail.</div></div><div class="protonmail_quote">Le lundi 2 novembre 2026, Figurative a '
        f'écrit :<br><blockquote class="protonmail_quote">{_HTML_LETTER}</blockquote></div>'
    ),
    "orange html": lambda t: (
        f'<p>{t}</p><blockquote style="margin-left: 5px; padding-left: 5px; border-left: 2px solid #0000ff;">'
        '&gt; Message du 02/11/26 10:30<br>&gt; De : "Figurative" &lt;support@figurative.example&gt;<br>'
        f"&gt; A : client@example.com<br>&gt; Objet : Votre devis<br>&gt; <br>{_HTML_LETTER}</blockquote>"
    ),
    "zimbra html": lambda t: (
        f'<div style="font-family: arial"><div>{t}</div><div><br></div><hr id="zwchr" data-marker="__DIVIDER__">'
        '<div data-marker="__HEADERS__"><b>De: </b>"Figurative"<br><b>À: </b>"client"<br><b>Envoyé: </b>Lundi '
        f'2 Novembre 2026<br><b>Objet: </b>Votre devis</div><div data-marker="__QUOTED_TEXT__">{_HTML_LETTER}'
        "</div></div>"
    ),
    "samsung html": lambda t: (
        f'<div dir="auto">{t}</div><div dir="auto"><br></div><div id="composer_signature" dir="auto">Envoyé '
        "depuis mon appareil Galaxy</div><div><br></div><div>-------- Message d'origine --------</div>"
        f"<div>De : Figurative </div><div>Date : 02/11/2026 </div><div>À : client </div><div>Objet : "
        f"devis </div>{_HTML_LETTER}"
    ),
    "roundcube html": lambda t: (
        f'<p>{t}</p><div id="signature"></div><p id="reply-intro">Le 2026-11-02 10:30, Figurative a écrit :</p>'
        f'<blockquote type="cite">{_HTML_LETTER}</blockquote>'
    ),
    "word html with a table": lambda t: (
        f"<body><style>p.MsoNormal {{margin:0cm;}} .x {{display:block}}</style><table><tr><td>{t}</td></tr>"
        "</table><p>Jean Dupont</p><p>Atelier Dupont</p><div style='border:none;border-top:solid #E1E1E1 "
        "1.0pt'><p><b>De :</b> Figurative<br><b>Envoyé :</b> lundi 2 novembre 2026 10:30<br><b>À :</b> client<br><b>Objet :</b> "
        f"devis</p></div>{_HTML_LETTER}</body>"
    ),
    "no mark html": lambda t: f"<div>{t}</div><br>{_HTML_LETTER}",
    "yahoo html": lambda t: (
        f'<div>{t}</div><div class="yahoo_quoted"><div>Le lundi 2 novembre 2026 à 10:30, Figurative '
        f"a écrit :</div>{_HTML_LETTER}</div>"
    ),
}
