"""Page one and a page of annex 1 as pictures, compared with the kept ones; small differences pass.

After a change that is meant: ``UPDATE_GOLDEN=1 pytest tests/golden/test_report_images.py``, and look
at the pictures in tests/golden/expected. What must not pass is shown on pages spoilt on purpose.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from golden_views import normal, registry
from PIL import Image, ImageFilter

from ledger.reporting.build import build_county_report
from ledger.reporting.glyphs import settable
from ledger.reporting.html import county_html
from ledger.reporting.pdf import FONTS, render_pdf

pytestmark = pytest.mark.skipif(not (FONTS / "rare.ttf").is_file(), reason="fonts are prepared by set-up")

EXPECTED = Path(__file__).parent / "expected"
DPI = 64
#: Two pictures differ at a pixel where, both blurred by so much, a colour is so far apart (of 255).
SHARP, BLURRED = (0.8, 25), (1.5, 40)
#: So much of the page may differ: another build of a font; another rasteriser, looked at blurred.
TOLERANCE, VIEWERS = 0.01, 0.02
#: The pages compared: a name, words on the page, and whether it lies on its side.
PAGES = {
    "front": ("各领域平均形象进度", False),
    "annex": ("2018年东西部扶贫协作财政资金援建项目进度表", True),
}


def draw(pdf: bytes, page: int) -> Image.Image:
    sheet = pypdfium2.PdfDocument(pdf)[page]
    return sheet.render(scale=DPI / 72).to_pil().convert("RGB")


def place(pdf: bytes, name: str) -> int:
    """Where a page of PAGES stands: the first of its shape with its words."""
    words, landscape = PAGES[name]
    for number, page in enumerate(pypdfium2.PdfDocument(pdf)):
        text = re.sub(r"\s", "", page.get_textpage().get_text_bounded())
        if words in text and landscape == (page.get_width() > page.get_height()):
            return number
    raise AssertionError(f"no page with {words}")


def share_that_differs(one: Image.Image, other: Image.Image, look: tuple[float, int] = SHARP) -> float:
    """How much of the page looks different, 0–1. A page of another size differs altogether."""
    if one.size != other.size:
        return 1.0
    a, b = (
        np.asarray(each.convert("RGB").filter(ImageFilter.GaussianBlur(look[0])), dtype=np.int16)
        for each in (one, other)
    )
    return float((np.abs(a - b).max(axis=2) > look[1]).mean())


@pytest.fixture(scope="module")
def html() -> str:
    return settable(county_html(build_county_report(normal(), registry())))


@pytest.fixture(scope="module")
def pdf(html: str) -> bytes:
    return render_pdf(html, title="月报")


@pytest.fixture(scope="module")
def pictures(pdf: bytes) -> dict[str, Image.Image]:
    return {name: draw(pdf, place(pdf, name)) for name in PAGES}


def kept(name: str) -> Image.Image:
    return Image.open(EXPECTED / f"page-{name}.png").convert("RGB")


@pytest.mark.parametrize("name", list(PAGES))
def test_the_page_looks_as_it_did(name: str, pictures: dict[str, Image.Image]) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        small = pictures[name].quantize(64, method=Image.Quantize.FASTOCTREE)
        small.save(EXPECTED / f"page-{name}.png", optimize=True)
    assert (EXPECTED / f"page-{name}.png").stat().st_size < 150_000
    assert share_that_differs(pictures[name], kept(name)) <= TOLERANCE


@pytest.mark.parametrize("name", list(PAGES))
@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler is not installed")
def test_another_viewer_draws_the_same(name: str, pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf)
    number = str(place(pdf, name) + 1)
    command = ["pdftoppm", "-r", str(DPI), "-f", number, "-l", number, "-png", "-singlefile"]
    subprocess.run([*command, str(tmp_path / "a.pdf"), str(tmp_path / "a")], check=True)
    drawn = Image.open(tmp_path / "a.png").convert("RGB").resize(kept(name).size)
    assert share_that_differs(drawn, kept(name), BLURRED) <= VIEWERS


def moved(image: Image.Image) -> Image.Image:
    """Three millimetres down, as by another margin."""
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(image, (0, round(3 / 25.4 * DPI)))
    return sheet


def emptied(image: Image.Image) -> Image.Image:
    """The middle of the page left white, as by a chart or table that is not drawn."""
    sheet = image.copy()
    width, height = image.size
    sheet.paste("white", (width // 2, height // 3, width, height // 2))
    return sheet


def without_colour(image: Image.Image) -> Image.Image:
    return image.convert("L").convert("RGB")


@pytest.mark.parametrize(
    ("name", "spoil"),
    [("front", moved), ("front", emptied), ("front", without_colour), ("annex", moved), ("annex", emptied)],
)
def test_a_spoilt_page_does_not_pass(
    name: str, spoil: Callable[[Image.Image], Image.Image], pictures: dict[str, Image.Image]
) -> None:
    assert share_that_differs(spoil(pictures[name]), kept(name)) > TOLERANCE


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("front", ".card, .column, .box { display: table-cell", ".card, .column, .box { display: block"),
        ("front", '"Ledger Hei"', '"Ledger Song"'),
        ("annex", "table.full td { padding: 0.3mm", "table.full td { padding: 1.3mm"),
    ],
)
def test_a_changed_style_does_not_pass(name: str, ours: str, theirs: str, html: str) -> None:
    assert ours in html
    spoilt = render_pdf(html.replace(ours, theirs), title="月报")
    assert share_that_differs(draw(spoilt, place(spoilt, name)), kept(name)) > TOLERANCE
