"""Forgetting: what we hold on a case goes, the journal's own line last.

Whoever is killed in the middle finds the case again and goes on; each part is safe to repeat.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from figsupport.core.keeping import Kept, is_evidence, is_outdated, reduced
from figsupport.core.model import Case
from figsupport.errors import Busy, FigsupportError
from figsupport.forms import lock_of, remove_files
from figsupport.services import Services

#: How many cases one round of `poll` forgets at most.
MOST_A_ROUND = 20


class Wiped(NamedTuple):
    """What went of a case (files), what stays of it (keys of evidence), what stays elsewhere."""

    files: int
    evidence: tuple[str, ...]
    stays: tuple[str, ...]


@contextmanager
def held_still(case_id: str, services: Services, wait: float = 0.0) -> Iterator[None]:
    """Keep everybody from a case and from the files of its form. Raises Busy after `wait` seconds.

    The form's lock comes first, as where a form is taken in.
    """
    with services.cases.lock(lock_of(case_id), wait), services.cases.lock(case_id, wait):
        yield


def wipe(case: Case, services: Services, *, evidence: bool, desk: bool) -> Wiped:
    """Delete what is held on a case outside of the journal; the caller holds it still.

    `evidence`: records of acceptances stay. `desk`: its ticket goes as well.
    """
    store, folder = services.store, services.store.secret_folder(case.id)
    records = tuple(filter(is_evidence, store.keys(folder))) if evidence else ()
    files = remove_files(services.settings.home, case.id) + store.remove(folder, keep=records)
    stays = services.mail.erase(case.reference)
    if desk and case.ticket is not None:
        stays += services.desk.erase_ticket(case.ticket.id)
    return Wiped(files, records, stays)


def forget(case: Case, wiped: Wiped, services: Services) -> None:
    """Delete a case that was wiped; where evidence stays, the journal keeps what it is of."""
    names = [key.rpartition("/")[2] for key in wiped.evidence]
    leaving = reduced(case, names[0], services.now()) if names else None
    services.cases.forget(case.id, leaving)


def retire(services: Services, errors: list[tuple[str, FigsupportError]]) -> int:
    """Forget finished cases that have been kept for as long as the directives say; count them.

    A live desk keeps its tickets, and goes by its own rules; the embedded one is ours.
    """
    limits = services.directives.retention.limits(services.now())
    count = 0
    for case_id in services.cases.outdated(limits, MOST_A_ROUND):
        try:
            with held_still(case_id, services):
                count += _retire(case_id, limits, services)
        except Busy:
            continue
        except FigsupportError as error:  # the next round tries again
            errors.append((case_id, error))
    return count


def retire_strangers(services: Services, errors: list[tuple[str, FigsupportError]]) -> None:
    """Forget mails that belong to no case, once they were kept for as long as directives say."""
    limit = services.directives.retention.limits(services.now()).get("stranger")
    if limit is None:
        return
    outdated = services.cases.outdated_messages(limit, MOST_A_ROUND)
    try:
        if outdated and services.adapters.desk == "local":
            services.desk.erase_messages(outdated)
    except FigsupportError as error:  # the next round tries again
        errors.append(("strangers", error))
        return
    for message_id in outdated:
        services.cases.forget_message(message_id)


def _retire(case_id: str, limits: Mapping[Kept, datetime], services: Services) -> bool:
    case = services.cases.load(case_id)
    if case is None or not is_outdated(case, limits):
        return False  # somebody was first
    ours = services.adapters.desk == "local"
    wiped = wipe(case, services, evidence=case.erased is None, desk=ours)
    if ours and case.contact is not None and not services.desk.tickets_of(case.contact.id):
        services.desk.erase_contact(case.request.user_email)
    forget(case, wiped, services)
    return True
