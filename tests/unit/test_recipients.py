"""Recipients: data of the county, each line checked, the line named."""

from pathlib import Path

import pytest

from ledger.errors import UsageError
from ledger.home import Home
from ledger.recipients import Gets, load_recipients
from ledger.registry import Registry

HEAD = "key,name,role,address,gets,unit_code\n"


def load(folder: Path, lines: str) -> object:
    home = Home(folder)
    sample = Registry.load(Home(folder))
    home.own_registry.mkdir(parents=True)
    for name in ("programme.toml", "units.csv", "targets.csv"):
        (home.own_registry / name).write_bytes((Home.find().registry / name).read_bytes())
    (home.own_registry / "recipients.csv").write_text(HEAD + lines, encoding="utf-8")
    return load_recipients(home, sample)


def test_the_sample_has_every_unit(tmp_path: Path) -> None:
    home = Home(tmp_path)
    registry = Registry.load(home)
    recipients = load_recipients(home, registry)
    assert {one.unit_code for one in recipients} - {None} == set(registry.by_code)
    assert all(Gets.REPORT in one.gets for one in recipients if one.unit_code is None)
    assert all(one.address.endswith(".example") for one in recipients)


def test_no_file_no_recipients(tmp_path: Path) -> None:
    (tmp_path / "data" / "raw" / "registry").mkdir(parents=True)
    for name in ("programme.toml", "units.csv", "targets.csv"):
        (tmp_path / "data/raw/registry" / name).write_bytes((Home.find().registry / name).read_bytes())
    home = Home(tmp_path)
    assert load_recipients(home, Registry.load(home)) == ()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("a,某某,领导,a.example,月报,\n", "第 2 行：“a.example”不是邮箱地址"),
        ("a,某某,领导,a@b.example,月刊,\n", "月刊"),
        ("a,某某,领导,a@b.example,催报,\n", "unit_code"),
        ("a,某某,领导,a@b.example,月报,nobody\n", "nobody"),
        ("a,某某,领导,a@b.example,月报,\na,另一,领导,c@b.example,月报,\n", "第 3 行：代号“a”重复"),
        (",某某,领导,a@b.example,月报,\n", "代号"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        load(tmp_path, lines)
    assert words in refused.value.message


def test_header_injection_is_no_address(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load(tmp_path, 'a,某某,领导,"a@b.example\nBcc: x@y.example",月报,\n')
