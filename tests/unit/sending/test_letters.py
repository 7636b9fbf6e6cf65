"""Letters: one wording for the plain text and for the page, whatever a template's branches say."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import pytest

from ledger.sending.letters import Letter, Office, due_text, short_day, write

OFFICE = Office("建始县扶贫开发办公室", "建始县东西部扶贫协作月报", "联系人：李&四，电话 0718-0000000")
DAY = date(2018, 10, 8)
EDITION = {"month": "2018年9月", "edition": 1, "replaces": None, "changes": [], "more_changes": 0}
EDITION |= {"approved": "2018年10月8日", "of_unit": False, "files": ["月报-2018-09-第1版.pdf"]}
DUE = {"month": "2018年9月", "due": due_text(DAY), "due_short": short_day(DAY)}
REMINDER = {**DUE, "late": 0, "left": 0, "over": True, "returned": False}
FILE = {"name": "<表1>.xlsx", "counts": "错误1处", "verdict": "部分入台帐", "lines": ["一", "二"], "more": 3}
LETTERS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("edition", EDITION, ["现送上，请审阅", "月报-2018-09-第1版.pdf"]),
    ("edition", {**EDITION, "of_unit": True}, ["现送上贵单位的报告，请查收"]),
    (
        "edition",
        {**EDITION, "edition": 3, "replaces": 1, "changes": ["甲：1→2", "乙：3→4"], "more_changes": 5},
        ["第3版，替换此前送上的第1版", "· 甲：1→2\n· 乙：3→4", "另有5处"],
    ),
    ("forms", DUE, ["于2018年10月8日（星期一）前报送", "零报告"]),
    ("return", {**DUE, "returned": True, "files": [FILE]}, ["请改正后整份重新报送", "· 一\n· 二", "另有3处"]),
    ("return", {**DUE, "due": "", "returned": False, "files": [FILE, FILE]}, ["其中有几处存疑"]),
    ("reminder", {**REMINDER, "left": 3}, ["还有3天"]),
    ("reminder", {**REMINDER, "left": 9, "over": False}, ["2018年9月即将结束"]),
    ("reminder", REMINDER, ["就是今天"]),
    ("reminder", {**REMINDER, "late": 4, "returned": True}, ["已逾期4天", "此前已整份退回"]),
]


def page_words(letter: Letter) -> list[str]:
    """What a reader of the page sees, block by block."""
    page = letter.html.partition("<body")[2].partition(">")[2]
    blocks = re.findall(r"<(?:p|li)\b[^>]*>(.*?)</(?:p|li)>", page, re.S)
    return [unescape(part) for block in blocks for part in block.split("<br>")]


@pytest.mark.parametrize(("template", "given", "words"), LETTERS)
def test_text_and_page_say_the_same(template: str, given: dict[str, Any], words: list[str]) -> None:
    letter = write(template, OFFICE, DAY, name="县委<办>", **given)
    for word in words:
        assert word in letter.text
    lines = [line.removeprefix("· ") for line in letter.text.splitlines() if line]
    assert lines == page_words(letter)
    assert lines[0] == "县委<办>：" and lines[-3:] == [OFFICE.name, OFFICE.contact, "2018年10月8日"]
    assert letter.subject and "\n" not in letter.subject
    assert "<办>" not in letter.html and "{" not in letter.text + letter.subject
    assert not re.search(r"\n\n\n|[ 　]\n|。。|，，|：：", letter.text)


def test_a_correction_says_so_before_it_is_opened() -> None:
    given = {**EDITION, "edition": 2, "replaces": 1}
    subject = write("edition", OFFICE, DAY, name="县委", **given).subject
    assert subject == "建始县东西部扶贫协作月报（2018年9月）第2版：更正，替换第1版"
