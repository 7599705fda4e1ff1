"""Letters in HubSpot: on the ticket's thread, else by our own mail server, else as a draft.

No API begins an e-mail thread. A letter that cannot leave is a note « à envoyer » on its
ticket: nothing is lost, and what was not sent is said.
"""

from figsupport.adapters.hubspot.desk import HubSpotDesk
from figsupport.core.model import Letter, Way
from figsupport.ports import Health, Mail

_NO_WAY = "no mail server: letters on tickets without a conversation are left as drafts. "
_NO_WAY += "Set SMTP_HOST and MAIL_FROM to send them"


class HubSpotMail:
    """See `ports.Mail`."""

    def __init__(self, desk: HubSpotDesk, user: str, relay: Mail | None) -> None:
        """`user`: the HubSpot user who answers on threads ("": nobody); `relay`: other letters."""
        self._desk, self._user, self._relay = desk, user, relay

    def send(self, letter: Letter) -> Way:
        """Let the letter leave by the first way that there is, or leave it as a draft."""
        if letter.thread and self._user:
            failure = self._desk.threads.write(letter, letter.thread, self._user)
            if not failure:
                return "thread"
        if self._relay is not None:
            return self._relay.send(letter)
        if letter.ticket_id:  # a letter about no ticket has no place to wait in
            self._desk.add_note(letter.ticket_id, letter.key, _draft(letter))
        return "draft"

    def was_sent(self, letter: Letter) -> Way | None:
        """Look on the thread and among the drafts; a mail server cannot tell."""
        if letter.thread and self._user and self._desk.threads.has(letter, letter.thread):
            return "thread"
        if self._relay is not None:
            return self._relay.was_sent(letter)
        drafted = letter.ticket_id and self._desk.has_note(letter.ticket_id, letter.key)
        return "draft" if drafted else None

    def erase(self, reference: str) -> tuple[str, ...]:
        """Say where copies are; drafts and answers on threads go with their ticket and contact."""
        return self._relay.erase(reference) if self._relay is not None else ()

    def check(self) -> Health:
        """Probe the mail server; without one, only answers on conversations leave."""
        return self._relay.check() if self._relay is not None else Health(False, _NO_WAY)


def _draft(letter: Letter) -> str:
    head = "LETTRE À ENVOYER — elle n'est pas partie : aucun moyen d'envoi n'est réglé."
    after = "Une fois envoyée : figsupport tickets " + (letter.ticket_id or "") + " --sent"
    return f"{head}\nÀ : {letter.to}\nObjet : {letter.subject}\n\n{letter.text}\n{after}"
