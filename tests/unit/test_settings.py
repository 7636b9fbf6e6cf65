"""Settings: the file, the variables over it, no secret in either's messages or in the file."""

from pathlib import Path

import pytest

from ledger.errors import UsageError
from ledger.home import Home
from ledger.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_nothing_stated(home: Home) -> None:
    settings = Settings.load(home)
    assert not settings.smtp.set
    assert settings.schedule.forms_day == 25
    assert settings.runner.kind == "threads"


def test_the_variable_wins_over_the_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.settings.write_text('[smtp]\nhost = "mail.example"\nuser = "office"\n[schedule]\nforms_day = 20\n')
    monkeypatch.setenv("LEDGER_SMTP__HOST", "other.example")
    monkeypatch.setenv("LEDGER_SMTP__PASSWORD", "s3cret")
    settings = Settings.load(home)
    assert (settings.smtp.host, settings.smtp.user) == ("other.example", "office")
    assert settings.smtp.password.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings) + str(settings.model_dump())
    assert settings.schedule.forms_day == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[smtp]\npassword = "s3cret"\n', "LEDGER_SMTP__PASSWORD"),
        ("[schedule]\nforms_day = 31\n", "schedule.forms_day"),
        ("[shedule]\n", "shedule"),
        ("[smtp]\nhst = 1\n", "smtp.hst"),
        ("[smtp\n", "ledger.toml"),
    ],
)
def test_what_is_wrong_is_named(home: Home, text: str, words: str) -> None:
    home.settings.write_text(text)
    with pytest.raises(UsageError) as refused:
        Settings.load(home)
    assert words in refused.value.message
    assert "s3cret" not in refused.value.message


def test_a_wrong_variable_shows_no_value(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_SMTP__PORT", "s3cret")
    with pytest.raises(UsageError) as refused:
        Settings.load(home)
    assert "smtp.port" in refused.value.message
    assert "s3cret" not in refused.value.message
