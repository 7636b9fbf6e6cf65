"""The prepared fonts: one set of metrics, names of their own, all the characters there are."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fontTools.ttLib import TTFont

from ledger.home import CHECKOUT
from ledger.reporting.pdf import FONTS

pytestmark = pytest.mark.skipif(not (FONTS / "stamp.json").is_file(), reason="fonts not prepared")

TOOLS = CHECKOUT / "tools"
FILES = sorted(path.name for path in FONTS.glob("*.ttf")) if FONTS.is_dir() else []


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(TOOLS))
    try:
        import prepare_fonts

        yield prepare_fonts
    finally:
        sys.path.remove(str(TOOLS))


def covered(name: str) -> set[int]:
    return set(TTFont(FONTS / name, lazy=True).getBestCmap())


@pytest.mark.parametrize("name", FILES)
def test_each_font_shares_the_metrics_and_has_a_name_of_its_own(name: str) -> None:
    font = TTFont(FONTS / name, lazy=True)
    assert "glyf" in font
    assert "CFF " not in font
    assert font["name"].getDebugName(1).startswith("Ledger ")
    assert (font["head"].unitsPerEm, font["hhea"].ascent, font["hhea"].descent) == (1000, 880, -120)
    assert (font["OS/2"].usWinAscent, font["OS/2"].usWinDescent) == (880, 120)
    assert font["OS/2"].usWeightClass == (700 if "bold" in name or name == "biaosong.ttf" else 400)


@pytest.mark.parametrize("name", ["fangsong.ttf", "kai.ttf", "biaosong.ttf", "song.ttf", "hei.ttf"])
def test_gb2312_is_complete(name: str, script: ModuleType) -> None:
    gb2312 = {code for code in script.common_characters() if 0x4E00 <= code <= 0x9FFF}
    assert len(gb2312) == 6763
    assert gb2312 <= covered(name)


def test_the_font_that_ends_every_stack_has_all_that_the_others_have() -> None:
    last = covered("rare.ttf")
    assert len(last) > 44_000
    assert set(range(0x4E00, 0x9FA6)) <= last
    for name in ("song.ttf", "hei.ttf", "biaosong.ttf"):
        assert covered(name) <= last | covered("latin.ttf"), name


def test_what_can_be_set_is_asked_of_the_font_as_fonttools_reads_it() -> None:
    from ledger.reporting import glyphs

    assert glyphs._covered(FONTS) == covered("rare.ttf")


def test_latin_has_letters_and_digits_and_leaves_the_marks_to_chinese() -> None:
    latin = covered("latin.ttf")
    assert set(map(ord, "0123456789ABCxyz.,%-")) <= latin
    assert not latin & set(map(ord, "“”‘’—…·×÷°"))


def test_a_chinese_character_is_one_em_wide() -> None:
    for name in ("fangsong.ttf", "kai.ttf", "song.ttf", "hei.ttf"):
        font = TTFont(FONTS / name, lazy=True)
        cmap = font.getBestCmap()
        # Noto's own dash is a little narrower; running text is set in 仿宋 and 楷体
        marks = "建始，。“—…" if name in {"fangsong.ttf", "kai.ttf"} else "建始，。“"
        for character in marks:
            assert font["hmtx"][cmap[ord(character)]][0] == 1000, (name, character)


def test_preparing_again_gives_the_same_bytes(script: ModuleType, tmp_path: Path) -> None:
    face = next(face for face in script.faces(tmp_path) if face.file == "latin.ttf")
    source = script.find_source(face)
    written = []
    for name in ("a.ttf", "b.ttf"):
        script.build(face, source, tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1] == (FONTS / "latin.ttf").read_bytes()


def test_without_the_fandol_package_every_face_still_has_a_source(script: ModuleType, tmp_path: Path) -> None:
    assert all(script.find_source(face).is_file() for face in script.faces(tmp_path))


def test_fontconfig_knows_only_these(script: ModuleType, tmp_path: Path) -> None:
    script.write_conf(tmp_path)
    conf = (tmp_path / "fonts.conf").read_text(encoding="utf-8")
    assert re.findall(r"<dir>(.*)</dir>", conf) == [str(tmp_path)]
    assert re.findall(r"<cachedir>(.*)</cachedir>", conf) == [f"{tmp_path}/cache"]
    assert "include" not in conf


def test_rendering_leaves_nothing_behind(tmp_path: Path) -> None:
    program = "from ledger.reporting.pdf import render_pdf; render_pdf('<p>文</p>', title='文')"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []
