"""A marked file comes back: what was mended in it and what remains, as `ledger status` tells it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
from click.testing import CliRunner

from flows import check as checking
from flows import plan as planning
from flows import receive as receiving
from flows import steps
from flows.cli import main
from flows.init import make_home
from ledger.calendar import parse_moment
from ledger.home import CHECKOUT, Home
from schemas.month import Month
from tests.workbooks import cell, make_book, water

JUNE = Month(2018, 6)
PLAN = CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"


def rules(home: Home, path: Path) -> set[tuple[str, str | None]]:
    (checked,) = checking.check_files(home, [path], None).files
    return {(found.rule, found.cell) for found in checked.findings}


def received(home: Home, path: Path, day: int) -> Path | None:
    """Take a file in as the month's run does; the marked workbook that goes back."""
    receiving.receive_files(home, [path], parse_moment(f"2018-07-0{day}T09:00"), None)
    steps.record(home, JUNE)
    sent = [home.root / name for name in steps.send_back(home, JUNE)]
    return next((one for one in sent if one.suffix == ".xlsx"), None)


def standing(home: Home) -> dict[str, Any]:
    shown = CliRunner().invoke(main, ["status", "2018-06", "--home", str(home.root), "--json"])
    assert shown.exit_code == 0, shown.output
    return next(unit for unit in json.loads(shown.stdout)["units"] if unit["unit_code"] == "422822103")


def test_the_marked_file_is_known_as_the_answer(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    make_home(home)
    planning.register(home, PLAN, 2018)
    wrong = [water(fiscal_paid_cum=60, fiscal_paid_month=60, poor_persons="约600")]
    first = make_book(tmp_path / "景阳6月.xlsx", "景阳镇", "2018年6月", projects=wrong)
    before = rules(home, first)
    assert before == {("R03", cell("projects", "fiscal_paid_cum")), ("C10", cell("projects", "poor_persons"))}
    marked = received(home, first, 3)
    assert marked is not None
    unit = standing(home)
    assert (len(unit["mended"]), len(unit["remaining"])) == (0, 2)

    # sent back unmended, notes and all, it says the same
    kept = tmp_path / "退回件.xlsx"
    kept.write_bytes(marked.read_bytes())
    assert rules(home, kept) == before
    received(home, kept, 4)
    unit = standing(home)
    assert (len(unit["mended"]), len(unit["remaining"])) == (0, 2)

    # one of the two put right in the marked file
    book = openpyxl.load_workbook(kept)
    sheet = next(sheet for sheet in book.worksheets if sheet.title.startswith("表1"))
    sheet[cell("projects", "fiscal_paid_cum")] = 20
    sheet[cell("projects", "fiscal_paid_month")] = 20
    answer = tmp_path / "景阳6月改.xlsx"
    book.save(answer)
    received(home, answer, 5)
    unit = standing(home)
    assert ["累计支付" in message for message in unit["mended"]] == [True]
    assert ["约600" in message for message in unit["remaining"]] == [True]


def test_a_check_of_one_file_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """Two seconds on the command line, imports included, leave no room for these."""
    book = make_book(tmp_path / "景阳6月.xlsx", "景阳镇", "2018年6月", projects=[water()])
    script = (
        "import sys\n"
        "from flows.cli import main\n"
        "try:\n"
        f"    main(['check', {str(book)!r}, '--json'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'prefect', 'weasyprint', 'openpyxl', 'fontTools', 'jinja2', 'xlrd'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    environment = {**os.environ, "LEDGER_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert json.loads(done.stdout)["files"][0]["verdict"] == "accepted"
    assert done.stderr.strip() == "[]", done.stderr
