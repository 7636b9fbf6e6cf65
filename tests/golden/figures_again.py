"""The report's figures computed once more, from the exports' text and the plan's cells alone.

Nothing of the program's own arithmetic is used: fractions here, rounding with integers.
"""

from __future__ import annotations

import re
from fractions import Fraction

from golden_views import plan

STARTED = ("在建", "已完工", "已验收")
SIGNED = ("已签约", "已开工", "已完成")
STATUSES = ("未对接", "洽谈中", "已签约", "已开工", "已完成", "已终止")
_PARTS = {"一、产业发展": "产业发展", "三、社会事业": "社会事业"}


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text)


def _half_up(value: Fraction, places: int) -> str:
    scale = 10**places
    whole = (abs(value) * scale + Fraction(1, 2)).__floor__()
    return f"{whole // scale}.{whole % scale:0{places}d}"


def wan(value: Fraction) -> str:
    return _half_up(value, 2).rstrip("0").rstrip(".")


def one(value: Fraction) -> str:
    text = _half_up(value, 1)
    return "99.9" if text == "100.0" and value < 100 else text


def gap(first: Fraction, second: Fraction) -> str:
    """The difference between two printed percentages, without its sign."""
    return one(abs(Fraction(one(first)) - Fraction(one(second))))


def frac(row, name: str) -> Fraction | None:
    return Fraction(row[name]) if row and row.get(name) else None


def total(rows, name: str) -> Fraction:
    return sum((Fraction(row[name]) for row in rows if row[name]), Fraction(0))


def mean(values) -> Fraction:
    known = [value for value in values if value is not None]
    return sum(known, Fraction(0)) / len(known)


class Project:
    """One project: the plan's figures from its cells, the month's and last month's from the exports."""

    def __init__(self, item, row, last, month: int) -> None:
        values = item.values
        self.id, self.row, self.last, self.seq = item.item_id, row, last, item.seq
        self.section = item.section[-1].split("、")[-1].split(") ")[-1]
        self.planned = Fraction(values["fiscal_planned_fen"], 1_000_000)
        self.own_planned = Fraction(values["self_planned_fen"], 1_000_000)
        self.stated = Fraction(values["funds_total_fen"], 1_000_000)
        start, end = values["start_planned"], values["accept_planned"]
        self.start, self.end = (start.year, start.month), (end.year, end.month)
        self.months = (end.year - start.year) * 12 + end.month - start.month + 1
        gone = (2018 - start.year) * 12 + month - start.month + 1
        self.window = Fraction(min(max(gone, 0), self.months) * 100, self.months)
        self.progress = frac(row, "progress_pct")
        self.carried = row["carried_forward"] == "true"
        behind = self.window - self.progress
        self.light = "green" if behind <= 0 else "yellow" if behind <= 10 else "red"
        assert row["status"] != "未开工" and (2018, month) <= self.end, "the sample has no other red light"

    def rates(self, what: str, planned: Fraction, verb: bool = True) -> list[str]:
        """计划, 到位 (rate), 支付 (rates), each rate with its fraction, as the sentence has them."""
        got, paid = frac(self.row, f"{what}_received_cum"), frac(self.row, f"{what}_paid_cum")
        return money(planned, got, paid) if verb else [wan(planned), wan(got), wan(paid), *part(paid, got)]

    def paragraph(self) -> list[str]:
        row, last = self.row, frac(self.last, "progress_pct")
        told = [str(self.seq)]
        if self.carried:
            told += ["2018", "8"]
        told += [row["progress_pct"]]
        if not self.carried:
            told += [gap(self.progress, last)]
        told += [str(self.start[0]), str(self.start[1]), str(self.end[1]), one(self.window), "75.0"]
        if self.light == "red":
            told += self.lag()
        told += self.rates("fiscal", self.planned) + self.rates("self", self.own_planned, verb=False)
        told += [wan(frac(row, "invested_cum")), row["poor_households"], row["poor_persons"]]
        return told + numbers(row["problems"]) + numbers(row["measures"])

    def lag(self) -> list[str]:
        behind = self.window - self.progress
        return [one(behind), one(behind * self.months / 100)]


def part(above: Fraction, below: Fraction) -> list[str]:
    return [one(above * 100 / below), wan(above), wan(below)]


def money(planned: Fraction, got: Fraction, paid: Fraction, last=None) -> list[str]:
    told = [wan(planned), wan(got), *part(got, planned)]
    told += [wan(got - last[0])] if last else []
    told += [wan(paid), *part(paid, got), *part(paid, planned)]
    return told + ([wan(paid - last[1])] if last else [])


def projects(now, before, month: int = 9) -> list[Project]:
    mine, last = ({row["item_id"]: row for row in rows} for rows in (now, before))
    return [Project(i, mine[i.item_id], last.get(i.item_id), month) for i in plan().of_table("projects")]


def needs_of_the_plan():
    """(seq, 资金合计 or None) of annex 2, its shifted rows put right by hand in `golden_views`."""
    return [
        (item.seq, None if item.values["funds_total_fen"] is None else Fraction(item.values["funds_total_fen"], 1_000_000),
         item.values["category"])
        for item in plan().of_table("needs")
    ]  # fmt: skip
