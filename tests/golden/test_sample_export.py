"""The ledger's exports of the sample programme against the story its workbooks were written from.

Whatever way the figures went (own form, a unit's own layout, .xls in 元, CSV in GB18030, .ods),
they come out as the story has them; what was returned or is missing is carried forward.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.home import CHECKOUT, Home
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.columns import Kind
from schemas.money import plain
from schemas.month import Month
from schemas.tables import TABLES
from tools.make_sample import Sample
from tools.sample.story import MONTHS

#: What stands in for September's row: the item, the month carried forward.
CARRIED = {
    "2018-A1-04": "2018-08",
    "2018-A1-06": "2018-08",
    **{f"2018-T-{number:02d}": "2018-08" for number in (5, 6, 7, 8)},
}
SEPTEMBER = "2018-09"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    home = Home(tmp_path_factory.mktemp("home"))
    for month in MONTHS:
        shutil.copytree(CHECKOUT / "data" / "raw" / month, home.raw / month)
    shutil.copytree(CHECKOUT / "data" / "raw" / "plan", home.plans)
    with Ledger.open(home, Registry.load(home)) as opened:
        opened.take_in(Month.parse(SEPTEMBER))
        opened.catch_up()
        yield opened


def text(value: object) -> str:
    """A figure as an export shows it in CSV."""
    if value is None:
        return ""
    return plain(value) if isinstance(value, Decimal) else str(value)


def told(sample: Sample, month: str, table: str) -> dict[str, dict[str, str]]:
    """The story's figures of a month as the exports should have them, by item."""
    rows: dict[str, dict[str, str]] = {}
    for item in sample.plan.of_table(table):
        carried = month == SEPTEMBER and item.item_id in CARRIED
        reported = CARRIED[item.item_id] if carried else month
        units_rows = sample.rows(Month.parse(reported), item.unit_code)[table]
        place = [one.item_id for one in sample.plan.of_unit(item.unit_code, table)].index(item.item_id)
        figures = {}
        for column in TABLES[table].reported:
            value = units_rows[place].get(column.field)
            number = column.kind in {Kind.MONEY, Kind.PERCENT, Kind.COUNT, Kind.QUANTITY}
            if number and value not in (None, ""):
                value = Decimal(str(value))
            if carried and column.cumulative_of:
                value = None
            figures[column.export_name] = text(value)
        rows[item.item_id] = figures | {"carried_forward": str(carried)}
    return rows


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("month", MONTHS)
def test_the_export_equals_the_story(ledger: Ledger, month: str, table: str) -> None:
    columns, lines = export(ledger, Month.parse(month), table)
    exported = {str(line[columns.index("item_id")]): dict(zip(columns, line, strict=True)) for line in lines}
    expected = told(Sample(), month, table)
    assert list(exported) == list(expected)
    for item, figures in expected.items():
        assert {name: text(exported[item][name]) for name in figures} == figures, item


def test_the_correction_of_august_is_on_record(ledger: Ledger) -> None:
    columns, lines = export(ledger, Month.parse("2018-08"), "corrections")
    changes = {
        (line[columns.index("field")], text(line[columns.index("old")]), text(line[columns.index("new")]))
        for line in lines
    }
    assert changes == {("fiscal_paid_month", "45", "40"), ("fiscal_paid_cum", "95", "90")}
    assert all("退票" in str(line[columns.index("reason")]) for line in lines)


def test_who_reported_late_and_who_did_not(ledger: Ledger) -> None:
    view = ledger.view(Month.parse(SEPTEMBER))
    states = {standing.unit_code: (standing.state, standing.timely) for standing in view.standings}
    assert len(states) == 17
    assert states["422822-org"] == ("missing", None)
    assert states["422822103"][0] == "returned"
    assert states["422822104"] == ("in_part", True)
    assert states["422822203"] == ("accepted", False)
    assert {code for code, (state, _) in states.items() if state == "nil"} == {
        "422822100", "422822102", "422822105", "422822201", "422822202",
    }  # fmt: skip


def test_nothing_in_the_drop_folders_is_touched(ledger: Ledger) -> None:
    for month in MONTHS:
        kept = {path.name: path.read_bytes() for path in (CHECKOUT / "data" / "raw" / month).iterdir()}
        left = {path.name: path.read_bytes() for path in Path(ledger.home.raw / month).iterdir()}
        assert kept == left
