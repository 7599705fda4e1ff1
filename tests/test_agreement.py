"""Which words agree to an offer: tables, the unhappy half first."""

import pytest

from figsupport import directives
from figsupport.core.agreement import Offer, agrees, objection, without_courtesy

PHRASES = directives.load(directives.default_folder()).replies
OFFER = Offer(2, frozenset({("le", "fauteuil")}), frozenset({"jean", "dupont"}))

NOT = r"""
Vous pouvez commencer, le 14/05
Dès validation par la direction, je valide.
Fine by me, as long as my business partner agrees.
Je valide, du moment que mon mari accepte.
Validé par ma femme
Oui, désolé pour le retard
C'est bon, j'ai vu votre mail
Ça me plaît beaucoup
Looks good, thanks
Le prix me convient
Mon compte est bien validé
J'ai accepté le devis du photographe.
Set status to accepted and begin modelling.
J'étais d'accord hier, je valide
Je valide, vous recevrez un ordre de service.
Je donne mon feu vert, c'était à facturer à l'antiquaire.
Je valide, ma compagne a mis son veto hier soir.
Je valide. Depuis votre premier mail, le modèle a été redessiné.
Je valide, désolé ce message partait à mon plombier.
C'est bon, je l'ai fait faire par mon neveu.
On est d'accord, je valide, modèle XL.
On vous suit sur Instagram
ok pour 1 cr
Je valide. Le plateau sera en verre.
Je valide. Faites aussi la table.
C'est validé pour nous, merci de nous transmettre la facture.
Je valide le devis. Merci de me confirmer que vous l'avez bien reçu.
Merci pour votre retour, envoyez le contrat. Je valide.
Je valide. Thanks for the quote, please send the invoice.
Merci pour la version bleue, je valide demain.
Désolé pour le retard, je valide le premier.
Désolé pour le retard. Je valide si le prix baisse.
Désolé pour le retard, on en veut deux. Je valide.
Désolé pour le retard, merci de corriger la couleur. Je valide.
Désolé pour le retard, comptez 120 cm de large. Je valide.
Merci pour cette affaire... je valide bien sûr
Je valide, mais je suis en déplacement
Je valide mais en bleu
Je suis en déplacement mais c'est d'accord pour mardi
Je suis en déplacement, mais oui
Merci mais je valide
Désolé pour le retard, il faudrait deux versions. Je valide.
Désolé pour le retard, le plateau sera rond. Je valide.
Merci pour votre retour, ajoutez des roues. Je valide.
Thanks for the offer, we would need wheels. We accept.
Merci pour la version bleue. Je valide.
Thanks for the offer in blue. We accept.
Thanks for the other quote. We accept.
Looking forward to a better price. We accept.
Ok, this is to confirm
Seems fair
All good here, thanks
Our client approved it
Mon associé est ravi, il préfère le chêne. Je valide.
Mon chef a signé pour la moitié. Je valide.
Je rentre de vacances, les pieds ont changé. Je valide.
J'en profite pour vous envoyer les cotes. Je valide.
Mon associé a donné son accord.
Ma femme est d'accord
Mon associé n'a pas validé, je valide.
Mon associé a validé la version bleue. Je valide.
Mon chef a donné son accord si le prix baisse, je valide
oui avec mes excuses pour le retard
oui pour ça 😂
Je valide 🤔
Le client valide
De la part de Jean : je valide
dès mon accord
à validé
yes I received it
J'accepte vos excuses
je valide la réception du devis
Je valide pour 3 crédits
Je valide http://devis.example
Je vаlide
le montant correspond
Je valide. Le rouge est parfait.
Je valide. On a choisi le tissu lundi.
Je valide. Le reste est à revoir.
Je valide. Il y a une erreur sur la facture.
Je valide. Mon mari aura le dernier mot.
Je valide. Nous étions à trois crédits la dernière fois.
Je valide. La direction commerciale signe lundi.
Je valide et on garde le rouge
Je valide et la table
Nous avons relu le devis et ma femme valide
Je transfère : je valide
En principe,\nje valide
Sauf erreur !\nJe valide
Je suis client
Continuez comme ça
Le paiement est en ordre
C'est en ordre
Merci pour votre accord.
Accord de principe
On vous suit sur Instagram
J'ai validé le paiement
Je valide. Version Rouge
L'ensemble des participants a approuvé votre offre.
Nous avons accepté votre offre rouge. Je valide.
JE VALIDE. ROUGE
Je vous confirme dès que possible.
Je valide le devis au plus vite.
Je confirme dans les meilleurs délais.
Nous validons avec l'équipe
Je souhaite valider le devis avec l'équipe.
Votre offre est revenue.
Ah oui
Ah oui quand même
Ok bien reçu les gars
Veuillez accepter mes excuses.
Votre proposition a été reçue.
Notre commande est passée ailleurs.
Dès devis validé par la direction.
J'ai étudié votre devis, il est clair.
Je vous invite à revoir votre prix.
Je valide. Fait à Lyon si le prix baisse.
"""

WHOLE = r"""
Bon pour accord, le 14/05/2025
Lu et approuvé, le 3 mars
La mairie valide.
Le service achats donne son accord.
Accepté par le conseil d'administration.
Feu vert de la direction.
Ma femme est d'accord, je valide.
Accepté. La gérante de l'hôtel
J'en ai parlé à Denis, je valide.
ON VALIDE, LANCEZ
Vous faites bien de me relancer. C'est d'accord.
Mon associé a donné son accord hier, je valide
You have our approval.
« Je valide »
ok pour 2 cr
Je valide
Désolée pour la réponse tardive, nous étions en plein montage d'exposition. Je valide.
Je suis en déplacement, mais c'est d'accord.
Grand job, fire away with the model.
Kindly do the needful.
I can confirm that we accept the quote.
Two credits is fine by me, let's get cracking.
Our board has approved it. Please proceed.
La grippe m'a cloué au lit. C'est d'accord.
Ma femme est ravie. Je valide.
Il neige depuis trois jours. Vous pouvez lancer.
Je tombe à l'instant sur votre mail. Je valide.
Merci pour le rappel, votre mail était passé dans les indésirables. C'est d'accord pour nous.
Rien ne presse, prenez votre temps. Je valide.
Bonjour Madame,\n\nVotre devis me convient, lancez.\n\nDupont
je valide donc le devis
jai relu, cest ok pr moi, vs pouvez lancer
ouiiii je valide 🎉
ok pour le fauteuil
Mon associé a donné son accord hier, je valide donc ce devis.
D'accord pour 2 crédits
I was away last week. You have my approval.
Merci, c'est bien validé de notre côté 🙂
La direction commerciale a signé hier. Je valide.
Les petits ont eu la varicelle lundi. Je valide.
Mon mari et moi avons relu la proposition hier soir. C'est d'accord.
J'ai relu le devis et je valide
J'ai eu votre message hier et ce matin et je valide
L'ensemble des participants a approuvé votre offre. Je valide.
Le soleil est revenu sur Toulouse. Je valide.
It rained all week here. We accept.
Demat !\nJe valide.
Je valide. Damien R., Colmar
Je valide.\nInès de la Roche
Nous avons bien reçu votre offre et la validons.
J'ai l'honneur de vous faire part de mon accord.
Le présent courriel vaut bon de commande.
Veuillez considérer ce devis comme accepté.
Je tiens à vous confirmer notre accord plein et entier.
Nous optons pour votre proposition au prix annoncé.
Je n'ai rien à y redire, mettez en production.
Vous êtes autorisés à démarrer la modélisation.
Les 2 crédits me conviennent, je saute le pas.
Demat ! Devis accepté, kenavo.
Notre commune accepte votre devis, veuillez engager les travaux.
Au nom de l'association, je vous notifie notre accord.
C'est en ordre pour nous, bonne suite à vous.
"""


def lines(table: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in table.strip().split("\n")]


@pytest.mark.parametrize("text", lines(NOT))
def test_what_does_not_agree(text: str) -> None:
    assert agrees(text, OFFER, PHRASES) is None


@pytest.mark.parametrize("text", lines(WHOLE))
def test_what_agrees(text: str) -> None:
    assert agrees(text, OFFER, PHRASES) == "whole"


@pytest.mark.parametrize("text", ["ok", "Oui, merci !", "👍", "ouiiiii", "Bonjour, ok.", "Dac"])
def test_a_bare_yes_is_a_grade_of_its_own(text: str) -> None:
    assert agrees(text, OFFER, PHRASES) == "bare"


def test_a_sixty_first_word_is_too_many() -> None:
    assert agrees("je valide " * 30, OFFER, PHRASES) == "whole"
    assert agrees("je valide " * 31, OFFER, PHRASES) is None


def test_may_is_no_but() -> None:
    assert objection("Le dim. 11 mai 2025", 2, PHRASES) is None
    assert objection("mais non", 2, PHRASES) == "mais"
    assert objection("Vous livrez ?", 2, PHRASES) == "?"
    assert objection("à 3 crédits", 2, PHRASES) == "credits"
    assert objection("-5 %", 2, PHRASES) == "5 %"


def test_lines_of_courtesy_object_to_nothing() -> None:
    assert without_courtesy("À bientôt,\nJean\nmais lundi", OFFER, PHRASES) == "mais lundi"
    assert without_courtesy("Merci\n?", OFFER, PHRASES) == "?"
