"""The administrator's digest: decided and saved, sent, saved again; never twice for one day."""

from figsupport import steps
from figsupport.core.digest import Digest, write_digest
from figsupport.services import Services

_NAME = "digest"


def send_digest(services: Services) -> bool:
    """Send today's digest when it is due and something waits; tell whether a letter left.

    The caller holds the lock of `poll`. A digest that could not leave on its day is left to the
    next one.
    """
    now, cases = services.now(), services.cases
    day = services.directives.delays.digest_day(now)
    if day is None:
        return False
    kept = cases.recall(_NAME)
    digest = Digest.model_validate_json(kept) if kept else None
    in_doubt = digest is not None and digest.day >= day
    if digest is None or not in_doubt:
        templates, office = services.directives.templates, services.office
        digest = write_digest(
            cases.open_cases(), cases.waiting_mails(), day, now, templates, office
        )
        cases.keep(_NAME, digest.model_dump_json())
    if digest.done or digest.letter is None:
        return False
    steps.send_email_to_contact(digest.letter, services.mail, in_doubt=in_doubt)
    cases.keep(_NAME, digest.model_copy(update={"done": True}).model_dump_json())
    return True
