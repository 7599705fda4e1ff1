"""The composition root: which adapter serves each port, built on first use."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from figsupport import ports
from figsupport.core.compose import Office
from figsupport.core.events import Event, Listener
from figsupport.core.model import Cost, FileRef, Language
from figsupport.errors import FigsupportError
from figsupport.settings import Settings

if TYPE_CHECKING:
    from figsupport.adapters.database import Database
    from figsupport.adapters.http import Patience
    from figsupport.adapters.hubspot import HubSpotDesk
    from figsupport.core.rules import Directives
    from figsupport.steps import Beside, Bring, Recognise

_MOST_PHOTOS = 6
_LARGEST_PHOTO = 30_000_000

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class Services:
    """The ports of one run. Each is built when it is first asked for."""

    def __init__(self, settings: Settings, now: Clock = utc_now) -> None:
        self.settings = settings
        self.now = now
        #: Told how far a large file is on its way to the store: name, bytes gone, bytes in all.
        self.moved: Callable[[str, int, int], None] | None = None
        #: Told, for people, what a run had to do without.
        self.warn: Callable[[str], None] = lambda sentence: None
        #: Told of steps, calls and rounds as they happen.
        self.listeners: tuple[Listener, ...] = ()
        self.adapters = settings.adapters()

    @cached_property
    def directives(self) -> "Directives":
        """The business rules. Raises InvalidDirectives."""
        from figsupport import directives

        return directives.load(self.settings.figsupport_directives or directives.default_folder())

    @cached_property
    def office(self) -> Office:
        """Who writes our letters."""
        sender = self.settings.mail_from or "Figurative <support@localhost>"
        return Office(
            sender=sender,
            domain=sender.rpartition("@")[2].strip("<> ") or "localhost",
            administrator=self.settings.admin_email or "admin@localhost",
        )

    @cached_property
    def desk(self) -> ports.Desk:
        """The support desk."""
        built: ports.Desk = self._build("desk")
        return built

    @cached_property
    def board(self) -> ports.Board:
        """The production board."""
        built: ports.Board = self._build("board")
        return built

    @cached_property
    def mail(self) -> ports.Mail:
        """Letters out."""
        built: ports.Mail = self._build("mail")
        return built

    @cached_property
    def store(self) -> ports.Store:
        """Clients' files."""
        built: ports.Store = self._build("store")
        return built

    @cached_property
    def judge(self) -> ports.Judge:
        """The judge of requests and replies."""
        built: ports.Judge = self._build("judge")
        return built

    @cached_property
    def cases(self) -> ports.Cases:
        """The journal: on this machine, or the fleet's."""
        if self.settings.figsupport_database_url is not None:
            from figsupport.adapters.postgres import PostgresCases

            return PostgresCases(self.settings.secret("FIGSUPPORT_DATABASE_URL"))
        from figsupport.adapters.cases import LocalCases

        return LocalCases(self.settings.home, self.settings.figsupport_sync)

    @cached_property
    def deliveries(self) -> ports.Deliveries:
        """The webhook deliveries that came."""
        from figsupport.adapters.deliveries import Deliveries

        return Deliveries(self.settings.home, self.now)

    @cached_property
    def desk_file(self) -> "Database":
        """The file that the embedded desk and board share."""
        from figsupport.adapters.local_desk import open_desk

        return open_desk(self.settings.home, self.settings.figsupport_sync)

    def bring(self, language: Language) -> "Bring":
        """Return what brings a client's file here; its problems are told in this language."""
        from figsupport.files.bring import bringer

        return bringer(
            self.settings.home / "spool",
            self.settings.limits,
            self.settings.allow_hosts,
            language,
        )

    def beside(self, files: "Sequence[FileRef]") -> "Beside":
        """Return what finds the files of a request that another of its files names.

        They are brought again, within a limit of their own.
        """
        from figsupport.files.bring import beside

        return beside(files, self.bring("fr"))

    def recognise(self, language: Language) -> "Recognise":
        """Return what tells what a client's file is; its problems are told in this language."""
        from figsupport.files.recognise import recogniser

        return recogniser(self.directives.grid, language)

    def small_photos(self, files: Sequence[FileRef]) -> tuple[bytes, ...]:
        """Return the first photos of a request as a model sees them."""
        from figsupport.files.bring import bringer
        from figsupport.files.photo_copies import small_photos

        spool, limits = self.settings.home / "spool", self.settings.limits
        limits = limits._replace(file_size=min(limits.file_size, _LARGEST_PHOTO))
        bring = bringer(spool, limits, self.settings.allow_hosts, "fr")
        return tuple(small_photos(files, bring, _MOST_PHOTOS))

    def again(self) -> "Services":
        """Return services for another thread; only what never changes is shared."""
        other = Services(self.settings, self.now)
        other.warn = self.warn
        other.__dict__["directives"] = self.directives  # reading them costs 40 ms
        return other

    def spent(self) -> Cost | None:
        """Return what the judge cost since this was last asked, None when nothing."""
        take = getattr(self.__dict__.get("judge"), "take_cost", None)
        return take() if take else None

    def calls(self) -> dict[str, int]:
        """Return how many calls each live provider got in this run."""
        built = {
            port: self.__dict__[port] for port in self.adapters._fields if port in self.__dict__
        }
        return {
            getattr(self.adapters, port): adapter.calls
            for port, adapter in built.items()
            if hasattr(adapter, "calls")
        }

    def tell(self, event: Event) -> None:
        """Tell every listener; the work goes on whatever becomes of a log or a count."""
        for listen in self.listeners:
            with suppress(OSError, FigsupportError):
                listen(event)

    def scrub(self) -> None:
        """Rewrite what we hold ourselves without what was deleted from it."""
        for part in (self.cases, self.desk_file if "desk_file" in self.__dict__ else None):
            if (scrub := getattr(part, "scrub", None)) is not None:
                scrub()

    def close(self) -> None:
        """Close what was opened."""
        for part in (*self.adapters._fields, "cases", "deliveries", "desk_file"):
            if (close := getattr(self.__dict__.get(part), "close", None)) is not None:
                close()

    def _build(self, port: str) -> Any:  # each property above says its port
        return FACTORIES[port, getattr(self.adapters, port)](self)


def _local_desk(services: Services) -> ports.Desk:
    from figsupport.adapters.local_desk import LocalDesk
    from figsupport.adapters.maildir import Inbox

    inbox = Inbox(services.settings.home / "mail", services.settings.figsupport_sync)
    return LocalDesk(services.desk_file, inbox, services.now)


def _local_board(services: Services) -> ports.Board:
    from figsupport.adapters.local_desk import LocalBoard

    return LocalBoard(services.desk_file, services.now)


def _local_mail(services: Services) -> ports.Mail:
    from figsupport.adapters.maildir import LocalMail

    return LocalMail(
        services.settings.home / "mail" / "outbox",
        services.office.sender,
        services.now,
        services.settings.figsupport_sync,
    )


def _local_store(services: Services) -> ports.Store:
    from figsupport.adapters.local_store import LocalStore

    return LocalStore(services.settings.home / "files", services.settings.figsupport_sync)


def _r2(services: Services) -> ports.Store:
    from figsupport.adapters.r2 import Bucket, R2Store

    settings = services.settings
    bucket = Bucket(
        settings.r2_bucket_name or "",
        settings.r2_endpoint_url or "",
        settings.r2_public_url or "",
        settings.r2_access_key_id or "",
        settings.secret("R2_SECRET_ACCESS_KEY"),
    )
    timeout = settings.figsupport_timeout
    return R2Store(bucket, services.moved, timeout=timeout, hear=services.tell)


def _rules(services: Services) -> ports.Judge:
    from figsupport.adapters.rules import RulesJudge

    bare_yes = services.settings.figsupport_bare_yes == "accept"
    return RulesJudge(services.directives, bare_yes=bare_yes)


def _claude(services: Services) -> ports.Judge:
    from figsupport.adapters.claude import ClaudeJudge
    from figsupport.adapters.claude_api import ClaudeApi

    settings, directives = services.settings, services.directives
    key, url = settings.secret("ANTHROPIC_API_KEY"), settings.anthropic_base_url
    return ClaudeJudge(
        _rules(services),
        ClaudeApi(key, url, directives.briefing.tariffs, hear=services.tell),
        (settings.figsupport_model, settings.figsupport_second_model),
        directives,
        services.small_photos,
        warn=services.warn,
    )


def _clickup(services: Services) -> ports.Board:
    from figsupport.adapters.clickup import ClickUpBoard, open_api

    settings = services.settings
    key, url = settings.secret("CLICKUP_API_KEY"), settings.clickup_base_url
    return ClickUpBoard(
        open_api(key, url, patience=_patience(settings), hear=services.tell),
        settings.clickup_parent_task_id or "",
        assignee=settings.clickup_assignee_id,
        settle=settings.figsupport_settle,
    )


def _patience(settings: Settings) -> "Patience":
    from figsupport.adapters.http import Patience

    return Patience(settings.figsupport_timeout, settings.figsupport_backoff)


def _hubspot(services: Services) -> "HubSpotDesk":
    from figsupport.adapters.hubspot import Account, HubSpotDesk, Portal, open_api

    settings = services.settings
    portal = Portal(
        settings.hubspot_hub_id or "",
        settings.hubspot_pipeline_id or "",
        settings.hubspot_stage_new or "",
        settings.hubspot_stage_done or "",
    )
    account = Account(settings.home / "hubspot.json")
    key, url = settings.secret("HUBSPOT_API_KEY"), settings.hubspot_base_url
    http = open_api(key, url, account, patience=_patience(settings), hear=services.tell)
    return HubSpotDesk(http, services.now, portal, account)


def _hubspot_mail(services: Services) -> ports.Mail:
    from figsupport.adapters.hubspot import HubSpotDesk, HubSpotMail

    desk = services.desk
    assert isinstance(desk, HubSpotDesk)  # noqa: S101 — the settings see to it
    relay = _smtp(services) if services.settings.smtp_host else None
    return HubSpotMail(desk, services.settings.hubspot_sender_user_id or "", relay)


def _smtp(services: Services) -> ports.Mail:
    from figsupport.adapters.smtp import Relay, SmtpMail

    settings = services.settings
    relay = Relay(
        settings.smtp_host or "",
        settings.smtp_port,
        settings.smtp_username or "",
        settings.secret("SMTP_PASSWORD"),
        settings.smtp_security,
    )
    timeout, sender = settings.figsupport_timeout, services.office.sender
    return SmtpMail(relay, sender, services.now, timeout=timeout, hear=services.tell)


#: (port, name) → adapter. Another desk is one adapter file and one line here.
FACTORIES: dict[tuple[str, str], Callable[[Services], Any]] = {
    ("desk", "local"): _local_desk,
    ("desk", "hubspot"): _hubspot,
    ("board", "local"): _local_board,
    ("board", "clickup"): _clickup,
    ("mail", "local"): _local_mail,
    ("mail", "smtp"): _smtp,
    ("mail", "hubspot"): _hubspot_mail,
    ("store", "local"): _local_store,
    ("store", "r2"): _r2,
    ("judge", "rules"): _rules,
    ("judge", "claude"): _claude,
}
