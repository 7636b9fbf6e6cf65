"""The page measured in the PDF: 22 lines of 28 characters, straight margins, the number's place."""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest

from ledger.home import CHECKOUT
from ledger.reporting.pdf import FONTS, render_pdf

pytestmark = pytest.mark.skipif(not (FONTS / "stamp.json").is_file(), reason="fonts not prepared")

MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM = 28 * MM, (28 + 156) * MM, (297 - 37) * MM, 35 * MM
CSS = (CHECKOUT / "templates" / "report" / "paper.css").read_text(encoding="utf-8")
SENTENCE = (
    "截至2018年9月30日，全县援建项目共64个，计划总投资26485万元，其中帮扶资金13278.7万元，支付率43.0%，"
    "低于序时进度7.0个百分点。从进度看，“三里乡野猫山村集中供水管网改造”（2018年6月开工）等项目偏慢；"
    "产业发展、村级公路两个领域较快，安全饮水受雨季影响——进展较慢……"
)


@dataclass
class Line:
    """One line of a page: its text and its extent in points."""

    text: str
    left: float
    right: float
    baseline: float


def page(body: str) -> bytes:
    return render_pdf(
        f'<!doctype html><html lang="zh-CN"><head><style>{CSS}</style></head><body>{body}</body></html>',
        title="测",
        variant=None,
    )


def lines_of(pdf: bytes, number: int) -> list[Line]:
    """The lines of the type area, top to bottom, by the characters' origins and advance boxes."""
    document = pypdfium2.PdfDocument(pdf)
    text = document[number].get_textpage()
    rows: dict[float, list[tuple[float, float, str]]] = defaultdict(list)
    x, y = ctypes.c_double(), ctypes.c_double()
    for place in range(text.count_chars()):
        character = text.get_text_range(place, 1)
        if not character.strip():
            continue
        left, _, right, top = text.get_charbox(place, loose=True)
        assert pypdfium2.raw.FPDFText_GetCharOrigin(text, place, x, y)
        if y.value > BOTTOM and top < TOP + 1:
            rows[round(y.value, 1)].append((left, right, character))
    lines = [
        Line("".join(c for *_, c in sorted(row)), min(row)[0], max(r for _, r, _ in row), baseline)
        for baseline, row in sorted(rows.items(), reverse=True)
    ]
    for above, below in pairwise(lines):
        assert above.baseline - below.baseline > 5, f"two baselines in one line: {above}, {below}"
    return lines


@pytest.fixture(scope="module")
def full_text() -> bytes:
    body = "".join(f"<p>{SENTENCE * repeat}</p>" for repeat in (3, 1, 4, 2, 5))
    return page(f'<div class="body">{body}</div>')


def test_a_page_holds_22_lines_on_one_grid(full_text: bytes) -> None:
    lines = lines_of(full_text, 0)
    assert len(lines) == 22
    steps = [above.baseline - below.baseline for above, below in pairwise(lines)]
    assert all(abs(step - 28.99) < 0.15 for step in steps), steps


def test_both_margins_are_straight(full_text: bytes) -> None:
    checked = 0
    for number in (0, 1):
        lines = lines_of(full_text, number)
        for line, following in pairwise(lines):
            indented = line.left > LEFT + 20
            assert abs(line.left - (LEFT + 31.5 if indented else LEFT)) < 0.5 * MM, line
            if following.left > LEFT + 20:
                continue  # the last line of a paragraph
            # the empty half of a closing mark may stand in the margin
            squeezed = 8 if line.text[-1] in "，。；、）”" else 0
            assert line.right > RIGHT - 1 * MM, line
            assert line.right < RIGHT + 1 * MM + squeezed, line
            checked += 1
    assert checked > 30


def test_a_line_is_28_characters() -> None:
    lines = lines_of(page(f'<div class="body"><p>{"建" * 28 * 5}</p></div>'), 0)
    assert [len(line.text) for line in lines] == [26, 28, 28, 28, 28, 2]


@pytest.mark.parametrize("filler", range(24, 31))
def test_no_mark_begins_a_line_and_no_bracket_ends_one(filler: int) -> None:
    text = "、".join(["（建始）", "“县”", "镇" * filler, "乡。" * 9, "——村……", "《表》"] * 4)
    lines = lines_of(page(f'<div class="body"><p>{text}</p></div>'), 0)
    for line in lines:
        assert line.text[0] not in "，。、；：！？）》”"
        assert line.text[-1] not in "（《“"
    for above, below in pairwise(lines):
        assert not (above.text[-1] in "—…" and below.text[0] == above.text[-1])


def number_box(pdf: bytes, index: int, digits: str) -> tuple[float, float, float, float]:
    text = pypdfium2.PdfDocument(pdf)[index].get_textpage()
    boxes = [
        text.get_charbox(place)
        for place in range(text.count_chars())
        if text.get_text_range(place, 1) in {"—", *digits}
    ]
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )


def test_page_number_right_on_odd_left_on_even_pages() -> None:
    pdf = page('<div class="annex">甲</div><div class="annex">乙</div>')
    odd, even = number_box(pdf, 0, "1"), number_box(pdf, 1, "2")
    assert odd[2] == pytest.approx(RIGHT - 14, abs=2)
    assert even[0] == pytest.approx(LEFT + 14, abs=2)
    for box in (odd, even):
        assert BOTTOM - 7 * MM - 14 <= box[1] < box[3] <= BOTTOM - 7 * MM + 1


def test_a_landscape_page_keeps_the_number_where_the_turned_sheet_has_it() -> None:
    portrait = page('<div class="annex">甲</div><div class="annex">乙</div>')
    landscape = page('<div class="annex-landscape">甲</div><div class="annex-landscape">乙</div>')
    for index, digits in ((0, "1"), (1, "2")):
        left, bottom, right, top = number_box(portrait, index, digits)
        # a quarter turn clockwise of a sheet 210 mm wide: (x, y) lands on (y, 210 mm - x)
        turned = (bottom, 210 * MM - right, top, 210 * MM - left)
        assert number_box(landscape, index, digits) == pytest.approx(turned, abs=1.5)


def glyphs_in(pdf: bytes) -> Iterator[str]:
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage()
    yield from text.get_text_range()


def test_rare_characters_of_names_are_there(tmp_path: Path) -> None:
    names = "喆堃犇昇㛃𬭊㎡〇"
    pdf = page(f'<div class="body"><p>{names}</p></div>')
    found = "".join(glyphs_in(pdf))
    assert all(name in found for name in names)
