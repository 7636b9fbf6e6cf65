"""Settings of the installation: ``ledger.toml`` in the home, ``LEDGER_*`` variables over it.

What the county decides (units, recipients, deadlines, names) is data and stands in the registry.
Passwords come from the environment alone (``LEDGER_SMTP__PASSWORD``, ``LEDGER_IMAP__PASSWORD``): a
home is copied, mailed and archived. See docs/decisions/0013 and docs/operations.md.
"""

from __future__ import annotations

import tomllib
from datetime import date, time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ledger.errors import UsageError
from ledger.home import Home


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Smtp(_Part):
    """The mail server for what is sent. Without `host` mails are written as .eml files."""

    host: str = ""
    port: int = Field(default=0, ge=0, le=65535, description="0: the usual one of `security`")
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")
    sender: str = Field(default="", description="address, or 姓名 <address>, that mails come from")
    reply_to: str = ""
    timeout_seconds: float = Field(default=60, gt=0)
    #: pauses before what a server put off, or could not be asked, is tried again in the same run
    retry_seconds: tuple[float, ...] = (2, 5, 15)
    ca_file: str = Field(default="", description="a certificate authority of the county's own")

    @property
    def set(self) -> bool:
        return bool(self.host)


class Imap(_Part):
    """The mailbox that units send to. Without `host` no mailbox is read."""

    host: str = ""
    port: int = Field(default=0, ge=0, le=65535)
    security: Literal["starttls", "tls", "none"] = "tls"
    user: str = ""
    password: SecretStr = SecretStr("")
    folder: str = "INBOX"
    timeout_seconds: float = Field(default=60, gt=0)
    ca_file: str = ""
    #: mails that arrived before are left alone; without it: before the programme's first month
    since: date | None = None
    #: a larger mail is not loaded, only told of
    max_megabytes: int = Field(default=50, ge=1, le=200)
    #: without it the mailbox is left exactly as it was found
    mark_seen: bool = False

    @property
    def set(self) -> bool:
        return bool(self.host)


class Schedule(_Part):
    """When the flows run, Asia/Shanghai. Days are days of the calendar month."""

    forms_day: int = Field(default=25, ge=1, le=28)
    #: days before (negative) and after (positive) the deadline on which reminders go out
    reminder_days: tuple[int, ...] = (-3, -1, 1, 3, 7)
    #: days after the deadline on which the month is run; later again whenever something arrived
    run_day: int = Field(default=1, ge=1, le=20)
    at: time = time(8, 0)
    #: how often the inbox and the mailbox are looked at
    fetch_minutes: int = Field(default=10, ge=1, le=1440)


class Runner(_Part):
    """Where batches of work run: threads of this process, or a Dask cluster."""

    kind: Literal["threads", "dask"] = "threads"
    workers: int = Field(default=2, ge=1, le=256)
    #: a running scheduler (tcp://…); blank: a local cluster of `workers` processes for the flow
    dask_address: str = ""
    batch_size: int = Field(default=50, ge=1, le=1000, description="files a task reads")


class Logs(_Part):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    #: a file a day; a full one is followed by another, and the oldest go
    megabytes: int = Field(default=5, ge=1)
    files: int = Field(default=60, ge=1)


class Web(_Part):
    """What people see in a browser beside Prefect's pages."""

    #: where the documents in reports/ are found; on a loopback address `ledger serve` serves them,
    #: elsewhere a web server of the office's own does
    documents_url: str = Field(default="http://127.0.0.1:4201", pattern=r"^https?://[^\s]+$")


class Settings(BaseSettings):
    """All settings. `Settings.load` reads them."""

    model_config = SettingsConfigDict(
        env_prefix="LEDGER_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    smtp: Smtp = Smtp()
    imap: Imap = Imap()
    schedule: Schedule = Schedule()
    runner: Runner = Runner()
    logs: Logs = Logs()
    web: Web = Web()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over what the file says."""
        return env_settings, init_settings

    @classmethod
    def load(cls, home: Home) -> Settings:
        """The settings of a home. Raises UsageError, in which no value is repeated, where they
        can't be used."""
        try:
            stated = tomllib.loads(home.settings.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            stated = {}
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError("ledger.toml 读不出来，请核对其写法（见 docs/operations.md）。") from error
        _refuse_secrets(stated)
        if unknown := sorted(stated.keys() - cls.model_fields.keys()):
            raise UsageError(f"ledger.toml 中没有 [{'、'.join(unknown)}] 这样的设置，请删去或改正。")
        try:
            return cls(**stated)._within(home)
        except ValidationError as error:
            places = sorted({".".join(map(str, one["loc"])) for one in error.errors(include_input=False)})
            raise UsageError(
                f"设置不对：{'、'.join(places)}。请改 ledger.toml，或改 LEDGER_ 开头的环境变量。"
            ) from None

    def _within(self, home: Home) -> Settings:
        """The same, files named relative to the home found from anywhere."""

        def found(part: Any) -> Any:
            return (
                part.model_copy(update={"ca_file": str(home.root / part.ca_file)}) if part.ca_file else part
            )

        return self.model_copy(update={"smtp": found(self.smtp), "imap": found(self.imap)})


def _refuse_secrets(stated: dict[str, Any]) -> None:
    for part in ("smtp", "imap"):
        if isinstance(stated.get(part), dict) and "password" in stated[part]:
            raise UsageError(
                f"ledger.toml 的 [{part}] 里写了密码。请从文件中删去，"
                f"改放在环境变量 LEDGER_{part.upper()}__PASSWORD 里。"
            )
