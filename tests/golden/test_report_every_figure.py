"""Every number on page one and in the body of the sample's report, in its order, by another path.

Each passage is taken from the page itself; the numbers that must stand in it are computed from the
exports and the plan's cells (figures_again). What is passed over is named in the last test.
"""

from __future__ import annotations

import re
from datetime import datetime
from fractions import Fraction

import openpyxl
import pytest
from figures_again import (
    SIGNED,
    STARTED,
    STATUSES,
    frac,
    gap,
    mean,
    money,
    needs_of_the_plan,
    numbers,
    one,
    part,
    projects,
    total,
    wan,
)
from test_report_against_exports import SEPTEMBER, rows_of, sample  # noqa: F401  a fixture

from ledger.home import CHECKOUT
from ledger.reporting.html import county_html
from schemas.month import Month

TIME = Fraction(75)
AUGUST = Month(2018, 8)


class Page:
    """The report's page in pieces; `taken` are those a test has answered for."""

    def __init__(self, report, tables) -> None:
        html = county_html(report).split("</head>")[1]
        self.report = report
        self.front, rest = html.split('<section class="contents">')
        self.body = rest.split('<section class="body">')[1].split('<section class="annex-landscape"')[0]
        self.tables = tables
        self.now, self.before = tables[SEPTEMBER, "projects"], tables[AUGUST, "projects"]
        self.projects = projects(self.now, self.before)
        self.red = [p for p in self.projects if p.light == "red"]
        self.needs, self.needs_before = tables[SEPTEMBER, "needs"], tables[AUGUST, "needs"]
        self.indicators = tables[SEPTEMBER, "indicators"]

    def part(self, number: int) -> str:
        return self.body.split(f'id="part-{number}"')[1].split(f'id="part-{number + 1}"')[0]

    def paragraphs(self, html: str) -> list[str]:
        return [plain(text) for text in re.findall(r"<p(?: [^>]*)?>(.*?)</p>", html, re.DOTALL)]

    def sums(self, names=("fiscal_received_cum", "fiscal_paid_cum"), rows=None):
        return tuple(total(self.now if rows is None else rows, name) for name in names)


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html.replace("<wbr>", ""))


def rows_in(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.DOTALL)
    return [
        [" ".join(plain(cell).split()) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in rows
        if "<td" in row
    ]


def table(html: str, caption: str) -> list[list[str]]:
    return rows_in(html.split(f"<caption>{caption}")[1].split("</table>", maxsplit=1)[0])


@pytest.fixture(scope="module")
def page(sample):  # noqa: F811
    return Page(*sample)


def test_page_one_head_and_conclusion(page):
    head = page.front.split('<p class="conclusion')[0]
    day = max(datetime.fromisoformat(r["received_at"]) for r in page.tables[SEPTEMBER, "submissions"])
    assert numbers(plain(head)) == ["2018", "9", "2018", str(day.month), str(day.day)]
    _, paid = page.sums()
    told = page.front.split('<p class="conclusion')[1].split("</p>")[0].partition(">")[2]
    pct = paid * 100 / 2000
    assert numbers(plain(told)) == [one(pct), gap(pct, TIME), str(len(page.red))]
    assert sum(p.planned for p in page.projects) == 2000


def card_numbers(page) -> list[list[str]]:
    got, paid = page.sums()
    last_got, last_paid = page.sums(rows=page.before)
    started = sum(row["status"] in STARTED for row in page.now)
    finished = sum(row["status"] in STARTED[1:] for row in page.now)
    accepted = sum(row["status"] == "已验收" for row in page.now)
    assert started == sum(row["status"] in STARTED for row in page.before), "与上月持平 has no number"
    progress = mean(p.progress for p in page.projects)
    before = mean(frac(p.last, "progress_pct") for p in page.projects)
    window = mean(p.window for p in page.projects)
    signed = [r for r in page.needs if r["status"] in SIGNED]
    more = len(signed) - sum(r["status"] in SIGNED for r in page.needs_before)
    lights = [p.light for p in page.projects]
    return [
        ["8", str(started), str(finished), str(accepted)],
        [wan(got), one(got * 100 / 2000), "2000", wan(got - last_got)],
        [wan(paid), one(paid * 100 / got), one(paid * 100 / 2000), wan(paid - last_paid)],
        [one(progress), one(window), "75.0", gap(progress, before)],
        [str(len(signed)), str(len(page.needs)), wan(total(page.needs, "signed_amount")), str(more)],
        [str(lights.count("red")), str(lights.count("yellow")), str(lights.count("green"))],
    ]


def test_page_one_cards(page):
    cards = [plain(card) for card in page.front.split('<div class="card">')[1:]]
    cards[-1] = cards[-1].split("各领域")[0]
    assert [numbers(card) for card in cards] == card_numbers(page)
    assert "与上月持平" in cards[5]


def sections(page):
    names = list(dict.fromkeys(p.section for p in page.projects))
    return [(name, [p for p in page.projects if p.section == name]) for name in names]


def fresh_step(group):
    """Change on last month of a group's mean; None where all of it is carried forward."""
    if all(p.carried for p in group):
        return None
    return mean(p.progress for p in group), mean(frac(p.last, "progress_pct") for p in group)


def test_page_one_charts(page):
    bars, lines = re.findall(r"<svg.*?</svg>", page.front, re.DOTALL)
    expected = []
    for _, group in sections(page):
        expected.append(one(mean(p.progress for p in group)))
        step = fresh_step(group)
        expected += [gap(*step)] if step else []
    assert numbers(plain(bars.replace("</text>", " </text>"))) == [*expected, "75.0"]
    got, paid = page.sums()
    words = [plain(text) for text in re.findall(r"<text[^>]*>.*?</text>", lines)]
    ends = [numbers(word)[0] for word in words if word.strip().startswith(("到位", "支付"))]
    assert ends == [wan(got), wan(paid)]
    axis = [int(word) for word in words if word.strip().isdigit()]
    assert axis == list(range(0, 2001, 500))
    assert [w.strip() for w in words if w.strip().endswith("月")] == [f"{n}月" for n in range(5, 13)]


def test_page_one_points_stand_at_their_amounts(page):
    """The chart's dots, read back from their coordinates."""
    svg = re.findall(r"<svg.*?</svg>", page.front, re.DOTALL)[1]
    labels = {
        int(word): float(y) - 9
        for y, word in re.findall(r'<text x="[\d.]+" y="([\d.]+)"[^>]*>(\d+)</text>', svg)
    }
    scale = (labels[0] - labels[2000]) / 2000
    paid = [(labels[0] - float(y)) / scale for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', svg)]
    expected = [total(rows, "fiscal_paid_cum") for rows in (page.before, page.now)]
    assert paid[-2:] == pytest.approx([float(value) for value in expected], abs=0.3 / scale)


def test_page_one_unit_table(page):
    printed = rows_in(page.front.split('class="small units"')[1].split("</table>")[0])
    units = {row["unit_name"]: [] for rows in (page.now, page.needs, page.indicators) for row in rows}
    for p in page.projects:
        units[p.row["unit_name"]].append(p)
    late = {r["unit_name"] for r in page.tables[SEPTEMBER, "submissions"] if r["timely"] == "false"}
    seen = set()
    for name, count, progress, change, rate, lights, state in printed:
        mine = units.get(name, [])
        seen.add(name)
        assert count == (str(len(mine)) if mine else "—")
        assert numbers(state) == (["2"] if name in late else []), "三里乡 is two days late"
        if not mine:
            assert numbers(progress + change + rate + lights) == []
            continue
        assert progress.rstrip("＊") == one(mean(p.progress for p in mine))
        assert progress.endswith("＊") == any(p.carried for p in mine)
        if any(p.carried for p in mine):
            assert change == "—"
        else:
            assert numbers(change) == [gap(*fresh_step(mine))]
        got, paid = (total([p.row for p in mine], f"fiscal_{what}_cum") for what in ("received", "paid"))
        assert rate == one(paid * 100 / got)
        shapes = {"red": "●", "yellow": "▲", "green": "■"}
        counted = {shape: sum(p.light == light for p in mine) for light, shape in shapes.items()}
        assert lights.replace(" ", "") == "".join(
            shape + (str(n) if n > 1 else "") for shape, n in counted.items() if n
        )
    assert {p.row["unit_name"] for p in page.projects} <= seen


def test_page_one_red_list_and_boxes(page):
    printed = rows_in(page.front.split("红灯项目（共")[1].split("</table>")[0])
    worst = sorted(page.red, key=lambda p: Fraction(p.lag()[1]), reverse=True)
    assert [(row[1].rstrip("＊"), numbers(row[2]), numbers(row[3])) for row in printed] == [
        (p.row["progress_pct"], [p.lag()[1]], numbers(p.row["problems"]) + numbers(p.row["measures"]))
        for p in worst
    ]
    quality, _, matters = (plain(box) for box in page.front.split('<div class="box ')[1:])
    assert numbers(quality) == quality_numbers(page)
    told = [r for r in page.tables[AUGUST, "corrections"] if r["received_at"] > "2018-09-05T23:59:59+08:00"]
    lines = re.findall(r"<p>(.*?)</p>", page.front.split('<div class="box ')[2])
    for line, row in zip(lines, told, strict=True):
        month = int(row["month"][5:])
        head = re.match(rf"\D+{month}月\D+：{row['old']}万元→{row['new']}万元，原因：(.*?)…?$", line)
        assert head and row["reason"].startswith(head[1]), line
    sheet = openpyxl.load_workbook(CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx")["附件1"]
    wrong = [
        (row, abs(sheet[f"G{row}"].value - sheet[f"H{row}"].value - sheet[f"I{row}"].value))
        for row in (5, 8, 9, 10, 15, 18, 19, 20, 23)
        if sheet[f"G{row}"].value != sheet[f"H{row}"].value + sheet[f"I{row}"].value
    ]
    listed = table(page.part(6), "表6")
    told = [
        numbers(row[1]) + [str(d) for n, d in wrong if row[1] == f"附件1 G{n}"]
        for row in listed
        if row[2] == "差错"
    ]
    others = sum(row[2] == "提示" for row in listed)
    assert numbers(matters) == [*(number for each in told for number in each), str(others)]
    shown = len(rows_in(page.front.split('class="small units"')[1].split("</table>")[0]))
    keys = [plain(key) for key in re.findall(r'<p class="key">(.*?)</p>', page.front)]
    left_out = int(quality_numbers(page)[0]) - shown
    assert [numbers(key) for key in keys] == [[], *([[str(left_out)]] if left_out else []), ["2000"]]


def quality_numbers(page) -> list[str]:
    rows = page.tables[SEPTEMBER, "submissions"]
    units = {row["unit_name"] for row in rows if row["unit_name"]}
    timely = {row["unit_name"] for row in rows if row["timely"] == "true"}
    late = {row["unit_name"] for row in rows if row["timely"] == "false"}
    missing = 1  # 县委组织部 has sent nothing: it is in no submission
    assert "县委组织部" not in units
    back = {r["unit_name"] for r in rows if r["verdict"] == "returned"} - timely - late
    in_part = {r["unit_name"] for r in rows if r["verdict"] == "accepted_in_part"}
    carried = sum(
        r["carried_forward"] == "true" for rows in (page.now, page.needs, page.indicators) for r in rows
    )
    return [
        str(len(units) + missing), str(len(timely)), str(len(late)), "2", str(missing), str(len(back)),
        str(len(in_part)), str(carried), "2018", "8",
    ]  # fmt: skip


def work_numbers(page) -> list[str]:
    """How many were started, finished and accepted, each rate with its fraction."""
    started = sum(row["status"] in STARTED for row in page.now)
    finished = sum(row["status"] in STARTED[1:] for row in page.now)
    assert (started, finished) == (8, 1) and not any(row["status"] == "已验收" for row in page.now)
    return ["2018", "9", "30", "8", "100.0", "8", "8", "1", "12.5", "1", "8", "0.0", "0", "1"]


def fiscal_numbers(page) -> list[str]:
    got, paid = page.sums()
    return money(Fraction(2000), got, paid, page.sums(rows=page.before))


def test_part_one(page):
    told = page.paragraphs(page.part(1))
    own = ("self_received_cum", "self_paid_cum")
    stated, both = sum(p.stated for p in page.projects), sum(p.planned + p.own_planned for p in page.projects)
    own_planned = sum(p.own_planned for p in page.projects)
    sheet = openpyxl.load_workbook(CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx")["附件1"]
    assert (stated, own_planned) == (sheet["G5"].value, sheet["I5"].value)
    assert numbers(told[0]) == ["2018", "8", wan(stated), "2000", wan(own_planned), wan(both)]
    assert numbers(told[1]) == work_numbers(page)
    pct = page.sums()[1] * 100 / 2000
    assert numbers(told[2]) == [*fiscal_numbers(page), "75.0", gap(pct, TIME)]
    assert numbers(told[3]) == money(own_planned, *page.sums(own), page.sums(own, page.before))
    people = total(page.now, "poor_persons")
    more = people - total(page.before, "poor_persons")
    assert numbers(told[4]) == [wan(total(page.now, "poor_households")), wan(people), wan(more)]
    assert len(told) == 5


def progress_numbers(page) -> list[str]:
    progress = mean(p.progress for p in page.projects)
    before = mean(frac(p.last, "progress_pct") for p in page.projects)
    window = mean(p.window for p in page.projects)
    lights = [p.light for p in page.projects]
    counts = [str(lights.count(name)) for name in ("red", "yellow", "green")]
    return [one(progress), gap(progress, before), one(window), "75.0", gap(progress, window), *counts]


def marks_of(page, project) -> list[str]:
    """The numbers of the plan's open questions that belong to a project."""
    known_as = "".join(project.row["item_name"].split())
    return [
        row[0].replace(" ", "").removeprefix("※")
        for row in table(page.part(6), "表6")
        if f"「{known_as}」" in row[3] or row[1] in row_of(project)
    ]


def test_part_two(page):
    text = page.part(2)
    told = page.paragraphs(text)
    assert numbers(told[0]) == progress_numbers(page)
    assert numbers(told[1]) == []
    place = 2
    for name, group in sections(page):
        if len(group) > 1:
            assert numbers(told[place]) == section_numbers(name, group)
            place += 1
        for project in group:
            words = re.sub(r"※\s*\d+", "", told[place])
            assert numbers(words) == project.paragraph(), words
            assert re.findall(r"※\s*(\d+)", told[place]) == marks_of(page, project)
            place += 1
    assert place == len(told)
    printed = table(text, "表1")
    groups = [*sections(page), ("合计", page.projects)]
    for row, (name, group) in zip(printed, groups, strict=True):
        planned = sum(p.planned for p in group)
        got, paid = (total([p.row for p in group], f"fiscal_{what}_cum") for what in ("received", "paid"))
        assert row[0] == name
        assert [part for cell in row[1:] for part in numbers(cell)] == [
            str(len(group)), wan(planned), wan(got), wan(paid), one(got * 100 / planned), one(paid * 100 / got),
            one(paid * 100 / planned), one(mean(p.progress for p in group)), one(mean(p.window for p in group)),
        ]  # fmt: skip


def row_of(project) -> list[str]:
    """The cell whose doubt names no project: the lead unit of 3号."""
    return ["附件1 L10"] if project.seq == 3 else []


def section_numbers(name: str, group) -> list[str]:
    progress, window = mean(p.progress for p in group), mean(p.window for p in group)
    step = fresh_step(group)
    lights = [p.light for p in group]
    counts = [str(lights.count(light)) for light in ("red", "yellow", "green") if light in lights]
    got, paid = (total([p.row for p in group], f"fiscal_{what}_cum") for what in ("received", "paid"))
    return [
        *numbers(name), str(len(group)), one(progress), *([gap(*step)] if step else []), gap(progress, window),
        *counts, *money(sum(p.planned for p in group), got, paid),
    ]  # fmt: skip


def need_numbers(page) -> list[str]:
    planned = needs_of_the_plan()
    sheet = openpyxl.load_workbook(CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx")["附件2"]
    whole = sum(funds for _, funds, _ in planned if funds is not None)
    assert [whole] == [sheet["G5"].value]
    unpriced = sum(funds is None for _, funds, _ in planned)
    return [str(len(planned)), wan(whole), str(sheet["H5"].value), str(sheet["I5"].value), str(unpriced)]


def test_part_three(page):
    text = page.part(3)
    told = page.paragraphs(text)
    planned = needs_of_the_plan()
    assert numbers(told[0]) == need_numbers(page)
    statuses = [row["status"] for row in page.needs]
    signed = [row for row in page.needs if row["status"] in SIGNED]
    more = len(signed) - sum(row["status"] in SIGNED for row in page.needs_before)
    assert numbers(told[1]) == [
        *(str(statuses.count(status)) for status in STATUSES if status in statuses),
        str(len(signed)), str(more), wan(total(signed, "signed_amount")),
        wan(total(page.needs, "enterprise_received_cum")), wan(total(page.needs, "self_received_cum")),
    ]  # fmt: skip
    for row in table(text, "表2"):
        mine = [n for n, (_, _, category) in zip(page.needs, planned, strict=True) if category == row[0]]
        funds = sum(f for _, f, category in planned if category == row[0] and f is not None)
        assert row[1:] == [
            str(len(mine)), wan(funds), *(str(sum(n["status"] == s for n in mine)) for s in STATUSES),
            wan(total(mine, "signed_amount")), wan(total(mine, "enterprise_received_cum")),
        ]  # fmt: skip
    last = {row["item_id"]: row["status"] for row in page.needs_before}
    news = [row for row in page.needs if last.get(row["item_id"]) not in (None, row["status"])]
    assert [numbers(line) for line in told[3:]] == [
        [str(place), *numbers(row["item_name"]), *numbers(row["month_progress"])]
        for place, row in enumerate(news, start=1)
    ]


def rates_of(indicators) -> list[Fraction]:
    return [Fraction(row["done_cum"]) * 100 / Fraction(row["target"]) for row in indicators]


def target_numbers(page) -> list[str]:
    rates = rates_of(page.indicators)
    met, behind = sum(r >= 100 for r in rates), sum(r < TIME for r in rates)
    return [str(len(rates)), "75.0", str(met), str(len(rates) - met - behind), str(behind)]


def expected_at_year_end(row, rate: Fraction) -> str:
    if rate >= 100:
        return "已完成"
    if row["carried_forward"] == "true":
        return "—"
    return one(Fraction(row["done_cum"]) * 12 / 9).removesuffix(".0")


def test_part_four(page):
    text = page.part(4)
    told = page.paragraphs(text)
    rates = rates_of(page.indicators)
    behind = [r for r in rates if r < TIME]
    assert numbers(told[0]) == target_numbers(page)
    assert numbers(told[1]) == [one(rate) for rate in behind]
    for row, line, rate in zip(page.indicators, table(text, "表3"), rates, strict=True):
        carried = row["carried_forward"] == "true"
        assert line[2:4] == [row["target"], row["done_cum"] + ("＊" if carried else "")] or carried
        assert numbers(line[2] + " " + line[3]) == [row["target"], row["done_cum"]]
        assert line[4].split(" ")[-1] == one(rate)
        assert line[4].startswith("■" if rate >= TIME else "●")
        assert line[5] == expected_at_year_end(row, rate)


def test_part_five(page):
    text = page.part(5)
    told = page.paragraphs(text)
    quality = quality_numbers(page)
    findings = page.tables[SEPTEMBER, "findings"]
    errors, warnings = (
        sum(f["severity"] == s and f["open"] == "true" for f in findings) for s in ("error", "warning")
    )
    rate = part(Fraction(quality[1]), Fraction(quality[0]))
    assert numbers(told[0]) == ["2018", "9", "2018", "10", "8", *rate, str(errors), str(warnings)]
    assert numbers(told[2]) == quality
    submissions = page.tables[SEPTEMBER, "submissions"]
    items = [row["unit_name"] for rows in (page.now, page.needs, page.indicators) for row in rows]
    for name, owed, first, accepted, state, wrong, doubtful in table(text, "表4"):
        mine = [row for row in submissions if row["unit_name"] == name]
        assert owed == str(items.count(name))
        for shown, column in ((first, "first_received_at"), (accepted, "first_accepted_at")):
            moments = sorted(row[column] for row in mine if row[column])
            if not moments:
                assert shown == "—"
                continue
            moment = datetime.fromisoformat(moments[0])
            assert shown == f"{moment.month}月{moment.day}日 {moment:%H:%M}"
        counted = [f["severity"] for f in findings if f["unit_name"] == name and f["open"] == "true"]
        assert (wrong, doubtful) == (str(counted.count("error")), str(counted.count("warning")))
        assert numbers(state) == (["2"] if name == "三里乡" else [])
    messages = {row["message"].rstrip("。") for row in findings}
    returned = table(text, "表5")
    assert returned and all(row[2].rstrip("。") in messages for row in returned)


def check_doubt(sheet, cell: str, words: str) -> None:
    """One row of the plan's open questions against the plan's own cells."""
    row = int(re.sub(r"\D", "", cell))
    squeezed = re.sub(r"\s", "", "".join(str(sheet.cell(row, n).value or "") for n in (1, 2, 3)))
    for name in re.findall("「(.*?)」", words):
        assert re.sub(r"\s", "", name) in squeezed
    quoted = re.findall(r"([A-Z]+)(\d+) (\d+(?:\.\d+)?)", words)
    for column, number, value in quoted:
        assert int(number) == row and str(sheet[f"{column}{number}"].value) == value, words
    amounts = [str(sheet[f"{column}{row}"].value) for column in "GHI"]
    own = numbers(re.sub("「.*?」", "", words))
    if "还原为" in words:
        values = [value for *_, value in quoted]
        addressed = [text for column, number, value in quoted for text in (number, value)]
        assert quoted[0][0] + quoted[0][1] == cell and own == [*addressed, "1", *values]
    elif "资金安排合计" in words:
        parts = int(amounts[1]) + int(amounts[2])
        assert cell == f"G{row}"
        assert own == [amounts[0], str(parts), amounts[1], amounts[2], str(abs(int(amounts[0]) - parts))]
    elif "计划开工时间" in words:
        start = numbers(str(sheet[f"J{row}"].value))
        assert cell == f"J{row}" and own == [*start, "2018", "6", "19"]
    else:
        column = "E" if "扶贫效益" in words else "L" if "牵头单位" in words else "F"
        assert cell == f"{column}{row}" and own == []
        assert column != "F" or sheet[cell].value is None
        assert column != "L" or f"“{sheet[cell].value}”" in words


def test_parts_six_and_seven(page):
    listed = table(page.part(6), "表6")
    grave = sum(row[2] == "差错" for row in listed)
    restored = sum("还原为" in row[3] for row in listed)
    intro = page.paragraphs(page.part(6))[0]
    assert numbers(intro) == [str(len(listed)), str(grave), str(len(listed) - grave), str(restored)]
    assert [row[0].replace(" ", "") for row in listed] == [f"※{n}" for n in range(1, len(listed) + 1)]
    book = openpyxl.load_workbook(CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx")
    for _, place, _, words in listed:
        sheet, cell = place.split(" ")
        check_doubt(book[sheet], cell, words)
    told = page.tables[AUGUST, "corrections"]
    corrected = [row for row in told if row["received_at"] > "2018-09-05T23:59:59+08:00"]
    text = page.body.split('id="part-7"')[1]
    # August was not issued; September was checked against it, and again after its corrections
    assert numbers(page.paragraphs(text)[0]) == [str(len(corrected)), "9"]
    assert "其后9月的数字已按更正后的重新核对。" in page.paragraphs(text)[0]
    assert numbers(" ".join(page.paragraphs(text)[-4:])) == ["1", "2018", "2", "2018", "3", "2018", "4"]
    for line, row in zip(table(text, "表7"), corrected, strict=True):
        day = datetime.fromisoformat(row["received_at"])
        assert numbers(" ".join(line[1:5])) == ["2018", "8", row["old"], row["new"]]
        assert numbers(line[5]) == ["2018", str(day.month), str(day.day), *numbers(row["reason"])]


def test_nothing_else_on_these_pages_has_a_figure(page):
    """What the tests above pass over: captions, table heads, references; their numbers are none of
    the ledger's."""
    left = re.sub(r"<svg.*?</svg>|<tbody.*?</tbody>", " ", page.body + page.front, flags=re.DOTALL)
    left = re.sub(r"<p(?: [^>]*)?>.*?</p>", " ", left, flags=re.DOTALL)
    words = plain(left)
    known = {"表1", "表2", "表3", "表4", "表5", "表6", "表7", "共2个", "2018年9月"}
    for found in re.findall(r"\S*\d+\S*", words):
        assert any(word in found for word in known) or re.fullmatch(r"\d+\.", found), found
