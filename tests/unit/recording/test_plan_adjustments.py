"""Plan versions in mid-year: earlier months keep theirs, items keep their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.calendar import parse_moment as at
from ledger.checking.model import Checked, Context
from ledger.errors import UsageError
from ledger.reading.model import Submission
from ledger.recording.editions import due_in_year, frozen
from ledger.recording.plans import identified
from ledger.recording.rebuild import verify
from schemas.finding import finding
from schemas.month import Month
from schemas.plan import Plan, PlanItem
from tests.fake_programme import P1, P2, P3, REGISTRY, TOOLS_BY_PLAN, A, B, write_plan
from tests.unit.recording.test_editions_frozen import a_month, issue_now, send
from tests.unit.recording.test_ledger_core import exported

JUNE, JULY, AUGUST = Month(2018, 6), Month(2018, 7), Month(2018, 8)


def item(number: int, name: str, item_id: str = "") -> PlanItem:
    item_id = item_id or f"2018-A1-{number:02d}"
    return PlanItem(item_id, "projects", number, name, A, (), {"item_name": name}, None, None)


def plan(version: int, *items: PlanItem) -> Plan:
    found = tuple(finding("R01", "差", item=one.item_id) for one in items)
    return Plan(2018, version, "0" * 64, "p.xlsx", items, (), found)


def ids(plan: Plan) -> dict[str, str]:
    assert [one.item_id for one in plan.items] == [f.item for f in plan.findings]
    return {one.name: one.item_id for one in plan.items}


FIRST = plan(1, item(1, "景阳镇饮水工程"), item(2, "花坪镇公路硬化"), item(3, "县医院综合楼"))


def test_items_keep_their_ids_when_the_list_is_renumbered() -> None:
    second = plan(2, item(1, "景阳镇饮水工程"), item(2, "县医院综合楼"), item(3, "龙坪乡茶叶基地"))
    found = identified(second, [FIRST])
    assert ids(found) == {
        "景阳镇饮水工程": "2018-A1-01",
        "县医院综合楼": "2018-A1-03",
        "龙坪乡茶叶基地": "2018-A1-04",
    }
    # what is really the same, written a little differently, keeps its number
    same = plan(2, item(1, "景阳镇饮水工程"), item(2, "花坪镇公路硬化工程"), item(3, "县医院 综合楼"))
    assert list(ids(identified(same, [FIRST])).values()) == ["2018-A1-01", "2018-A1-02", "2018-A1-03"]


def test_a_dropped_item_s_id_is_never_another_s() -> None:
    second = identified(plan(2, item(1, "景阳镇饮水工程"), item(2, "县医院综合楼")), [FIRST])
    assert ids(second) == {"景阳镇饮水工程": "2018-A1-01", "县医院综合楼": "2018-A1-03"}
    assert [one.seq for one in second.items] == [1, 2]
    third = plan(3, item(1, "景阳镇饮水工程"), item(2, "龙坪乡茶叶基地"), item(3, "花坪镇公路硬化"))
    assert ids(identified(third, [FIRST, second])) == {
        "景阳镇饮水工程": "2018-A1-01",
        "龙坪乡茶叶基地": "2018-A1-04",
        "花坪镇公路硬化": "2018-A1-02",
    }


def test_names_that_repeat_are_told_apart_by_their_number() -> None:
    twice = plan(1, item(1, "村级公路"), item(2, "村级公路"))
    assert identified(replace(twice, version=2), [twice]).items == twice.items


def test_months_keep_the_plan_of_their_time(planned, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        changed = ledger.register_plan(write_plan(tmp_path, drop=[P2]), 2018, at("2018-07-20"), JULY)
        assert changed.plan is not None and changed.plan.version == 2
        send(ledger, folder, A, JULY, "2018-08-03", **{P1: 12})
        views = {view.month: view for view in ledger.views_until(AUGUST)}
        assert [views[month].plan.version for month in (JUNE, JULY, AUGUST)] == [1, 2, 2]
        assert [row.item_id for row in views[JUNE].rows["projects"]] == [P1, P2, P3]
        assert [row.item_id for row in views[JULY].rows["projects"]] == [P1, P3]
        # a late June file is still judged by June's plan
        send(ledger, folder, A, JUNE, "2018-08-04", "改", **{P1: 11, P2: 6})
        assert [row.values["fiscal_paid_cum_fen"] for row in ledger.view(JUNE).rows["projects"]] == [
            11_000_000, 6_000_000, 7_000_000,
        ]  # fmt: skip


def test_without_a_date_issued_months_keep_their_plan(planned, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        edition = issue_now(ledger, tmp_path, JUNE)
        ledger.register_plan(write_plan(tmp_path, drop=[P2]), 2018)
        assert [ledger.view(month).plan.version for month in (JUNE, JULY)] == [1, 2]
        assert due_in_year(ledger, 2018) == []
        # a plan that says it counts from June on changes June's report
        ledger.register_plan(write_plan(tmp_path, drop=[P3]), 2018, None, JUNE)
        assert [ledger.view(month).plan.version for month in (JUNE, JULY)] == [3, 3]
        assert due_in_year(ledger, 2018) == ["2018-06第2版"]
        assert ledger.view(JUNE, frozen(edition)).plan.version == 1
        with pytest.raises(UsageError, match="2019-01"):
            ledger.register_plan(write_plan(tmp_path), 2018, None, Month(2019, 1))


def test_without_any_edition_a_new_plan_counts_for_the_whole_year(planned, tmp_path: Path) -> None:
    with planned() as ledger:
        ledger.register_plan(write_plan(tmp_path, drop=[P2]), 2018)
        assert ledger.view(JUNE).plan.version == 2


def test_the_same_plan_with_another_date_is_a_version(planned, tmp_path: Path) -> None:
    with planned() as ledger:
        path = write_plan(tmp_path, drop=[P2])
        assert ledger.register_plan(path, 2018, None, AUGUST).created
        assert not ledger.register_plan(path, 2018, None, AUGUST).created
        assert ledger.register_plan(path, 2018, None, JULY).created
        assert [ledger.view(month).plan.version for month in (JUNE, JULY, AUGUST)] == [1, 3, 3]


def test_an_added_item_has_nothing_to_continue(planned, tmp_path: Path) -> None:
    """The history of a new item's first month names it as added, so that H06 is not raised."""
    with planned() as ledger:
        ledger.register_plan(write_plan(tmp_path / "less", drop=[P2]), 2018, None, JUNE)
        ledger.register_plan(write_plan(tmp_path / "more", drop=[P3]), 2018, None, JULY)
        for month, added in ((JUNE, frozenset()), (JULY, {P2}), (AUGUST, frozenset())):
            found = ledger.context_for(A, month, ledger.plan(2018, None, month)).history
            assert found.added == added, month


def test_what_came_for_a_month_is_checked_again_against_its_new_plan(open_ledger, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()

    def told(month: Month, as_of=None) -> list[tuple[object, object]]:
        lines = exported(ledger, month, "findings", as_of=as_of)
        return [(line["rule"], line["item_id"]) for line in lines if line["open"] and line["rule"] != "F08"]

    with open_ledger() as ledger:
        ledger._tools = TOOLS_BY_PLAN
        ledger.register_plan(write_plan(tmp_path / "less", drop=[P2]), 2018, at("2018-06-20"))
        send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 10})
        send(ledger, folder, B, JUNE, "2018-07-03", **{P3: 1})
        issue_now(ledger, tmp_path, JUNE)
        send(ledger, folder, A, JULY, "2018-08-03", **{P1: 10, P2: 4})
        send(ledger, folder, B, JULY, "2018-08-03", **{P3: 1})
        assert told(JUNE) == []
        assert told(JULY) == [("P01", P2)]
        # P2 comes in, P3 goes out, from July on: what stands is answered for, what went back is not taken in
        adjusted = ledger.register_plan(write_plan(tmp_path / "more", drop=[P3]), 2018, at("2018-08-10"))
        assert adjusted.effective == JULY
        assert adjusted.checked_again == ((JULY, B),)
        assert told(JUNE) == []
        assert told(JULY) == [("P01", P2), ("P01", P3)]
        assert told(JULY, at("2018-08-09")) == [("P01", P2)]
        rows = {line["item_id"]: line["version"] for line in exported(ledger, JULY, "projects")}
        assert rows[P1] == 1
        (ours,) = [one for one, _ in ledger.returns_due(JULY) if one.submission.unit_code == B]
        assert [(one.rule, one.returns_row) for one in ours.findings] == [("P01", False)]
        # the same file again: the row that went back is taken in now
        send(ledger, folder, A, JULY, "2018-08-12", **{P1: 10, P2: 4})
        assert told(JULY) == [("F15", None), ("P01", P3)]
        # a plan that asks for what was never sent
        again = ledger.register_plan(write_plan(tmp_path / "all"), 2018, at("2018-08-20"), JUNE)
        assert again.checked_again == ((JUNE, A), (JULY, B))
        assert told(JUNE) == [("P04", P2)]
        assert told(JULY) == [("F15", None)]
        assert verify(ledger.home, REGISTRY, url=ledger._url, tools=ledger.tools).differences == []


def test_after_an_adjustment_a_correction_checks_later_months_by_the_new_plan(
    open_ledger, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    checked: list[tuple[Month | None, int]] = []

    def check(items: Sequence[tuple[Submission, Context]]) -> list[Checked]:
        checked.extend((sent.month, context.plan.version) for sent, context in items if context.plan)
        return TOOLS_BY_PLAN.check(items)

    with open_ledger() as ledger:
        ledger._tools = replace(TOOLS_BY_PLAN, check=check)
        ledger.register_plan(write_plan(tmp_path / "first"), 2018, at("2018-06-20"))
        send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 2, P2: 1})
        send(ledger, folder, A, JULY, "2018-08-03", **{P1: 3, P2: 1})
        ledger.register_plan(write_plan(tmp_path / "less", drop=[P2]), 2018, at("2018-08-10"), JULY)
        checked.clear()
        send(ledger, folder, A, JUNE, "2018-08-12", "改", **{P1: 4, P2: 1})
    assert checked == [(JUNE, 1), (JULY, 2)]
