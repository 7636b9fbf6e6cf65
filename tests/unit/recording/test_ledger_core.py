"""The ledger's ways with versions, repetitions, carried-forward rows, plans and moments."""

from __future__ import annotations

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ledger.calendar import parse_moment
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import tables
from ledger.recording.database import is_postgres, reading, writing
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from schemas.month import Month
from tests.fake_programme import N1, P1, P2, P3, T1, A, B, C, write_file, write_plan

JUNE, JULY, AUGUST = Month(2018, 6), Month(2018, 7), Month(2018, 8)


def at(text: str) -> datetime:
    return parse_moment(text)


def exported(ledger: Ledger, month: Month, table: str, **how: object) -> list[dict[str, object]]:
    columns, rows = export(ledger, month, table, **how)  # type: ignore[arg-type]
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_a_row_reaches_the_exports(planned, tmp_path: Path) -> None:
    book = write_file(
        tmp_path / "a.json",
        A,
        "2018-06",
        projects={P1: {"status": "在建", "fiscal_paid_cum_fen": 120.5, "start_actual": "2018-05"}},
    )
    with planned() as ledger:
        ledger.receive([book], at("2018-07-03T09:00"))
        (checked,) = ledger.catch_up()
        assert checked.submission.file == "a.json"
        (row,) = exported(ledger, JUNE, "projects")
        assert row["item_id"] == P1
        assert row["unit_name"] == "甲镇"
        assert row["fiscal_paid_cum"] == Decimal("120.5")
        assert row["start_actual"] == "2018-05"
        assert (row["version"], row["source_row"], row["carried_forward"]) == (1, 5, False)
        assert row["self_paid_cum"] is None
        (line,) = exported(ledger, JUNE, "submissions")
        assert line["received_at"] == "2018-07-03T09:00:00+08:00"
        assert (line["timely"], line["version"], line["superseded_by"]) == (True, 1, None)
        assert ledger.catch_up() == []


def test_whole_scope_replacement_withdraws_and_corrects(planned, tmp_path: Path) -> None:
    one = write_file(
        tmp_path / "1.json",
        A,
        "2018-06",
        projects={P1: {"fiscal_paid_cum_fen": 1}, P2: {"fiscal_paid_cum_fen": 2}},
        needs="零报告",
    )
    two = write_file(
        tmp_path / "2.json",
        A,
        "2018-06",
        "录入有误",
        projects={P1: {"fiscal_paid_cum_fen": 1.5, "remarks": "改"}},
    )
    with planned() as ledger:
        ledger.receive([one], at("2018-07-03T09:00"))
        ledger.receive([two], at("2018-07-09T09:00"))
        ledger.catch_up()
        (row,) = exported(ledger, JUNE, "projects")
        assert (row["item_id"], row["fiscal_paid_cum"], row["version"]) == (P1, Decimal("1.5"), 2)
        changes = [
            (c["item_id"], c["field"], c["old"], c["new"], c["reason"])
            for c in exported(ledger, JUNE, "corrections")
        ]
        assert changes == [
            (P1, "fiscal_paid_cum", "1", "1.5", "录入有误"),
            (P2, "(row)", "reported", None, "录入有误"),
        ]
        versions = {
            (s["table"], s["file_name"]): (s["version"], bool(s["superseded_by"]))
            for s in exported(ledger, JUNE, "submissions")
        }
        assert versions == {
            ("projects", "1.json"): (1, True),
            ("projects", "2.json"): (2, False),
            ("needs", "1.json"): (1, False),
        }
        before = exported(ledger, JUNE, "projects", as_of=at("2018-07-05"))
        assert [(r["item_id"], r["version"]) for r in before] == [(P1, 1), (P2, 1)]
        assert exported(ledger, JUNE, "projects", as_of=at("2018-07-01")) == []
        assert [r["version"] for r in exported(ledger, JUNE, "projects", all_versions=True)] == [1, 2, 1]


def test_repeated_files(planned, tmp_path: Path) -> None:
    one = write_file(tmp_path / "1.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 1}})
    two = write_file(tmp_path / "2.json", A, "2018-06", "改", projects={P1: {"fiscal_paid_cum_fen": 2}})
    with planned() as ledger:
        for number, book in enumerate([one, one, two, one], start=1):
            received = ledger.receive([book], at(f"2018-07-0{number}T09:00"))
            assert received[0].seen_before == (number in (2, 4))
            ledger.catch_up()
        (row,) = exported(ledger, JUNE, "projects")
        assert (row["fiscal_paid_cum"], row["version"]) == (1, 3)
        assert [s["version"] for s in exported(ledger, JUNE, "submissions")] == [1, 2, 3]
        assert [f["rule"] for f in exported(ledger, JUNE, "findings")] == ["F08", "F08", "F15"]


def test_carried_forward(planned, tmp_path: Path) -> None:
    june = write_file(
        tmp_path / "6.json",
        A,
        "2018-06",
        projects={
            P1: {"fiscal_paid_cum_fen": 1, "fiscal_paid_month_fen": 1},
            P2: {"fiscal_paid_cum_fen": 2},
        },
    )
    july = write_file(
        tmp_path / "7.json",
        A,
        "2018-07",
        projects={P1: {"fiscal_paid_cum_fen": 3, "remarks": "退回"}, P2: {"fiscal_paid_cum_fen": 4}},
    )
    again = write_file(
        tmp_path / "7b.json",
        A,
        "2018-07",
        projects={P2: {"fiscal_paid_cum_fen": 5, "remarks": "退回"}, P1: {"fiscal_paid_cum_fen": 3}},
    )
    with planned() as ledger:
        ledger.receive([june], at("2018-07-03"))
        ledger.receive([july], at("2018-08-03"))
        ledger.catch_up()
        one, two = exported(ledger, JULY, "projects")
        assert (one["month"], one["fiscal_paid_cum"], one["fiscal_paid_month"]) == ("2018-07", 1, None)
        assert (one["carried_forward"], two["carried_forward"]) == (True, False)
        ledger.receive([again], at("2018-08-05"))
        ledger.catch_up()
        one, two = exported(ledger, JULY, "projects")
        assert (one["fiscal_paid_cum"], one["carried_forward"]) == (3, False)
        assert (two["fiscal_paid_cum"], two["carried_forward"], two["version"]) == (4, True, 1)
        august = exported(ledger, AUGUST, "projects")
        assert [(r["item_id"], r["fiscal_paid_cum"], r["carried_forward"]) for r in august] == [
            (P1, 3, True),
            (P2, 4, True),
        ]
        view = ledger.view(AUGUST)
        assert [s.state for s in view.standings] == ["missing", "missing", "missing"]
        assert [s.state for s in ledger.view(JULY).standings] == ["in_part", "missing", "missing"]


def test_a_returned_table_leaves_the_version_standing(planned, tmp_path: Path) -> None:
    good = write_file(tmp_path / "1.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 1}})
    bad = write_file(tmp_path / "2.json", A, "2018-06", projects={P1: {"remarks": "退回"}})
    broken = tmp_path / "3.xlsx"
    broken.write_bytes(b"not json")
    with planned() as ledger:
        ledger.receive([good, bad], at("2018-07-03"))
        ledger.receive([broken], at("2018-07-04"))
        ledger.catch_up()
        (row,) = exported(ledger, JUNE, "projects")
        assert (row["fiscal_paid_cum"], row["version"], row["carried_forward"]) == (1, 1, False)
        lines = exported(ledger, JUNE, "submissions")
        assert [(s["table"], s["verdict"], s["version"], s["unit_code"]) for s in lines] == [
            ("projects", "accepted", 1, A),
            ("projects", "returned", None, A),
            (None, "returned", None, None),
        ]
        found = {(f["rule"], f["open"]) for f in exported(ledger, JUNE, "findings")}
        assert found == {("F15", True), ("C06", True), ("F01", True)}


def test_receipts_wait_for_the_plan(open_ledger, tmp_path: Path) -> None:
    books = [
        write_file(tmp_path / f"{n}.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": n}})
        for n in (1, 2)
    ]
    with open_ledger() as ledger:
        ledger.receive(books, at("2018-07-03"))
        assert ledger.catch_up() == []
        assert ledger.pending() == 2
        with pytest.raises(UsageError):
            ledger.view(JUNE)
        ledger.register_plan(write_plan(tmp_path), 2018)
        assert ledger.pending() == 0
        (row,) = exported(ledger, JUNE, "projects")
        assert (row["fiscal_paid_cum"], row["version"]) == (2, 2)


def test_drop_folder_and_received_csv(planned, home: Home, tmp_path: Path) -> None:
    drop = home.drop(JUNE)
    write_file(drop / "乙.json", B, "2018-06", projects={P3: {"fiscal_paid_cum_fen": 1}})
    write_file(drop / "甲.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 1}})
    write_file(drop / "~$甲.json", A, "2018-06")
    (drop / "received.csv").write_bytes(
        "file_name,received_at\r\n乙.json,2018/7/9 8:30\r\n".encode("gb18030")
    )
    with planned() as ledger:
        taken = ledger.take_in(JUNE, at("2018-07-04T10:00"))
        assert [(t.file_name, t.received_at.isoformat()) for t in taken] == [
            ("甲.json", "2018-07-04T10:00:00+08:00"),
            ("乙.json", "2018-07-09T08:30:00+08:00"),
        ]
        ledger.catch_up()
        assert ledger.take_in(JULY) == []
        standing = {s.unit_code: s for s in ledger.view(JUNE).standings}
        assert (standing[A].timely, standing[A].state) == (True, "accepted")
        assert (standing[B].timely, standing[B].days_late) == (False, 4)
        assert standing[C].state == "missing"
        write_file(drop / "甲.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 2}})
        assert [t.file_name for t in ledger.take_in(JUNE)] == ["甲.json"]
        ledger.catch_up()
        write_file(drop / "甲.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 1}})
        assert len(ledger.take_in(JUNE)) == 1
        ledger.catch_up()
        assert [r["version"] for r in exported(ledger, JUNE, "projects")] == [3, 1]
        assert len(list(home.originals.iterdir())) == 4


def test_a_name_that_is_no_text_is_taken_in_once(planned, home: Home) -> None:
    odd = os.fsdecode(b"\xbe\xb0\xd1\xf4.json")
    write_file(home.drop(JUNE) / odd, A, "2018-06", projects={P1: {}})
    write_file(home.drop(JUNE) / "附件" / "乙.json", B, "2018-06", projects={P3: {}})
    with planned() as ledger:
        assert sorted(t.file_name for t in ledger.take_in(JUNE)) == ["????.json", "附件/乙.json"]
        ledger.catch_up()
        assert ledger.take_in(JUNE) == []


def test_plan_versions(planned, tmp_path: Path) -> None:
    with planned() as ledger:
        assert not ledger.register_plan(write_plan(tmp_path), 2018).created
        changed = ledger.register_plan(write_plan(tmp_path, drop=[P2]), 2018, at("2030-01-01"))
        assert (changed.created, changed.plan.version if changed.plan else 0) == (True, 2)
        now_plan, then = ledger.require_plan(2018), ledger.plan(2018, at("2018-07-01"))
        assert P2 not in now_plan.by_id
        assert then is not None and P2 in then.by_id
        nonsense = tmp_path / "nonsense.xlsx"
        nonsense.write_bytes(b"?")
        refused = ledger.register_plan(nonsense, 2018)
        assert (refused.plan, [f.rule for f in refused.findings]) == (None, ["F05"])


def test_needs_and_indicators(planned, tmp_path: Path) -> None:
    book = write_file(
        tmp_path / "c.json",
        C,
        "2018-06",
        needs={N1: {"need_status": "已签约", "signed_amount_fen": 0.000001, "month_progress": "=1+1"}},
        indicators={T1: {"done_month": 3, "done_cum": "12.50"}},
    )
    with planned() as ledger:
        ledger.receive([book], at("2018-07-03"))
        ledger.catch_up()
        (need,) = exported(ledger, JUNE, "needs")
        assert (need["status"], need["signed_amount"]) == ("已签约", Decimal("0.000001"))
        (one,) = exported(ledger, JUNE, "indicators")
        assert (one["unit_of_measure"], one["target"], one["done_cum"]) == ("人", 300, Decimal("12.5"))
        (carried,) = exported(ledger, JULY, "indicators")
        assert (carried["done_month"], carried["done_cum"]) == (None, Decimal("12.5"))
        (carried,) = exported(ledger, JULY, "needs")
        assert carried["month_progress"] is None


def test_nothing_is_changed_or_deleted(planned, tmp_path: Path) -> None:
    book = write_file(
        tmp_path / "1.json", A, "2018-06", projects={P1: {"remarks": "x"}, P2: {"remarks": "退回"}}
    )
    with planned() as ledger:
        ledger.receive([book], at("2018-07-03"))
        ledger.catch_up()
        for table in (tables.submissions, tables.item_tables["projects"], tables.findings, tables.row_marks):
            for statement in (sa.delete(table), sa.update(table).values({table.c[0]: table.c[0]})):
                with pytest.raises(DBAPIError, match="append-only"), writing(ledger.engine) as connection:
                    connection.execute(statement)


def test_nothing_is_replaced(home: Home, planned, tmp_path: Path) -> None:
    """INSERT OR REPLACE takes a row away without a DELETE."""
    book = write_file(tmp_path / "1.json", A, "2018-06", projects={P1: {"remarks": "x"}})
    with planned() as ledger:
        if is_postgres(ledger.engine):
            pytest.skip("SQLite's own statement")
        ledger.receive([book], at("2018-07-03"))
        ledger.catch_up()
        with reading(ledger.engine) as connection:
            filled = [
                table
                for table in tables.metadata.sorted_tables
                if connection.execute(sa.select(table)).first()
            ]
        assert tables.item_tables["projects"] in filled
        for table in filled:
            again = f"INSERT OR REPLACE INTO {table.name} SELECT * FROM {table.name}"
            with pytest.raises(DBAPIError, match="append-only"), writing(ledger.engine) as connection:
                connection.exec_driver_sql(again)


def test_an_impossible_amount_goes_back(planned, tmp_path: Path) -> None:
    book = write_file(tmp_path / "1.json", A, "2018-06", projects={P1: {"invested_cum_fen": "1e30"}, P2: {}})
    with planned() as ledger:
        ledger.receive([book], at("2018-07-03"))
        ledger.catch_up()
        assert [r["item_id"] for r in exported(ledger, JUNE, "projects")] == [P2]
        assert [f["rule"] for f in exported(ledger, JUNE, "findings")] == ["C09"]


def test_readonly_writes_nothing(home: Home, tmp_path: Path, planned) -> None:
    from tests.fake_programme import REGISTRY, TOOLS

    book = write_file(tmp_path / "1.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 1}})
    with planned() as ledger:
        ledger.receive([book], at("2018-07-03"))
        ledger.catch_up()
    before = sorted(str(p) for p in home.root.rglob("*"))
    with Ledger.open(home, REGISTRY, readonly=True, tools=TOOLS) as ledger:
        plan = ledger.plan(2018)
        context = ledger.context_for(A, JULY, plan)
        assert context.history.at(P1, JUNE) is not None
        assert context.history.reported == {(A, "projects", JUNE)}
        assert len(context.received_before) == 1
    assert sorted(str(p) for p in home.root.rglob("*")) == before


def test_later_months_are_checked_again(planned, tmp_path: Path) -> None:
    """A correction of June makes July's figure a fall; the next one heals it. July's version stays."""
    july = write_file(tmp_path / "7.json", A, "2018-07", projects={P1: {"fiscal_paid_cum_fen": 5}})
    junes = [
        write_file(tmp_path / f"6-{n}.json", A, "2018-06", "改", projects={P1: {"fiscal_paid_cum_fen": n}})
        for n in (4, 6, 3)
    ]

    def h01(as_of: datetime | None = None) -> list[tuple[object, object, object]]:
        found = exported(ledger, JULY, "findings", as_of=as_of)
        return [(f["rule"], f["message"], f["open"]) for f in found]

    with planned() as ledger:
        ledger.receive(junes[:1], at("2018-07-03"))
        ledger.receive([july], at("2018-08-03"))
        ledger.catch_up()
        assert h01() == []
        ledger.receive([junes[1]], at("2018-08-05"))
        ledger.catch_up()
        assert h01() == [("H01", "小于上月 6000000", True)]
        assert [(r["fiscal_paid_cum"], r["version"]) for r in exported(ledger, JULY, "projects")] == [(5, 1)]
        assert h01(at("2018-08-04")) == []
        ((checked, _),) = ledger.returns_due(JULY)
        assert [f.rule for f in checked.findings] == ["H01"]
        assert not checked.findings[0].returns_row
        ledger.receive([junes[2]], at("2018-08-07"))
        ledger.catch_up()
        assert h01() == [("H01", "小于上月 6000000", False)]
        assert h01(at("2018-08-06")) == [("H01", "小于上月 6000000", True)]
