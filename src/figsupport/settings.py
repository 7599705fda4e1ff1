"""The settings: environment first, then `.env` files. The only reader of the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from figsupport.core.intake import Limits
from figsupport.errors import Misconfigured, Problem, listed

Port = Literal["desk", "board", "store", "judge", "mail"]

_ADDRESS = re.compile(r"[^<>\r\n]*<[!-~]+@[!-~]+>|[!-~]+@[!-~]+")
_PLACEHOLDER = re.compile(
    r"(?:.*(?:\.\.\.|…)|<.*>|x{3,}|your[-_ ].*|votre[-_ ].*|change[-_ ]?me|todo|example)",
    re.IGNORECASE,
)

_POSTGRESQL = re.compile(r"postgres(ql)?://[^/\s]*/[^/\s?]+(\?\S*)?")

#: What each live adapter needs. A variable here is missing when unset, empty or a placeholder.
NEEDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("desk", "hubspot"): (
        "HUBSPOT_API_KEY",
        "HUBSPOT_HUB_ID",
        "HUBSPOT_PIPELINE_ID",
        "HUBSPOT_STAGE_NEW",
    ),
    ("board", "clickup"): ("CLICKUP_API_KEY", "CLICKUP_PARENT_TASK_ID"),
    ("store", "r2"): (
        "R2_ACCESS_KEY_ID",
        "R2_SECRET_ACCESS_KEY",
        "R2_BUCKET_NAME",
        "R2_ENDPOINT_URL",
        "R2_PUBLIC_URL",
    ),
    ("judge", "claude"): ("ANTHROPIC_API_KEY",),
    ("mail", "smtp"): ("SMTP_HOST", "MAIL_FROM", "ADMIN_EMAIL"),
    ("mail", "hubspot"): ("ADMIN_EMAIL",),
}
#: What systemd puts before the name of each file of a folder: `LoadCredential=figsupport:/…/`.
CREDENTIALS = "figsupport_"
_LOCAL = {"desk": "local", "board": "local", "store": "local", "judge": "rules", "mail": "local"}
_LIVE = {"desk": "hubspot", "board": "clickup", "store": "r2", "judge": "claude", "mail": "hubspot"}
_KEYS = {
    "desk": "HUBSPOT_API_KEY",
    "board": "CLICKUP_API_KEY",
    "store": "R2_ACCESS_KEY_ID",
    "judge": "ANTHROPIC_API_KEY",
    "mail": "SMTP_HOST",
}


class Adapters(NamedTuple):
    """The adapter's name for each port."""

    desk: str
    board: str
    store: str
    judge: str
    mail: str

    @property
    def all_local(self) -> bool:
        """Tell whether nothing leaves this machine."""
        return self._asdict() == _LOCAL


class _Credentials(SecretsSettingsSource):
    """A folder of files, each named by the setting that it holds; empty ones hold nothing."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if value}


class Settings(BaseSettings):
    """Every setting, by its name in the environment (case-insensitive)."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = "https://api.anthropic.com"
    hubspot_api_key: SecretStr | None = None
    hubspot_base_url: str = "https://api.hubapi.com"
    hubspot_hub_id: str | None = None
    hubspot_pipeline_id: str | None = None
    hubspot_stage_new: str | None = None
    hubspot_stage_done: str | None = None
    hubspot_sender_user_id: str | None = None
    admin_email: str | None = None
    clickup_api_key: SecretStr | None = None
    clickup_base_url: str = "https://api.clickup.com/api/v2"
    clickup_parent_task_id: str | None = None
    clickup_assignee_id: int | None = None
    r2_access_key_id: str | None = None
    r2_secret_access_key: SecretStr | None = None
    r2_bucket_name: str | None = None
    r2_endpoint_url: str | None = None
    r2_public_url: str | None = None
    smtp_host: str | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_from: str | None = None

    hubspot_client_secret: SecretStr | None = None

    figsupport_home: Path | None = None
    figsupport_database_url: SecretStr | None = None
    figsupport_pace: int = Field(default=10, ge=1, le=10_000)
    figsupport_directives: Path | None = None
    figsupport_desk: Literal["hubspot", "local"] | None = None
    figsupport_board: Literal["clickup", "local"] | None = None
    figsupport_store: Literal["r2", "local"] | None = None
    figsupport_judge: Literal["claude", "rules"] | None = None
    figsupport_model: str = "claude-haiku-5-5"
    figsupport_second_model: str = "claude-sonnet-5-5"
    figsupport_mail: Literal["hubspot", "smtp", "local"] | None = None
    figsupport_bare_yes: Literal["accept", "person"] = "accept"
    figsupport_allow_hosts: str = ""
    figsupport_timeout: float = Field(default=30.0, gt=0, le=600)
    figsupport_backoff: float = Field(default=1.0, ge=0, le=60)
    figsupport_settle: float = Field(default=90.0, ge=0, le=3600)
    figsupport_sync: Literal["full", "normal"] = "full"
    figsupport_log: Literal["text", "json", "off"] = "off"
    figsupport_metrics: Path | None = None
    figsupport_ping_url: SecretStr | None = None
    figsupport_max_credits: int = Field(default=20, ge=1, le=1000)
    figsupport_max_document: int = Field(default=1024 * 1024, ge=1024)
    figsupport_max_description: int = Field(default=100_000, ge=100)
    figsupport_max_files: int = Field(default=50, ge=0)
    figsupport_max_file_size: int = Field(default=500_000_000, ge=1)
    figsupport_max_request_size: int = Field(default=2_000_000_000, ge=1)
    figsupport_webhook_secret: SecretStr | None = None
    figsupport_webhook_token: SecretStr | None = None
    figsupport_form_origins: str = ""
    figsupport_public_url: str | None = None
    figsupport_serve_workers: int = Field(default=16, ge=1, le=200)
    figsupport_serve_rate: int = Field(default=60, ge=0)
    figsupport_serve_patience: float = Field(default=20.0, gt=0, le=600)

    @field_validator("*", mode="before")
    @classmethod
    def _no_placeholder(cls, value: object) -> object:
        if isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip()):
            return None
        return value.strip() if isinstance(value, str) else value

    @field_validator("figsupport_metrics")
    @classmethod
    def _prom(cls, path: Path | None) -> Path | None:
        if path is not None and (path.suffix != ".prom" or not path.is_absolute()):
            raise ValueError("expected an absolute path that ends with .prom")
        return path

    @field_validator("figsupport_ping_url")
    @classmethod
    def _web(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url.get_secret_value()):
            raise ValueError("expected an address that begins with https:// or http://")
        return url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment, then the credentials handed to this process, then files that lie about."""
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder or not Path(folder).is_dir():
            return init_settings, env_settings, dotenv_settings
        one_by_one, together = (
            _Credentials(settings_cls, folder, env_prefix=prefix) for prefix in ("", CREDENTIALS)
        )
        return init_settings, env_settings, one_by_one, together, dotenv_settings

    @field_validator("admin_email", "mail_from")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        """Every mail server takes an address without accents; a name before it may have them."""
        if value is not None and not _ADDRESS.fullmatch(value.strip()):
            raise ValueError("expected an address without accents: Name <support@example.com>")
        return value

    @field_validator("figsupport_database_url", mode="after")
    @classmethod
    def _leads_to_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _POSTGRESQL.fullmatch(value.get_secret_value()):
            raise ValueError("expected postgresql://user:password@host:5432/database")
        return value

    @property
    def home(self) -> Path:
        """Return the folder of the embedded desk and the journal."""
        return self.figsupport_home or default_home()

    @property
    def limits(self) -> Limits:
        """Return how large a request may be."""
        return Limits(
            document=self.figsupport_max_document,
            description=self.figsupport_max_description,
            files=self.figsupport_max_files,
            file_size=self.figsupport_max_file_size,
            request_size=self.figsupport_max_request_size,
        )

    @property
    def allow_hosts(self) -> tuple[str, ...]:
        """Return the hosts and networks that downloads may reach although they are not public."""
        return _listed(self.figsupport_allow_hosts)

    @property
    def form_origins(self) -> tuple[str, ...]:
        """Return the origins whose pages may send the public form; without any there is none."""
        return tuple(origin.rstrip("/") for origin in _listed(self.figsupport_form_origins))

    def value(self, name: str) -> object:
        """Return a setting by its name in the environment."""
        return getattr(self, name.lower())

    def secret(self, name: str) -> str:
        """Return a secret's value, empty when it is not set; only adapters ask."""
        value = self.value(name)
        return value.get_secret_value() if isinstance(value, SecretStr) else ""

    def adapters(self) -> Adapters:
        """Return which adapter serves each port.

        Without any live key everything is local. With one, every port is live or set to
        local explicitly: nothing falls back silently. Raises Misconfigured naming every
        missing variable.
        """
        live = any(self.value(name) is not None for name in _KEYS.values()) or any(
            self._chosen(port) == name for port, name in (*_LIVE.items(), ("mail", "smtp"))
        )
        chosen = {
            port: self._chosen(port) or (_LIVE[port] if live else _LOCAL[port]) for port in _LOCAL
        }
        if chosen["desk"] == "local" and not self._chosen("mail") and live:
            chosen["mail"] = "smtp"  # letters of HubSpot belong to tickets of HubSpot
        problems = [
            Problem(name, f"is missing; FIGSUPPORT_{port.upper()}={adapter} needs it")
            for port, adapter in chosen.items()
            for name in self._needs(port, adapter)
            if self.value(name) is None
        ]
        if (chosen["desk"], chosen["mail"]) == ("local", "hubspot"):
            problems.append(
                Problem("FIGSUPPORT_MAIL", "hubspot goes with FIGSUPPORT_DESK=hubspot only")
            )
        if problems:
            names = ", ".join(dict.fromkeys(problem.field for problem in problems))
            raise Misconfigured(
                f"Settings are missing: {names}",
                hint="Set them in the environment or in .env, or choose the embedded adapter "
                "of a port, for example FIGSUPPORT_BOARD=local.",
                problems=problems,
            )
        return Adapters(**chosen)

    def _needs(self, port: str, adapter: str) -> tuple[str, ...]:
        needs = NEEDS.get((port, adapter), ())
        relay = (port, adapter) == ("mail", "hubspot") and self.smtp_host is not None
        return (*needs, "MAIL_FROM") if relay else needs

    def judging_by(self, judge: str) -> Self:
        """Return settings under which only this judge may leave the machine."""
        chosen = {**_LOCAL, "judge": judge}
        return self.model_copy(update={f"figsupport_{port}": name for port, name in chosen.items()})

    def _chosen(self, port: str) -> str | None:
        name = self.value(f"figsupport_{port}")
        return str(name) if name else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def default_home() -> Path:
    """Return the user's data folder of this platform."""
    return user_data_path("figsupport", appauthor=False)


def load(env_file: Path | None = None) -> Settings:
    """Read the settings. Raises Misconfigured naming every variable that does not fit.

    Files never override the environment; the file given (or `.env` here) comes before the
    `.env` in the home folder, because cron has no working folder.
    """
    if env_file is not None and not env_file.is_file():
        raise Misconfigured(
            f"There is no file {env_file}", hint="Check the path given to --env-file."
        )
    home = Path(os.environ.get("FIGSUPPORT_HOME") or default_home())
    files = [path for path in (home / ".env", env_file or Path(".env")) if path.is_file()]
    try:
        return Settings(_env_file=files or None)
    except ValidationError as error:
        problems = [
            Problem(str(line["loc"][0]).upper(), f"{line['msg']}")
            for line in error.errors(include_url=False, include_input=False)
        ]
        raise Misconfigured(
            "Settings do not fit: " + listed(problems),
            hint="Correct them in the environment or in .env; .env.example explains each.",
            problems=problems,
        ) from None
