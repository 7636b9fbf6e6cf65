"""An item that the plan gained this month has no month before to be missing in (H06)."""

from __future__ import annotations

from dataclasses import replace

from ledger.checking.model import History
from schemas.month import Month
from tests.rows import WATER, check, context, history, item, line, read_table, submission, values

JUNE, JULY = Month(2018, 6), Month(2018, 7)
P = "projects"
NEW = item(P, "2018-A1-05", seq=5, item_name="鱼精坝村公路升级改造工程")


def h06(past: History, *, rows: int = 2) -> list[object]:
    lines = [line(P, 6, seq=5, item_name=NEW.name), line(P)][:rows]
    checked = check(submission(read_table(P, *lines), month=JULY), context(WATER, NEW, history=past))
    return [(f.item, f.row) for f in checked.findings if f.rule == "H06"]


def test_an_added_row_raises_nothing_an_old_one_does() -> None:
    past = history(JUNE, m06={WATER.item_id: values(P)})
    assert h06(past) == [(NEW.item_id, 6)]
    assert h06(replace(past, added=frozenset({NEW.item_id}))) == []
    without = replace(history(JUNE), added=frozenset({NEW.item_id}))
    assert [found for found, _ in h06(without)] == [WATER.item_id]


def test_a_unit_whose_items_are_all_new_misses_no_table() -> None:
    assert h06(History(), rows=1) == [(None, None)]
    assert h06(History(added=frozenset({NEW.item_id})), rows=1) == []
