"""What is said about a row whose cells contradict each other (R03–R10), the plan's amounts (R04,
R05, C09) or its window (R09). The comparisons themselves stand in schemas.frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from ledger.checking.lights import RED, light, window_progress
from ledger.checking.matching import folded, one_line
from ledger.checking.places import Row, difference, label, plain_text, shown
from schemas.money import plain
from schemas.month import Month
from schemas.plan import Value

_REASONS = ("problems", "measures")
_YUAN_PER_WAN = 10_000
#: A doubled item's rows each have their own finding; a message names so many of the others.
_ROWS_NAMED = 10


def explain_test(row: Row, rule: str, name: str, other: str) -> None:
    """Note the finding of a broken test (schemas.frames.Test: rule, field, other)."""
    _EXPLAIN[rule](row, name, other)


def explain_value(row: Row, rule: str, name: str) -> None:
    """Note a value the schema refuses by itself (C03, C05), where reading has not done so."""
    column = row.table.by_field[name]
    said = f"{label(column)}“{shown(row.value(name), column)}”"
    if rule == "C05":
        row.add(rule, name, f"{said}不是规定用语", expected="、".join(column.allowed))
    else:
        row.add(rule, name, f"{said}超出 0–100 的范围", expected="0–100")


def _compare(row: Row, rule: str, name: str, against: Value, text: str) -> None:
    column = row.table.by_field[name]
    value = row.value(name)
    row.add(
        rule,
        name,
        f"{label(column)} {shown(value, column)}{text}",
        expected=plain_text(against, column),
        difference=difference(value, against),
    )


def _paid_over_received(row: Row, name: str, other: str) -> None:
    received = row.table.by_field[other]
    bound = row.value(other)
    _compare(row, "R03", name, bound, f"大于{label(received)} {shown(bound, received)}")


def _over_planned(row: Row, name: str, other: str) -> None:
    planned = _planned(row, other)
    _compare(row, "R04", name, planned, f"大于计划安排 {shown(planned, row.table.by_field[other])}")


def _invested_over_total(row: Row, name: str, other: str) -> None:
    total = _planned(row, other)
    _compare(row, "R05", name, total, f"大于项目总投资 {shown(total, row.table.by_field[other])}")


def _planned(row: Row, name: str) -> Value:
    return None if row.item is None else row.item.values.get(name)


def _looks_like_yuan(row: Row, name: str, other: str) -> None:
    planned = _planned(row, other) if other else None
    if not planned:
        planned = _planned(row, "total_investment_fen") or _planned(row, "funds_total_fen")
    column = row.table.by_field[name]
    value = row.value(name)
    if not planned:
        row.add("C09", name, f"{label(column)} {shown(value, column)}大得不像以万元计的数")
        return
    shown_planned = shown(planned, row.table.by_field[other] if other == "target" else column)
    as_wan = ""
    if isinstance(value, int):
        in_wan = shown(value // _YUAN_PER_WAN, column)
        as_wan = f"，如为元则合 {in_wan}" if value % _YUAN_PER_WAN == 0 else ""
    _compare(
        row, "C09", name, planned, f"，不低于计划（{shown_planned}）的 1000 倍，疑似把元当作万元{as_wan}"
    )


def _status_against(row: Row, name: str, other: str) -> None:
    status = row.value(name)
    if other == "100":
        progress = row.table.by_field["progress_pct"]
        text = f"{label(progress)}只有 {shown(row.value('progress_pct'), progress)}，不到 100%"
    else:
        column = row.table.by_field[other]
        text = f"却有{label(column)} {shown(row.value(other), column)}"
    # several cells may disagree with one status: it is one finding, at the status
    for place, known in enumerate(row.findings):
        if known.rule == "R06":
            row.findings[place] = known.at(message=f"{known.message}、{text.removeprefix('却有')}")
            return
    row.add("R06", name, f"项目状态“{status}”，{text}")


def _dates_reversed(row: Row, name: str, other: str) -> None:
    later, earlier = row.table.by_field[name], row.table.by_field[other]
    bound = row.value(other)
    row.add(
        "R07",
        name,
        f"{label(later)} {shown(row.value(name), later)}早于{label(earlier)} {shown(bound, earlier)}",
        expected=plain_text(bound, earlier),
    )


def _date_missing(row: Row, name: str, _other: str) -> None:
    row.add("R10", name, f"项目状态“{row.value('status')}”，{label(row.table.by_field[name])}空白")


_EXPLAIN = {
    "R03": _paid_over_received,
    "R04": _over_planned,
    "R05": _invested_over_total,
    "R06": _status_against,
    "R07": _dates_reversed,
    "R10": _date_missing,
    "C09": _looks_like_yuan,
}


def note_red_without_reasons(row: Row, at: Month) -> None:
    """R09: the light is red at the end of `at`, and 存在问题 or 下步措施 is blank."""
    item = row.item
    if item is None or "progress_pct" not in row.table.by_field:
        return
    status, progress = row.value("status"), row.value("progress_pct")
    start, accept = item.start_month(), item.accept_month()
    progress = progress if isinstance(progress, Decimal) else None
    if not isinstance(status, str) or light(status, progress, start, accept, at) != RED:
        return
    missing = [name for name in _REASONS if row.is_blank(name)]
    if not missing:
        return
    titles = "和".join(label(row.table.by_field[name]) for name in missing)
    row.add("R09", missing[0], f"进度滞后（{_behind(status, progress, start, accept, at)}），{titles}空白")


def _behind(
    status: str, progress: Decimal | None, start: Month | None, accept: Month | None, at: Month
) -> str:
    if status == "未开工" and start is not None and at > start:
        return f"计划 {start.chinese}开工，至今未开工"
    if accept is not None and at > accept:
        return f"计划 {accept.chinese}验收，至今“{status}”"
    if start is None or accept is None:
        raise AssertionError("a red light without a window or an overrun")
    share = window_progress(start, accept, at)
    window = round(Decimal(100 * share.numerator) / share.denominator, 1)
    return f"形象进度 {plain(progress or Decimal(0))}%，按工期应为 {plain(window)}%"


def note_twice(rows: Sequence[Row]) -> None:
    """R08: each row of an item that stands more than once in the table."""
    same: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        name = row.value(row.table.name_field)
        key = row.item_id or (folded(name) if isinstance(name, str) else "")
        if key:
            same[key].append(row)
    for group in same.values():
        if len(group) < 2:
            continue
        places = "、".join(f"第 {row.read.row} 行" for row in group[:_ROWS_NAMED])
        places += " 等" if len(group) > _ROWS_NAMED else ""
        for row in group:
            name = row.value(row.table.name_field)
            named = one_line(row.item.name if row.item is not None else str(name))
            row.add("R08", row.table.name_field, f"“{named}”在本表出现 {len(group)} 次（{places}）")
