"""What comes from workbooks can do nothing but appear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.reporting.glyphs import settable
from ledger.reporting.texts import abridged, clip, heading, joined, sentence, shown, stop


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        ("征地未完成", "征地未完成"),
        ("  一行\n两行\r\n\t三行 ", "一行 两行 三行"),
        ("\u202e倒写\u202c", "倒写"),
        ("a\u200bb\ufeff", "ab"),
        ("\x00\x1b[31m红", "[31m红"),
        ("\ue000私用", "〓私用"),
        ("\ud800", "〓"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("e" + "\u0301" * 30, "é" + "\u0301" * 2),
        ("喆堃犇㛃𬭊", "喆堃犇㛃𬭊"),
        ("葛\U000e0100飾\ufe0f", "葛飾"),
        ("", ""),
        (None, ""),
    ],
)
def test_shown(raw, printed):
    assert shown(raw) == printed


def test_joined_closes_the_gaps_a_printed_line_left():
    assert joined("后三溪村发展民宿旅 游业") == "后三溪村发展民宿旅游业"
    assert joined("建始县 长梁镇") == "建始县长梁镇"
    assert joined("16 公里 road base") == "16 公里 road base"
    assert joined("合 计") == "合计"


def test_clip_and_abridged():
    assert clip("一二三四五", 5) == "一二三四五"
    assert clip("一二三，四五六", 4) == "一二三…见台帐"
    assert abridged("一二三四五六", 4) == "一二三…"
    assert abridged("一二三四", 4) == "一二三四"


def test_sentence_ends():
    assert sentence("做完了。") == "做完了"
    assert stop("做完了；") == "做完了。"
    assert stop("做完了") == "做完了。"


@pytest.mark.parametrize(
    ("section", "name"),
    [("二、基础设施", "基础设施"), ("(一) 安全饮水", "安全饮水"), ("（二）村级公路", "村级公路"), ("其他", "其他"), ("1.", "1.")],
)  # fmt: skip
def test_heading_without_its_number(section, name):
    assert heading(section) == name


@given(st.text())
def test_shown_never_acts_on_its_surroundings(text):
    printed = shown(text)
    assert "\n" not in printed
    assert not any(0xD800 <= ord(char) <= 0xDFFF for char in printed)
    assert not any(
        char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f" for char in printed
    )
    assert shown(printed) == printed
    printed.encode("utf-8")


def test_a_character_without_a_glyph_becomes_the_printers_mark(tmp_path):
    assert settable("进度100%，😀", tmp_path) == "进度100%，😀", "without fonts nothing can be told"
