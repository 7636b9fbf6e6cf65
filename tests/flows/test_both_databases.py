"""One home, its ledger once in SQLite and once in PostgreSQL: the same journey, figures and paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.explain import explain_figure
from flows.export import export_bytes
from flows.monthly import run_month
from flows.receive import receive_files
from ledger.calendar import parse_moment
from ledger.home import Home
from ledger.recording.database import URL_VARIABLE
from schemas.month import Month
from tests.faulty import copied, ledger, real_home, said, small_books

JUNE = Month(2018, 6)
PROJECTS = "2018-06 projects {}"
LOOKS: list[tuple[str, str, dict[str, object]]] = [
    *((month, table, {}) for month in ("2018-06", "2018-07") for table in ("projects", "findings")),
    *(("2018-06", table, {}) for table in ("needs", "submissions", "corrections")),
    ("2018-06", "projects", {"all_versions": True}),
    ("2018-06", "projects", {"as_of": parse_moment("2018-07-04")}),
]


def journey(home: Home, books: dict[str, Path]) -> dict[str, object]:
    """June, July, June's correction; what is shown and what is printed afterwards."""
    for name, at in (("june", "2018-07-03"), ("july", "2018-08-03"), ("correction", "2018-08-09")):
        receive_files(home, [books[name]], parse_moment(at), None)
    run_month(home, JUNE)
    shown: dict[str, object] = {}
    for month, table, more in LOOKS:
        given = {"as_of": None, "all_versions": False, "excel_safe": False, **more}
        shown[f"{month} {table} {more}"] = export_bytes(home, Month.parse(month), table, "csv", **given)
    shown["explain"] = explain_figure(home, JUNE, "2018-A1-04", "fiscal_paid_cum")
    printed = sorted(path for path in home.reports(JUNE).glob("*.pdf"))
    assert printed
    return shown | {path.name: path.read_bytes() for path in printed}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_journey(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    books = small_books(tmp_path / "books")
    base = real_home(tmp_path / "base")
    here = journey(copied(base, tmp_path / "sqlite"), books)
    monkeypatch.setenv(URL_VARIABLE, postgres_url)
    other = copied(base, tmp_path / "postgresql")
    there = journey(other, books)
    assert [name for name in here if here[name] != there.get(name)] == []
    assert b"18.5" in bytes(here[PROJECTS])
    # another home's database is refused, not mixed
    said(ledger(base.root, "status", "2018-06"), 5, "不是一套")
    monkeypatch.setenv(URL_VARIABLE, postgres_url.replace("/ledger_", "/nothing_"))
    said(ledger(other.root, "status", "2018-06"), 5, "数据库")
    # without the database the home's own file takes over, from the same journal
    monkeypatch.delenv(URL_VARIABLE)
    done = ledger(other.root, "export", "2018-06", "--table", "projects")
    assert done.stdout.encode().splitlines() == bytes(here[PROJECTS]).splitlines()
