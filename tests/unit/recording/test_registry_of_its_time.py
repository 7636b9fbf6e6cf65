"""A registry that changes does not change what was recorded before it."""

from __future__ import annotations

import shutil
from pathlib import Path

from ledger.calendar import parse_moment
from ledger.home import CHECKOUT, Home
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import verify
from ledger.registry import Registry
from schemas.month import Month
from tests.workbooks import make_book, water

JUNE = Month(2018, 6)
PLAN = CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"


def verdicts(home: Home) -> list[tuple[str, str]]:
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.catch_up()
        return [(line.unit_code, line.verdict) for line in ledger.view(JUNE).submissions]


def test_each_file_is_read_by_the_registry_of_its_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(CHECKOUT / "data" / "raw" / "registry", home.own_registry)
    registry = Registry.load(home)
    book = make_book(tmp_path / "a.xlsx", "社坛镇", "2018年6月", projects=[water()])
    again = make_book(tmp_path / "b.xlsx", "社坛镇", "2018年6月", projects=[water(progress_pct=61)])
    with Ledger.open(home, registry) as ledger:
        assert ledger.register_plan(PLAN, 2018).created
        assert not ledger.register_plan(PLAN, 2018).created
        ledger.receive([book], parse_moment("2018-07-03"))
    assert verdicts(home) == [("", "returned")]

    units = home.own_registry / "units.csv"
    units.write_text(
        units.read_text(encoding="utf-8-sig").replace("景阳镇人民政府|", "景阳镇人民政府|社坛镇|"),
        encoding="utf-8-sig",
    )
    registry = Registry.load(home)
    assert registry.find_unit("社坛镇") == "422822103"
    with Ledger.open(home, registry) as ledger:
        ledger.receive([again], parse_moment("2018-07-04"))
    after = verdicts(home)
    assert after == [("422822103", "accepted"), ("", "returned")]
    assert len(Journal(home.journal).of_kind("registry")) == 2
    assert verify(home, registry).differences == []
    shutil.rmtree(home.processed)
    assert verify(home, registry).differences == []
    assert verdicts(home) == after
    with Ledger.open(home, registry) as ledger:
        ledger.receive([book], parse_moment("2018-07-05"))
    assert [verdict for _, verdict in verdicts(home)] == ["accepted", "accepted", "returned"]
    assert verify(home, registry).differences == []


def test_the_plan_is_read_anew_where_the_registry_changed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(CHECKOUT / "data" / "raw" / "registry", home.own_registry)
    with Ledger.open(home, Registry.load(home)) as ledger:
        first = ledger.register_plan(PLAN, 2018)
    (person,) = [one for one in first.findings if one.rule == "P05"]
    units = home.own_registry / "units.csv"
    text = units.read_text(encoding="utf-8-sig")
    units.write_text(text.replace("景阳镇人民政府|", f"景阳镇人民政府|{person.value}|"), encoding="utf-8-sig")
    with Ledger.open(home, Registry.load(home)) as ledger:
        second = ledger.register_plan(PLAN, 2018)
        assert (second.created, second.plan and second.plan.version) == (True, 2)
        assert "P05" not in [one.rule for one in second.findings]
    assert verify(home, Registry.load(home)).differences == []
