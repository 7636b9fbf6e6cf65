"""The roll-up's page as it is: a changed figure, word or tag shows up as a difference to read.

After a change that is meant: ``UPDATE_GOLDEN=1 pytest tests/golden`` and read the diff.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from test_golden_report import _STYLE, compare

from ledger.calendar import SHANGHAI
from ledger.reporting.html import rollup_html
from ledger.reporting.rollup_build import build_areas, build_rollup, words
from ledger.reporting.rollup_model import RollUp, Source
from schemas.month import Month
from tests.rollups import WAN, programme, unread

EAST, WEST, SOUTH = ("甲省", "东州"), ("甲省", "西州"), ("乙省", "南州")
WORDS = {"report": {"masthead": "结对合作汇总", "issuer": "合作办公室", "title": "结对合作进展情况汇总"}}


def page(level: int) -> RollUp:
    issued = Source(2, False, datetime(2018, 10, 8, 9, 30, tzinfo=SHANGHAI), 1, 51)
    again = Source(1, True, datetime(2018, 10, 12, 11, 0, tzinfo=SHANGHAI), 2, 63)
    ones = [
        programme("东一县", EAST, source=issued, returned=("石镇",)),
        programme("东二县", EAST, source=again, red=6, yellow=1, green=1, missing=("山乡", "水乡")),
        programme("西县", WEST, self_planned=None, fiscal_paid=400 * WAN, sample=True),
        programme("南县", SOUTH, reported=False, units_reported=0, units_timely=0, units_missing=12,
                  red=0, yellow=0, green=0, judged=0, progress_sum=None, progress_projects=0,
                  fiscal_received=None, fiscal_paid=None, self_received=None, self_paid=None,
                  signed_amount=None, enterprise_received=None, poor_households=None, poor_persons=None,
                  missing=("一镇", "二镇")),
    ]  # fmt: skip
    nation = build_areas(ones, [unread("北<b>县", WEST, "台帐文件已损坏。")])
    area = [nation, nation.areas[1], nation.areas[1].areas[0]][level]
    return build_rollup(Month(2018, 9), area, words(WORDS))


@pytest.mark.parametrize(("level", "name"), [(0, "nation"), (1, "province"), (2, "prefecture")])
def test_html(level, name):
    compare(f"rollup-{name}.html", _STYLE.sub("", rollup_html(page(level))))


def test_what_a_folder_or_a_county_is_called_is_only_text():
    html = rollup_html(page(0))
    assert "北&lt;b&gt;县" in html
    assert "北<b>" not in html
