"""The master: every version there, every row marked, the standing ones the exports' own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.calendar import parse_moment
from ledger.recording.editions import approve, frozen, issue, registry_of
from ledger.recording.exports import export
from ledger.recording.master import Master, MasterTable, master, parquet
from ledger.reporting.master_book import master_book
from schemas.master import MASTER, SHEETS, STANDING, State, head_of, names_of, type_of
from schemas.month import Month
from schemas.tables import TABLES
from tests.fake_programme import P1, P2, P3, A, B, write_file, write_plan

JUNE, JULY = Month(2018, 6), Month(2018, 7)


def receive(ledger: Any, folder: Path, name: str, at: str, unit: str, month: str, **projects: Any) -> None:
    items = {"P1": P1, "P2": P2, "P3": P3}
    stated = {items[key]: values for key, values in projects.items()}
    ledger.receive([write_file(folder / name, unit, month, "改", projects=stated)], parse_moment(at))


@pytest.fixture
def kept(planned, tmp_path: Path) -> Master:
    """June: in version 2 P1 is corrected, P2 returned, P3 (another unit's) withdrawn by a nil report.
    July: P1 is reported, P2 carried."""
    with planned() as ledger:
        first = {"fiscal_paid_cum_fen": "30.5", "poor_persons": 7, "problems": "=1+1"}
        then = {"fiscal_paid_cum_fen": 20, "poor_persons": 7}
        bad = {"fiscal_paid_month_fen": 9, "remarks": "退回"}
        receive(ledger, tmp_path, "a1", "2018-07-02T09:00", A, "2018-06", P1=first, P2={**bad, "remarks": ""})
        receive(ledger, tmp_path, "b1", "2018-07-03T09:00", B, "2018-06", P3={"fiscal_paid_cum_fen": 8})
        receive(ledger, tmp_path, "a2", "2018-07-09T09:00", A, "2018-06", P1=then, P2=bad)
        nil = write_file(tmp_path / "b2", B, "2018-06", "改", projects="零报告")
        ledger.receive([nil], parse_moment("2018-07-10T09:00"))
        receive(ledger, tmp_path, "a3", "2018-08-02T09:00", A, "2018-07", P1={"fiscal_paid_cum_fen": 21})
        ledger.catch_up()
        made = master(ledger, JULY)
        for key in TABLES:
            table = made.tables[key]
            standing = [row[1:] for row in table.rows if row[0] in STANDING]
            exported = [row for month in (JUNE, JULY) for row in export(ledger, month, key)[1]]
            assert sorted(standing, key=str) == sorted(exported, key=str)
        return made


def shown(table: MasterTable, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[table.place(name)] for name in names) for row in table.rows]


def test_every_version_is_marked(kept: Master) -> None:
    assert shown(kept.tables["projects"], "month", "item_id", "version", "state", "fiscal_paid_cum") == [
        ("2018-06", P1, 1, "superseded", Decimal("30.5")),
        ("2018-06", P1, 2, "current", Decimal(20)),
        ("2018-06", P2, 1, "returned_later", None),
        ("2018-06", P2, 1, "carried", None),
        ("2018-06", P3, 1, "withdrawn", Decimal(8)),
        ("2018-07", P1, 1, "current", Decimal(21)),
        ("2018-07", P2, 1, "carried", None),
    ]
    assert shown(kept.tables["projects"], "fiscal_paid_month")[2:4] == [(Decimal(9),), (None,)]


def test_what_a_version_changed_is_named(kept: Master) -> None:
    table = kept.tables["projects"]
    names = names_of(table.columns)
    changed = [{names[place] for place in places} for places in table.changed]
    assert changed == [set(), {"fiscal_paid_cum", "problems"}, set(), set(), set(), set(), set()]


def test_the_other_tables(kept: Master) -> None:
    assert (kept.first, kept.month, kept.received_at) == (JUNE, JULY, "2018-08-02T09:00:00+08:00")
    assert set(shown(kept.tables["corrections"], "item_id", "field", "new")) == {
        (P1, "fiscal_paid_cum", "20"),
        (P1, "problems", None),
        (P3, "(row)", None),
    }
    assert len(kept.tables["submissions"].rows) == 5
    assert "C06" in {rule for (rule,) in shown(kept.tables["findings"], "rule")}
    assert shown(kept.tables["plan"], "plan_version", "item_id", "fiscal_planned")[0] == (1, P1, 100)
    assert kept.tables["editions"].rows == ()


def test_an_editions_master_is_the_ledger_as_it_froze(planned, tmp_path: Path) -> None:
    def bytes_of(made: Master) -> dict[str, bytes]:
        return {"book": master_book(made)} | {name: parquet(table) for name, table in made.tables.items()}

    with planned() as ledger:
        receive(ledger, tmp_path, "a1", "2018-07-02T09:00", A, "2018-06", P1={"fiscal_paid_cum_fen": 30})
        ledger.catch_up()
        edition = approve(ledger, JUNE, "张三", parse_moment("2018-07-06T10:00"))
        then = {"as_of": frozen(edition), "told_by": registry_of(ledger.home, edition), "edition": 1}
        before = bytes_of(master(ledger, JUNE, **then))
        assert master(ledger, JUNE, **then).stem == "台帐-2018-06-第1版"
        issue(ledger, edition, {})
        # said to have come before the approval, and a plan registered for the whole year
        receive(ledger, tmp_path, "a2", "2018-07-01T09:00", A, "2018-06", P1={"fiscal_paid_cum_fen": 20})
        ledger.catch_up()
        ledger.register_plan(write_plan(tmp_path, drop=[P2]), 2018, parse_moment("2018-07-01"), JUNE)
        now = master(ledger, JUNE)
        assert bytes_of(master(ledger, JUNE, **then)) == before
        assert {row[0] for row in shown(now.tables["plan"], "plan_version")} == {1, 2}
        assert shown(now.tables["editions"], "month", "edition") == [("2018-06", 1)]
        assert bytes_of(now)["projects"] != before["projects"]
        assert now.stem == "台帐-2018-06"


def test_parquet_keeps_types_where_a_month_is_empty(kept: Master) -> None:
    for name, table in kept.tables.items():
        full = pq.read_table(io.BytesIO(parquet(table)))
        bare = pq.read_table(io.BytesIO(parquet(MasterTable(name, table.columns, (), ()))))
        assert full.schema == bare.schema
        assert full.num_rows == len(table.rows)
    projects = pq.read_table(io.BytesIO(parquet(kept.tables["projects"])))
    assert projects["fiscal_paid_cum"].to_pylist()[0] == Decimal("30.5")
    assert projects["problems"].to_pylist()[0] == "=1+1"
    assert projects["poor_persons"].to_pylist()[:2] == [7, 7]
    sent = pq.read_table(io.BytesIO(parquet(kept.tables["submissions"])))
    assert sent["received_at"].to_pylist()[0] == parse_moment("2018-07-02T09:00")


@pytest.mark.parametrize("ignored", ["1", None])
def test_parquet_has_the_moment_whatever_the_environment_says(
    kept: Master, ignored: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing pandera leaves PYARROW_IGNORE_TIMEZONE set: Arrow then takes clock times for UTC."""
    if ignored is None:
        monkeypatch.delenv("PYARROW_IGNORE_TIMEZONE", raising=False)
    else:
        monkeypatch.setenv("PYARROW_IGNORE_TIMEZONE", ignored)
    moment = parse_moment("2018-07-02T09:00")
    naive = pa.array([moment], pa.timestamp("s", tz="Asia/Shanghai")).to_pylist()[0]
    assert naive - moment == timedelta(hours=8 if ignored else 0)
    sent = pq.read_table(io.BytesIO(parquet(kept.tables["submissions"])))
    assert sent["received_at"].to_pylist()[0] == moment


def test_what_sets_it_is_pandera() -> None:
    said = "import os, pandera; print(os.environ.get('PYARROW_IGNORE_TIMEZONE'))"
    clean = {name: value for name, value in os.environ.items() if name != "PYARROW_IGNORE_TIMEZONE"}
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, env=clean, check=True)
    assert done.stdout.strip() == "1", "no longer: the conversion to UTC in master._moment may go"


def test_parquet_loses_no_number_that_is_too_large() -> None:
    columns = MASTER["indicators"]
    place = names_of(columns).index("done_cum")
    huge = Decimal("9" * 40)
    row = tuple(huge if n == place else None for n in range(len(columns)))
    table = MasterTable("indicators", columns, (row,), (frozenset(),))
    assert pq.read_table(io.BytesIO(parquet(table)))["done_cum"].to_pylist() == ["9" * 40]
    surrogate = tuple("\ud800x" if n == 5 else None for n in range(len(columns)))
    assert pq.read_table(
        io.BytesIO(parquet(MasterTable("indicators", columns, (surrogate,), (frozenset(),))))
    )["item_name"].to_pylist() == ["?x"]


def test_every_column_has_a_head_and_a_type() -> None:
    assert list(MASTER) == list(SHEETS)
    for name, columns in MASTER.items():
        heads = [head_of(name, column) for column in columns]
        assert len(set(heads)) == len(heads) and all(heads)
        assert {type_of(column) for column in columns} <= {
            "money",
            "number",
            "integer",
            "truth",
            "moment",
            "text",
        }
    assert {state.value for state in State} >= {mark.value for mark in STANDING}
