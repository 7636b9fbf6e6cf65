"""The sample ledger.toml that `ledger init` leaves names every setting with its default, and the
operations manual shows it as it is."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from pydantic import BaseModel

from ledger.home import CHECKOUT, Home
from ledger.settings import Settings
from tests.faulty import LEDGER

SAMPLE = CHECKOUT / "templates" / "ledger.toml"
SECRET = {"password"}


def stated() -> dict[str, dict[str, object]]:
    """The sample with every setting in force."""
    return tomllib.loads(re.sub(r"(?m)^#(?=[a-z_]+ = )", "", SAMPLE.read_text(encoding="utf-8")))


def test_every_setting_is_there_with_its_default() -> None:
    sample, defaults = stated(), Settings()
    assert sample.keys() == Settings.model_fields.keys()
    for name, given in sample.items():
        part: BaseModel = getattr(defaults, name)
        fields = type(part).model_fields
        assert given.keys() == fields.keys() - SECRET, name
        # since has no default to show: an example stands there
        shown = {key: value for key, value in given.items() if getattr(part, key) is not None}
        read = type(part).model_validate(shown)
        assert {key: getattr(read, key) for key in shown} == {key: getattr(part, key) for key in shown}
        type(part).model_validate(given)


def test_as_it_is_it_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings.write_bytes(SAMPLE.read_bytes())
    assert Settings.load(home) == Settings.load(Home(tmp_path / "none"))


def test_init_leaves_it_and_the_recipients(tmp_path: Path) -> None:
    def init() -> str:
        return subprocess.run(
            [LEDGER, "init", str(tmp_path / "home")], capture_output=True, text=True, check=True
        ).stdout

    told = init()
    home = Home(tmp_path / "home")
    assert "ledger.toml" in told and home.settings.read_bytes() == SAMPLE.read_bytes()
    assert (home.own_registry / "recipients.csv").is_file()
    home.settings.write_text("[schedule]\nforms_day = 20\n")
    assert "ledger.toml" not in init()
    assert Settings.load(home).schedule.forms_day == 20


def test_the_manual_shows_it() -> None:
    manual = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"```toml\n{SAMPLE.read_text(encoding='utf-8')}```\n" in manual
