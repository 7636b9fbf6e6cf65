"""Whatever figures a row has: the checks say what plain arithmetic says, and nothing falls over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checking.model import Checked, Verdict
from schemas.month import Month
from tests.rows import FAILED, WATER, at, check, context, history, line, read_table, submission, values

PROJECT_STATUS = st.sampled_from(["未开工", "在建", "已完工", "已验收", "已取消", None, FAILED])
AMOUNT = st.one_of(
    st.integers(0, 400),
    st.integers(0, 400_000_000).map(lambda n: Decimal(n) / 1000),
    st.none(),
    st.just(FAILED),
)
PERCENT = st.one_of(st.integers(0, 100), st.none(), st.just(FAILED))
DATE = st.one_of(
    st.sampled_from(["2018-04", "2018-05", "2018-05-10", "2018-05-20", "2018-06", "2018-06-30"]),
    st.none(),
    st.just(FAILED),
)
AMOUNTS = (
    "fiscal_received_cum",
    "self_received_cum",
    "invested_cum",
    "fiscal_paid_month",
    "self_paid_month",
    "fiscal_paid_cum",
    "self_paid_cum",
)
DATES = ("start_actual", "finish_actual", "accept_actual")
ROWS = st.fixed_dictionaries(
    {
        "status": PROJECT_STATUS,
        "progress_pct": PERCENT,
        **dict.fromkeys(AMOUNTS, AMOUNT),
        **dict.fromkeys(DATES, DATE),
    }
)
PLANNED = {"fiscal": 50, "self": 250}


def figure(row: dict[str, Any], name: str) -> Decimal | None:
    value = row[name]
    return None if value is None or value is FAILED else Decimal(value)


def span(row: dict[str, Any], name: str) -> tuple[str, str] | None:
    value = row[name]
    if value is None or value is FAILED:
        return None
    return (value, value) if len(value) == 10 else (f"{value}-01", f"{value}-31")


def arithmetic(row: dict[str, Any]) -> set[tuple[str, str]]:
    """The row's findings, written down as the rules are read: (rule, column)."""
    found: set[tuple[str, str]] = set()
    status = row["status"]
    for source, planned in PLANNED.items():
        paid, received = figure(row, f"{source}_paid_cum"), figure(row, f"{source}_received_cum")
        if paid is not None and received is not None and paid > received:
            found.add(("R03", f"{source}_paid_cum"))
        if received is not None and received > planned:
            found.add(("R04", f"{source}_received_cum"))
        for name in ("paid_cum", "paid_month", "received_cum"):
            amount = figure(row, f"{source}_{name}")
            if amount is not None and amount >= 1000 * planned:
                found.add(("C09", f"{source}_{name}"))
    invested = figure(row, "invested_cum")
    if invested is not None and invested > 300:
        found.add(("R05", "invested_cum"))
    if invested is not None and invested >= 300_000:
        found.add(("C09", "invested_cum"))
    moved = [name for name in ("progress_pct", *AMOUNTS[3:]) if figure(row, name)]
    if status == "未开工" and (moved or span(row, "start_actual")):
        found.add(("R06", "status"))
    progress = figure(row, "progress_pct")
    if status in ("已完工", "已验收") and progress is not None and progress < 100:
        found.add(("R06", "status"))
    start, finish, accept = (span(row, name) for name in DATES)
    if start and finish and start[0] > finish[1]:
        found.add(("R07", "finish_actual"))
    before = finish or start
    if accept and before and before[0] > accept[1]:
        found.add(("R07", "accept_actual"))
    needed = {"在建": 1, "已完工": 2, "已验收": 3}.get(status if isinstance(status, str) else "", 0)
    found |= {("R10", name) for name in DATES[:needed] if row[name] is None}
    return found


def check_rows(rows: list[dict[str, Any]]) -> Checked:
    lines = [
        line("projects", number, seq=None, item_name=f"{WATER.name}", **row)
        for number, row in enumerate(rows, start=5)
    ]
    return check(submission(read_table("projects", *lines)), context(WATER))


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_a_rows_findings_are_plain_arithmetic(rows: list[dict[str, Any]]) -> None:
    checked = check_rows(rows)
    ours = {"R03", "R04", "R05", "R06", "R07", "R10", "C09"}
    found = sorted((f.rule, f.cell or "") for f in checked.findings if f.rule in ours)
    expected = sorted(
        (rule, at("projects", name, number))
        for number, row in enumerate(rows, start=5)
        for rule, name in arithmetic(row)
    )
    assert found == expected


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS, st.sampled_from(["", "核减"]))
def test_cumulative_figures_chain(before: dict[str, Any], now: dict[str, Any], remarks: str) -> None:
    known = {name: None if value is FAILED else value for name, value in before.items()}
    past = history(Month(2018, 6), m06={WATER.item_id: values("projects", **known)})
    table = read_table("projects", line("projects", remarks=remarks or None, **now))
    checked = check(submission(table, month=Month(2018, 7)), context(WATER, history=past))
    falls, gaps = set(), set()
    for name in ("progress_pct", *AMOUNTS):
        was, is_now = figure(before, name), figure(now, name)
        if name.endswith("_month"):
            total = name.replace("_month", "_cum")
            was, total_now = figure(before, total), figure(now, total)
            if None not in (was, is_now, total_now) and was + is_now != total_now:  # type: ignore[operator]
                gaps.add(at("projects", total))
        elif was is not None and is_now is not None and is_now < was:
            falls.add(at("projects", name))
    assert {f.cell for f in checked.findings if f.rule == "H01"} == falls
    assert {f.cell for f in checked.findings if f.rule == "H02"} == gaps
    softened = {f.severity for f in checked.findings if f.rule == "H01"}
    assert softened <= ({"warning"} if remarks else {"error"})


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=6))
def test_every_row_stands_or_is_returned_and_says_why(rows: list[dict[str, Any]]) -> None:
    checked = check_rows(rows)
    table = checked.tables[0]
    assert len(table.accepted) + len(table.returned) == table.rows_read == len(rows)
    to_blame = {f.row for f in checked.findings if f.returns_row}
    assert {row.row for _, row in table.returned} == to_blame
    assert (checked.verdict is Verdict.ACCEPTED) == (not table.returned)
    assert checked.findings == sorted(checked.findings, key=lambda f: f.row or 0)
