"""Every cell of the sample's annexes with a number in it, by another path (see figures_again)."""

from __future__ import annotations

import re
from fractions import Fraction

import openpyxl
import pytest
from figures_again import frac, gap, mean, numbers, one, total, wan
from golden_views import plan
from test_report_against_exports import sample  # noqa: F401  a fixture
from test_report_every_figure import TIME, Page, plain, rows_in

from ledger.home import CHECKOUT
from ledger.reporting.html import county_html

MONEY = ("fiscal_received_cum", "self_received_cum", "invested_cum", "fiscal_paid_cum", "self_paid_cum")


@pytest.fixture(scope="module")
def page(sample):  # noqa: F811
    return Page(*sample)


@pytest.fixture(scope="module")
def printed(sample):  # noqa: F811
    """The rows of each annex, without the marks of open questions."""
    html = county_html(sample[0])
    return {
        number: rows_in(re.sub(r'<a class="doubt".*?</a>', "", html.split(f'id="annex-{number}"')[1].split("</section>")[0]))
        for number in (1, 2, 3)
    }  # fmt: skip


@pytest.fixture(scope="module")
def book():
    return openpyxl.load_workbook(CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx")


def amount(item, field: str) -> str:
    value = item.values[field]
    return "—" if value is None else wan(Fraction(value, 1_000_000))


def money_of(rows) -> list[str]:
    got = total(rows, "fiscal_received_cum") + total(rows, "self_received_cum")
    paid = total(rows, "fiscal_paid_cum") + total(rows, "self_paid_cum")
    return [*(wan(total(rows, name)) for name in MONEY), one(paid * 100 / got)]


def test_annex_1_items(page, printed, book):
    rows = [row for row in printed[1] if len(row) == 21 and row[0].isdigit()]
    items = plan().of_table("projects")
    for cells, item, project in zip(rows, items, page.projects, strict=True):
        sheet = book["附件1"]
        assert cells[0] == str(item.seq)
        for place, column in ((3, "D"), (4, "E")):
            assert numbers(cells[place]) == numbers(str(sheet[f"{column}{item.row}"].value))
        fields = ("total_investment_fen", "funds_total_fen", "fiscal_planned_fen", "self_planned_fen")
        assert cells[5:9] == [amount(item, field) for field in fields]
        assert cells[9:11] == [f"{project.start[1]}月", f"{project.end[1]}月"]
        assert cells[13:15] == [project.row["progress_pct"], one(project.window)]
        assert cells[15:] == money_of([project.row])


def test_annex_1_what_was_reported_beside(page, printed):
    rows = [row for row in printed[1] if len(row) == 2]
    for (_, words), project in zip(rows, page.projects, strict=True):
        row = project.row
        expected = ["2018", "8"] if project.carried else []
        for name in ("start_actual", "finish_actual", "accept_actual"):
            year, *rest = row[name].split("-") if row[name] else ("",)
            if year:
                dotted = ".".join([year, *(str(int(part)) for part in rest)])
                assert dotted in words
                expected += numbers(dotted)
        for name in ("fiscal_paid_month", "self_paid_month"):
            expected += [wan(frac(row, name))] if row[name] else []
        expected += [row["poor_households"], row["poor_persons"]]
        expected += [n for name in ("problems", "measures", "remarks") for n in numbers(row[name])]
        assert numbers(words) == expected


def test_annex_1_totals(page, printed, book):
    rows = [row for row in printed[1] if len(row) == 20 and "计" in row[0]]
    groups = {
        5: page.projects, 7: page.projects[:3], 12: page.projects[3:7], 14: page.projects[3:4],
        17: page.projects[4:7], 22: page.projects[7:],
    }  # fmt: skip
    stated = {total.row: total for total in plan().totals if total.table == "projects"}
    for cells, (row, group) in zip(rows, groups.items(), strict=True):
        assert numbers(cells[1]) == [str(len(group))]
        fields = ("total_investment_fen", "funds_total_fen", "fiscal_planned_fen", "self_planned_fen")
        assert cells[4:8] == [amount(stated[row], field) for field in fields]
        assert cells[12:14] == [one(mean(p.progress for p in group)), one(mean(p.window for p in group))]
        assert cells[14:] == money_of([p.row for p in group])


def test_annex_2(page, printed, book):
    head, *rows = [row for row in printed[2] if len(row) > 2]
    sheet = book["附件2"]
    assert head[5:8] == [str(sheet[f"{column}5"].value) for column in "GHI"]
    columns = ("signed_amount", "enterprise_received_cum", "self_received_cum")
    assert head[-4:-1] == [wan(total(page.needs, name)) for name in columns]
    for cells, item, row in zip(rows, plan().of_table("needs"), page.needs, strict=True):
        assert cells[0] == str(item.seq)
        assert numbers(cells[3]) == numbers(str(sheet[f"D{item.row}"].value))
        assert numbers(cells[4]) == numbers(str(sheet[f"E{item.row}"].value))
        fields = ("total_investment_fen", "funds_total_fen", "enterprise_planned_fen", "self_planned_fen")
        assert cells[5:9] == [amount(item, field) for field in fields]
        assert cells[10] == row["status"]
        assert cells[12:15] == [wan(frac(row, name)) if row[name] else "—" for name in columns]
        assert numbers(cells[15]) == numbers(row["month_progress"]) + numbers(row["remarks"])


def test_annex_3(page, printed):
    for cells, row in zip(printed[3], page.indicators, strict=True):
        rate = Fraction(row["done_cum"]) * 100 / Fraction(row["target"])
        assert cells[0] == row["item_id"] and cells[3] == row["target"]
        assert cells[6:9] == [row["done_month"] or "—", row["done_cum"], one(rate)]
        sign = "+" if rate > TIME else "-"
        assert cells[9] == sign + gap(rate, TIME)
        carried = ["2018", "8"] if row["carried_forward"] == "true" else []
        assert numbers(cells[10]) == carried + numbers(row["evidence"]) + numbers(row["remarks"])


def test_the_annexes_heads_say_up_to_when(sample):  # noqa: F811
    html = county_html(sample[0])
    captions = [plain(text) for text in re.findall(r'<p class="annex-caption">(.*?)</p>', html)]
    assert [numbers(text) for text in captions] == [
        ["2018", "9", "30"],
        ["2018", "9", "30"],
        ["2018", "9", "30", "75.0"],
    ]
