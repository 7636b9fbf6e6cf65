"""The contract's sentences about files, versions and exports, taken literally, as an outsider would.

Workbooks in, exports out; what should come out is worked out here a second time, from the words.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from flows.cli import main
from flows.init import make_home
from flows.plan import register
from ledger.home import Home
from schemas.month import Month
from tests.workbooks import NIL, make_book, water

PLAN = Path(__file__).resolve().parents[2] / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
UNIT, MONTH = "景阳镇", "2018年6月"


class Office:
    """A home and the commands an outsider uses on it."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home")
        self.desk = root / "desk"
        self.desk.mkdir(parents=True)
        make_home(self.home)
        register(self.home, PLAN, 2018)

    def run(self, *words: object) -> Result:
        return CliRunner().invoke(main, [*map(str, words), "--home", str(self.home.root)])

    def book(self, name: str, month: str = MONTH, unit: str = UNIT, **more: Any) -> Path:
        return make_book(self.desk / name, unit, month, **more)

    def receive(self, book: Path, at: str) -> None:
        assert self.run("receive", book, "--at", at).exit_code == 0

    def export(self, month: str, table: str, *more: str) -> list[dict[str, str]]:
        done = self.run("export", month, "--table", table, *more)
        assert done.exit_code == 0, done.output
        text = done.stdout_bytes.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def status(self, month: str) -> dict[str, Any]:
        return dict(json.loads(self.run("status", month, "--json").stdout))

    def findings(self, month: str) -> list[tuple[str, str]]:
        return [(one["rule"], one["open"]) for one in self.export(month, "findings")]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def july(**reported: Any) -> dict[str, Any]:
    figures = {"fiscal_paid_month": 5, "fiscal_paid_cum": 25, "self_paid_month": 5, "self_paid_cum": 35}
    return water(**{**figures, "progress_pct": 65, **reported})


# --- A, A, B, A: no-op, replacement, the newest again


def test_a_file_sent_again_after_its_correction(office: Office) -> None:
    one = office.book("A.xlsx", projects=[water()])
    two = office.book("B.xlsx", projects=[water(invested_cum=151)], cover={"更正说明": "漏记发票"})
    for book, at in (
        (one, "2018-07-05T23:59:59"),
        (one, "2018-07-06T08:00"),
        (two, "2018-07-07"),
        (one, "2018-07-08T10:00:00Z"),
        (one, "2018-07-09"),
    ):
        office.receive(book, at)
    kept = office.export("2018-06", "projects", "--all-versions")
    assert [(row["version"], row["invested_cum"]) for row in kept] == [
        ("1", "150"),
        ("2", "151"),
        ("3", "150"),
    ]
    assert {row["carried_forward"] for row in kept} == {"false"}

    def at(moment: str) -> list[tuple[str, str]]:
        rows = office.export("2018-06", "projects", "--as-of", moment)
        return [(row["version"], row["invested_cum"]) for row in rows]

    assert at("2018-07-05") == []
    assert at("2018-07-05T15:59:59Z") == [("1", "150")]
    assert at("2018-07-07T00:00:00+08:00") == [("2", "151")]
    assert at("2018-07-08T17:59:59") == [("2", "151")]
    assert at("2018-07-08T18:00:00") == [("3", "150")]
    sent = office.export("2018-06", "submissions")
    first, second = kept[0]["source_sha256"], kept[1]["source_sha256"]
    assert [(row["version"], row["sha256"], row["superseded_by"]) for row in sent] == [
        ("1", first, second),
        ("2", second, first),
        ("3", first, ""),
    ]
    assert {row["first_accepted_at"] for row in sent} == {"2018-07-05T23:59:59+08:00"}
    assert {row["timely"] for row in sent} == {"true"}
    changed = office.export("2018-06", "corrections")
    assert [(row["field"], row["old"], row["new"], row["reason"]) for row in changed] == [
        ("invested_cum", "150", "151", "漏记发票"),
        ("invested_cum", "151", "150", ""),
    ]
    assert [rule for rule, _ in office.findings("2018-06")] == ["F08", "F08", "F15", "F08"]


@pytest.mark.parametrize(
    ("month", "last", "first_late"),
    [
        ("2018-06", "2018-07-05", "2018-07-06"),
        ("2018-07", "2018-08-06", "2018-08-07"),  # the 5th was a Sunday
        ("2018-09", "2018-10-08", "2018-10-09"),  # the national holiday
        ("2018-12", "2019-01-07", "2019-01-08"),  # the 5th was a Saturday
    ],
)
def test_timely_to_the_last_second(office: Office, month: str, last: str, first_late: str) -> None:
    told = Month.parse(month).chinese
    office.receive(office.book("业州.xlsx", told, "业州镇", projects=NIL), f"{last}T23:59:59")
    office.receive(office.book("花坪.xlsx", told, "花坪镇", projects=NIL), f"{first_late}T00:00:00")
    sent = {row["unit_name"]: row["timely"] for row in office.export(month, "submissions")}
    assert sent == {"业州镇": "true", "花坪镇": "false"}


# --- 更正说明


@pytest.mark.parametrize("words", ["无", "—", " / "])
def test_nothing_in_the_note_explains_nothing(office: Office, words: str) -> None:
    office.receive(office.book("6.xlsx", projects=[water()]), "2018-07-02")
    fallen = office.book("7.xlsx", "2018年7月", projects=[july(poor_persons=600)], cover={"更正说明": words})
    office.receive(fallen, "2018-08-02")
    office.receive(
        office.book("6b.xlsx", projects=[water(invested_cum=151)], cover={"更正说明": words}), "2018-08-03"
    )
    (row,) = office.export("2018-07", "projects")
    assert (row["carried_forward"], row["poor_persons"]) == ("true", "629")
    assert ("H01", "error") in [(f["rule"], f["severity"]) for f in office.export("2018-07", "findings")]
    assert ("F15", "true") in office.findings("2018-06")


# --- a file without a table, or that can't be opened


def without_table(path: Path) -> Path:
    book = load_workbook(make_book(path, UNIT, "2018年7月", projects=[july()]))
    del book["表1 援建项目"]
    book.save(path)
    return path


def unopened(path: Path) -> Path:
    path.write_bytes(b"%PDF-1.4 scanned")
    return path


@pytest.mark.parametrize(
    ("make", "name", "rule"),
    [(without_table, "报表.xlsx", "F05"), (unopened, "景阳镇2018年7月.xlsx", "F03")],
)
def test_a_file_without_figures_goes_back_to_its_unit_and_month(
    office: Office, make: Callable[[Path], Path], name: str, rule: str
) -> None:
    """Cover and file name answer for unit and month (§3), also where there is nothing else to read:
    it was sent in October, and is July's all the same."""
    office.receive(make(office.desk / name), "2018-10-20")
    (sent,) = office.export("2018-07", "submissions")
    assert (sent["unit_name"], sent["verdict"], sent["version"]) == (UNIT, "returned", "")
    (found,) = office.export("2018-07", "findings")
    assert (found["rule"], found["unit_name"], found["open"]) == (rule, UNIT, "true")
    assert office.status("2018-07")["returned"] == [UNIT]
    # what comes after it under another name is the answer to it
    office.receive(office.book("好的.xlsx", "2018年7月", projects=[july()]), "2018-10-21")
    assert ("H06", "true") in office.findings("2018-07")
    assert (rule, "false") in office.findings("2018-07")
    now = office.status("2018-07")
    assert (now["returned"], now["in_part"], now["reported"]) == ([], [], [UNIT])
    assert office.run("rebuild", "--verify").exit_code == 0


def test_a_name_alone_tells_no_other_years_month(office: Office) -> None:
    office.receive(unopened(office.desk / "景阳镇2016年7月.xlsx"), "2018-10-20")
    assert [row["unit_name"] for row in office.export("2018-09", "submissions")] == [UNIT]


# --- exports as files


def test_an_export_goes_where_it_is_told_and_line_breaks_stay(office: Office, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    office.receive(office.book("6.xlsx", projects=[water(problems="一是缺水泥\n二是下雨")]), "2018-07-02")
    out = tmp_path / "新文件夹" / "台账.xlsx"
    assert (
        office.run("export", "2018-06", "--table", "projects", "--format", "xlsx", "--out", out).exit_code
        == 0
    )
    sheet = load_workbook(out).active
    assert sheet is not None
    row = dict(zip([c.value for c in sheet[1]], [c.value for c in sheet[2]], strict=True))
    assert row["problems"] == "一是缺水泥\n二是下雨"
    assert (row["fiscal_paid_cum"], row["remarks"], row["carried_forward"]) == (20, None, False)


def test_checking_writes_nothing_even_without_data_processed(office: Office) -> None:
    office.receive(office.book("6.xlsx", projects=[water()]), "2018-07-02")
    office.export("2018-06", "projects")
    for path in sorted(office.home.processed.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    office.home.processed.rmdir()

    def tree() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in office.home.root.rglob("*")}

    before = tree()
    done = office.run("check", office.book("7.xlsx", "2018年7月", projects=[july(progress_pct=59)]), "--json")
    assert done.exit_code == 1
    assert '"H01"' in done.output
    assert tree() == before


# --- carried forward, against an oracle made from the contract's words

ITEMS = {"2018-A2-06": (6, "农村学校教师办公电脑购置项目"), "2018-A2-09": (9, "支持儿童医院建设")}
Version = dict[str, Any]


def need(item: str, amount: int | None) -> dict[str, Any]:
    seq, name = ITEMS[item]
    row = {"seq": seq, "item_name": name, "status": "已签约", "partner": "甲公司", "signed_amount": 100}
    return {
        **row,
        "enterprise_received_cum": "约5" if amount is None else amount,
        "month_progress": f"进展{amount}",
    }


def sendings(office: Office, chance: random.Random) -> Iterator[tuple[int, dict[str, int | None], Path, str]]:
    """Files of three months, some sent again, each of two rows good, returned (None) or left out."""
    made: list[tuple[int, dict[str, int | None], Path]] = []
    for day in range(1, chance.randint(8, 11)):
        if not made or chance.random() > 0.3:
            month = chance.choice([6, 7, 8])
            rows = {
                i: chance.choice([None, chance.randint(1, 90), 7]) for i in ITEMS if chance.random() < 0.8
            }
            book = office.book(
                f"{day}.xlsx",
                f"2018年{month}月",
                "县招商局",
                cover={"更正说明": "核对后更正"},
                needs=[need(item, amount) for item, amount in rows.items()] or NIL,
            )
            made.append((month, rows, book))
        yield *chance.choice(made[-3:]), f"2018-11-{day:02d}T09:00:00+08:00"


def standing(chains: dict[int, list[Version]], month: int, moment: str) -> dict[str, tuple[str, str, str]]:
    """Of each item: its amount, its version, whether it is carried forward."""
    found: dict[str, tuple[str, str, str]] = {}
    for item in ITEMS:
        for at in range(month, 5, -1):
            known = [version for version in chains.get(at, []) if version["at"] <= moment]
            for version in reversed(known):
                if item in version["rows"]:
                    own = at == month and version is known[-1]
                    found[item] = (
                        str(version["rows"][item]),
                        str(version["number"]),
                        "false" if own else "true",
                    )
                if item not in version["returned"]:
                    break
            if item in found:
                break
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_stands_is_what_the_words_say(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    chains: dict[int, list[Version]] = {}
    moments = []
    for month, rows, book, at in sendings(office, chance):
        office.receive(book, at)
        moments.append(at)
        good = {item: amount for item, amount in rows.items() if amount is not None}
        chain = chains.setdefault(month, [])
        nothing_stands = bool(rows) and not good
        if nothing_stands or (chain and chain[-1]["book"] == book):
            continue
        returned = rows.keys() - good.keys()
        chain.append({"rows": good, "returned": returned, "at": at, "number": len(chain) + 1, "book": book})
    for month in (6, 7, 8, 9):
        for moment in (moments[-1], chance.choice(moments)):
            rows_then = office.export(f"2018-{month:02d}", "needs", "--as-of", moment)
            assert {
                row["item_id"]: (row["enterprise_received_cum"], row["version"], row["carried_forward"])
                for row in rows_then
            } == standing(chains, month, moment), (month, moment)
            for row in rows_then:
                assert (row["month_progress"] == "") == (row["carried_forward"] == "true")
    for month, chain in chains.items():
        kept = office.export(f"2018-{month:02d}", "needs", "--all-versions")
        assert [
            (row["item_id"], int(row["version"]), row["enterprise_received_cum"]) for row in kept
        ] == sorted(
            (item, version["number"], str(amount))
            for version in chain
            for item, amount in version["rows"].items()
        )


def test_a_row_returned_again_leaves_the_month_to_compare_with(office: Office) -> None:
    """July's accepted row stands in where July's later file returned it: August continues from it."""
    first, second = ITEMS

    def send(month: int, one: int | None, two: int, at: str) -> None:
        note = {"更正说明": "核对后更正"} if month == 7 else {}
        rows = [need(first, one), need(second, two)]
        book = office.book(f"{at}.xlsx", f"2018年{month}月", "县招商局", cover=note, needs=rows)
        office.receive(book, at)

    def told(month: str) -> list[tuple[str, str]]:
        found = office.export(month, "findings")
        return [(f["rule"], f["item_id"]) for f in found if f["rule"] != "P04" and f["open"] == "true"]

    send(6, 10, 10, "2018-07-02")
    send(7, 20, 20, "2018-08-02")
    send(8, 30, 30, "2018-09-02")
    send(7, None, 21, "2018-09-03")
    (row, _) = office.export("2018-07", "needs")
    assert (row["enterprise_received_cum"], row["version"], row["carried_forward"]) == ("20", "1", "true")
    assert told("2018-08") == []
    send(8, 19, 31, "2018-09-04")
    assert sorted(told("2018-08")) == [("F15", ""), ("H01", first)]
    assert office.run("rebuild", "--verify").exit_code == 0
