"""Clauses that refuse by how they are built, and those that only look so."""

import pytest

from figsupport.core.denials import denies
from figsupport.core.replies import read
from figsupport.core.words import words
from tests.test_replies import CLIENT, INFO, PHRASES, QUOTE, mail


def meaning(text: str, asked: object = QUOTE) -> str:
    return read(mail(text), asked, CLIENT, "Claire Martin", PHRASES).intent  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "clause",
    [
        "on ne la commandera finalement pas",
        "nous n'allons pas donner suite à votre proposition",
        "je vais pas signer",
        "mon mari ne veut pas",
        "ma directrice ne souhaite pas poursuivre",
        "on y va pas",
        "j'ai décidé de ne pas la faire modéliser",
        "je n'ai pas l'intention de commander",
        "nous vous informons que nous ne passerons pas commande",
        "je ne prends pas cette offre",
        "souhaite pas continuer",
        "we won't be needing this after all",
        "i don't want the model",
        "my boss doesn't want it",
        "let's not do this",
    ],
)
def test_a_negated_verb_of_ordering_refuses(clause: str) -> None:
    assert denies(words(clause), PHRASES)


@pytest.mark.parametrize(
    "clause",
    [
        "je commande",
        "je ne sais pas",
        "je commande sans aucun doute",
        "n'hésitez pas à commander",  # not the client's own verb
        "elle ne prend pas beaucoup de place",
        "je ne prends pas le train",  # « prendre » means too many things
        "je ne commande jamais sans lire",
        "je ne valide pas encore",
        "nous ne signons pas en ligne",
        "je ne commande pas chaises noires tables basses",  # too much is not understood
        "je n'ai pas vu ce que je commande",
        "je ne dis pas rien commander",
    ],
)
def test_what_is_ours_alone_for_good_and_whole_is_refused(clause: str) -> None:
    assert denies(words(clause), PHRASES) is None


@pytest.mark.parametrize(
    "clause",
    [
        "entre-temps j'ai revendu la chaise",
        "je l'ai revendue",
        "lampe vendue ce matin",
        "la chaise a été volée",
        "elle a brûlé",
        "l'idée est abandonnée",
        "we sold the chair",
        "the project was cancelled",
        "on a annulé le projet",
    ],
)
def test_an_object_that_is_gone_or_a_project_that_is_over_refuses(clause: str) -> None:
    assert denies(words(clause), PHRASES)


@pytest.mark.parametrize(
    "clause",
    [
        "vendue",  # nothing is named
        "j'ai vendu",
        "j'ai vendu ma voiture",
        "la chaise n'est pas vendue",
        "l'assise est brûlée",
        "elle est vendue avec son coussin",
        "elle est vendue chez tous les bons marchands de la ville",
        "le fauteuil de la grande salle du premier étage est vendu",
        "le rendez-vous est annulé",
        "mon abonnement est annulé",
        "nous vendus",
    ],
)
def test_a_part_or_something_else_that_is_gone_does_not(clause: str) -> None:
    assert denies(words(clause), PHRASES) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("On ne prendra pas cette offre.", "refuse"),
        ("Devis ok. On a vendu la chaise à un industriel.", "unclear"),
        ("Nous ne validons pas ce devis. Bonne continuation à vous.", "refuse"),
        ("On ne prendra pas cette offre avant septembre.", "unclear"),
        ("On ne prendra pas l'option animation.", "unclear"),
        ("Je vous donne mon accord. On ne prendra pas cette offre.", "unclear"),
        ("je valide et j'annule", "unclear"),
        ("Je valide Je refuse", "unclear"),
        ("Devis accepté, je n'ai pas les moyens.", "unclear"),
        ("Devis accepté, la boutique a fermé provisoirement.", "unclear"),
        ("ok, annulez alors", "refuse"),
        ("Même à 1 crédit je ne prends pas.", "refuse"),
        ("Deal, let's go with the quote as it stands.", "unclear"),
        ("La chaise ne fait plus partie de la collection.", "refuse"),
        ("Désolé, message envoyé par erreur.", "unclear"),
        ("??", "question"),
        ("c'est TTC ou HT", "question"),
        ("jusqu'à quand je peux répondre", "question"),
        ("Mon collègue Julien est en congé jusqu'à lundi, il vous répondra.", "unclear"),
    ],
)
def test_what_refuses_beside_a_quote(text: str, expected: str) -> None:
    assert meaning(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ci-joint.", "more_info"),
        ("Voici.", "more_info"),
        ("photos jointes", "more_info"),
        ("Les cotes sont dans le PDF.", "more_info"),
        ("42 centimètres", "more_info"),
        ("18 de large", "more_info"),
        ("46/40/88", "more_info"),
        ("Merci.", "unclear"),
        ("Ok je mesure et je vous dis", "unclear"),
        ("Elle rentre le 20.", "unclear"),
        ("La lampe est au garde-meuble.", "unclear"),
        ("Sure, give me a couple of days.", "unclear"),
        ("Waiting for the supplier to send me the drawing.", "unclear"),
        ("Let me check what I have.", "unclear"),
        ("Lampe vendue ce matin.", "refuse"),
    ],
)
def test_what_a_request_for_information_is_answered(text: str, expected: str) -> None:
    assert meaning(text, INFO) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Accusé de lecture\nVotre message « Votre devis » a été lu le 14/03/2025 à 08:52.",
        "Lu : Votre devis\nle lundi 3 février 2025 à 11:20",
        "Accepté : Point devis\nmardi 18 mars 2025 10:00 - 10:30",
        "Marc Delmas a accepté votre invitation.",
        "Declined: Photos call @ Wed 5 Mar 2025 11am - 11:30am",
        "550 5.1.1 User unknown",
        "Votre demande a été enregistrée sous le numéro de ticket #48213.",
        "Message refusé par le serveur distant : 552 5.2.2 Quota dépassé.",
        "Cette boîte est protégée par MailInBlack.",
        "Je ne fais plus partie de la société. Merci d'écrire à contact@lenoir.example.",
        "Thanks! Our office hours are Mon-Fri 9am-5pm. This mailbox is automated.",
    ],
)
def test_machines_are_known_by_what_they_write(text: str) -> None:
    assert meaning(text) == "auto_reply"
