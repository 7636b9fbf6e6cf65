"""Which homes are served under which names."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import programmes, serving
from ledger.errors import UsageError
from ledger.home import Home
from tests import office


def make(folder: Path, *registry: str) -> Home:
    """A home; with a registry of its own where one is named."""
    (folder / "data" / "raw").mkdir(parents=True)
    for name in registry:
        (folder / "data" / "raw" / "registry").mkdir()
        (folder / "data" / "raw" / "registry" / name).write_text("")
    return Home(folder)


def test_homes_are_called_by_their_path(tmp_path: Path) -> None:
    one = make(tmp_path / "建始", "programme.toml")
    other = make(tmp_path / "恩施州" / "巴东", "programme.toml")
    make(tmp_path / "空白")
    make(tmp_path / ".serve", "programme.toml")
    assert programmes.of_folder(tmp_path) == {"建始": one, "恩施州-巴东": other}


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    make(tmp_path / "州-县", "programme.toml")
    make(tmp_path / "州" / "县", "programme.toml")
    with pytest.raises(UsageError, match="州-县"):
        programmes.of_folder(tmp_path)


def test_a_folder_without_programmes_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "空白")
    with pytest.raises(UsageError, match=r"programme\.toml"):
        programmes.of_folder(tmp_path)


def test_a_name_that_prefect_can_not_have_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "100%", "programme.toml")
    with pytest.raises(UsageError, match="100%"):
        programmes.of_folder(tmp_path)


def test_a_run_finds_its_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = make(tmp_path / "建始", "programme.toml")
    monkeypatch.setenv("LEDGER_HOME", str(one.root))
    assert programmes.find("whatever") == one
    monkeypatch.setenv(programmes.HOMES_VARIABLE, str(tmp_path))
    assert programmes.find("建始") == one
    assert programmes.name_of(one) == "建始"
    with pytest.raises(UsageError, match="移走"):
        programmes.find("移走")
    with pytest.raises(UsageError):
        programmes.find(None)


def test_a_broken_programme_keeps_no_other_from_being_served(tmp_path: Path) -> None:
    good, bad = office.make_home(tmp_path / "好"), office.make_home(tmp_path / "坏")
    bad.settings.write_text("[schedule]\nforms_day = 31\n")
    said: list[str] = []
    assert serving._usable({"好": good, "坏": bad}, said.append) == {"好": good}
    (sentence,) = said
    assert sentence.startswith("坏：没有启动")
    assert "forms_day" in sentence
    with pytest.raises(UsageError, match="forms_day"):
        serving._usable({"坏": bad}, said.append)
