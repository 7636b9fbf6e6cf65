"""Take the manual's pictures anew (docs/images) from a home in which the sample month has been run.

Usage: ``python tools/take_pictures.py HOME [MONTH]``, after ``ledger forms`` and ``ledger run``.
Workbooks are shown as LibreOffice prints them, pages as PDFium draws them; both cut to what is on
them. The pages of docs/report-tour.md are shown whole: the county's report, the brief, one unit's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
MARGIN = 12
#: The tour's pages: pixels across an upright page, and what one picture may weigh.
PAGE_WIDTH, LARGEST = 640, 150_000
UNIT = "官店镇"


def printed(workbook: Path, folder: Path) -> Path:
    """The workbook as a PDF, by LibreOffice without a screen."""
    command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    subprocess.run(
        [*command, "--convert-to", "pdf", "--outdir", str(folder), str(workbook)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder / f"{workbook.stem}.pdf"


def picture(pdf: Path, page: int, *, width: int, cut: float = 1.0) -> Image.Image:
    """One page, `width` pixels wide before it is cut; of its content the upper part `cut`."""
    sheet = pypdfium2.PdfDocument(pdf)[page]
    image = sheet.render(scale=width / sheet.get_width()).to_pil().convert("RGB")
    image = image.crop((0, 0, image.width, int(image.height * cut)))
    content = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox()
    if content is None:
        raise ValueError(f"{pdf.name}, page {page + 1}: nothing on it")
    left, top, right, bottom = content
    return image.crop(
        (
            max(0, left - MARGIN),
            max(0, top - MARGIN),
            min(image.width, right + MARGIN),
            min(image.height, bottom + MARGIN),
        )
    )


def tour(pdf: Path, name: str) -> None:
    """Every page of a document, whole, in a thin frame: ``NAME-01.png`` …"""
    for old in IMAGES.glob(f"{name}-*.png"):
        old.unlink()
    document = pypdfium2.PdfDocument(pdf)
    for number, sheet in enumerate(document, start=1):
        scale = PAGE_WIDTH / min(sheet.get_width(), sheet.get_height())
        image = sheet.render(scale=scale).to_pil().convert("RGB")
        framed = Image.new("RGB", (image.width + 2, image.height + 2), "#bbbbbb")
        framed.paste(image, (1, 1))
        keep(framed, f"{name}-{number:02d}.png", colours=48)


def keep(image: Image.Image, name: str, colours: int = 128) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    image.quantize(colours, method=Image.Quantize.FASTOCTREE).save(IMAGES / name, optimize=True)
    if (IMAGES / name).stat().st_size > LARGEST:
        raise ValueError(f"{name} is too large for the documents")
    print(f"{name}: {image.width} x {image.height}, {(IMAGES / name).stat().st_size // 1024} KB")


def main() -> None:
    home = Path(sys.argv[1])
    month = sys.argv[2] if len(sys.argv) > 2 else "2018-09"
    reports = home / "reports" / month
    report = next(reports.glob("月报-*.pdf"))
    tour(report, "tour-county")
    tour(next(reports.glob("一页纸-*.pdf")), "tour-brief")
    tour(next((reports / "单位").glob(f"*-{UNIT}-*.pdf")), "tour-unit")
    keep(picture(report, 0, width=900), "report-front.png")
    keep(picture(report, 3, width=700), "report-text.png")
    processed = home / "data" / "processed" / month
    with tempfile.TemporaryDirectory() as scratch:
        form = printed(next((processed / "forms").glob("*官店镇*.xlsx")), Path(scratch))
        keep(picture(form, 0, width=900, cut=0.6), "form-cover.png")
        keep(picture(form, 1, width=1400, cut=0.4), "form-table.png")
        returned = printed(next((processed / "returns").glob("*官店镇*.xlsx")), Path(scratch))
        keep(picture(returned, 0, width=1000, cut=0.7), "return-notice.png")


if __name__ == "__main__":
    main()
