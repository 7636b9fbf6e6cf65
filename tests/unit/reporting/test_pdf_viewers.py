"""Rare characters of people's and places' names show ink in three viewers, not a blank or a box."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from ledger.reporting.pdf import FONTS, render_pdf

pytestmark = pytest.mark.skipif(not (FONTS / "stamp.json").is_file(), reason="fonts not prepared")

NAMES = "建喆堃犇昇㛃𬭊〇㎡—“…●▲■①℃"
DPI = 96
CELL = 60


def _pdf() -> bytes:
    cells = "".join(
        f'<div style="position:absolute; left:{place % 10 * CELL}px; top:{place // 10 * CELL}px">{name}</div>'
        for place, name in enumerate(NAMES)
    )
    style = (
        "@page { size: 700px 300px; margin: 0 } body { margin: 0; font: 40px/50px "
        '"Ledger Latin", "Ledger Fangsong", "Ledger Song", "Ledger Rare" }'
    )
    return render_pdf(
        f'<!doctype html><html lang="zh-CN"><head><style>{style}</style></head><body>{cells}</body></html>',
        title="字",
    )


def _pdfium(pdf: bytes, _: Path) -> Image.Image:
    return pypdfium2.PdfDocument(pdf)[0].render(scale=DPI / 72).to_pil()


def _poppler(pdf: bytes, folder: Path) -> Image.Image:
    (folder / "a.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", str(DPI), "-png", "-singlefile", str(folder / "a.pdf")]
    return Image.open(io.BytesIO(subprocess.run(command, check=True, capture_output=True).stdout))


def _mupdf(pdf: bytes, folder: Path) -> Image.Image:
    (folder / "a.pdf").write_bytes(pdf)
    out = folder / "a.png"
    subprocess.run(
        ["mutool", "draw", "-q", "-r", str(DPI), "-o", out, folder / "a.pdf"], check=True, capture_output=True
    )
    return Image.open(out)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return _pdf()


@pytest.mark.parametrize(
    ("draw", "program"),
    [(_pdfium, ""), (_poppler, "pdftoppm"), (_mupdf, "mutool")],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_every_character_has_its_own_ink(
    pdf: bytes, draw: Callable[[bytes, Path], Image.Image], program: str, tmp_path: Path
) -> None:
    if program and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    picture = draw(pdf, tmp_path).convert("L")
    seen: dict[bytes, str] = {}
    for place, name in enumerate(NAMES):
        left, top = place % 10 * CELL, place // 10 * CELL
        cell = picture.crop((left, top, left + 42, top + 55))
        dark = sum(value < 128 for value in cell.tobytes())
        assert dark > 15, f"{name} is blank"
        other = seen.setdefault(cell.tobytes(), name)
        assert other == name, f"{name} looks like {other}"
