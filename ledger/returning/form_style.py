"""How the forms look: typefaces as Chinese offices have them, lines, locks, paper."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.header_footer import _HeaderFooterPart as HeaderFooterPart
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

TITLE = Font(name="黑体", size=18)
PROGRAMME = Font(name="黑体", size=16)
CAPTION = Font(name="宋体", size=11)
HEADER = Font(name="黑体", size=10.5)
BODY = Font(name="宋体", size=10.5)
REFERENCE = Font(name="宋体", size=10.5, color="FF7F7F7F")
NOTES = Font(name="仿宋", size=12)
NOTES_HEAD = Font(name="黑体", size=12)

_THIN = Side(style="thin", color="FF000000")
_PALE = Side(style="thin", color="FFBFBFBF")
BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
PALE_BOX = Border(left=_PALE, right=_PALE, top=_PALE, bottom=_PALE)

LOCKED_FILL = PatternFill("solid", fgColor="FFF2F2F2")
#: Letters, not a fill: a fill by condition would cover the marks of a returned workbook.
HINT = Font(bold=True, color="FFC55A11")
LOCKED = Protection(locked=True)
OPEN = Protection(locked=False)

CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center")
#: A number too long for its column shrinks; it never turns into ####.
NUMBER = Alignment(horizontal="right", vertical="center", shrink_to_fit=True)
TOP_LEFT = Alignment(horizontal="left", vertical="top", wrap_text=True)

#: Money is shown with two decimals at least and down to 0.01 元, so that nothing is hidden.
MONEY_FORMAT = "#,##0.00####"

_A4 = 9
#: What fits on a line of A4 landscape inside the margins, 274 mm at 96 dots an inch; and what a
#: character of column width takes where the office's own typeface is missing (with it, 7 or 8).
_LANDSCAPE_PIXELS = 1035
_CHARACTER_PIXELS = 9


def scale_of(widths: Sequence[int]) -> float:
    """At what share of its size a table of these column widths fits A4 landscape (at most 1)."""
    return min(1.0, _LANDSCAPE_PIXELS / sum(_CHARACTER_PIXELS * width + 5 for width in widths))


def set_default_font(workbook: Workbook) -> None:
    """宋体 as in Chinese offices: column widths are measured in the default font's digits."""
    workbook._named_styles["Normal"].font = Font(name="宋体", size=11)  # type: ignore[attr-defined]
    workbook._fonts[0] = Font(name="宋体", size=11)  # type: ignore[attr-defined]


def protect(sheet: Worksheet) -> None:
    """Lock what is locked, without a password; columns and rows may still be widened."""
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False
    sheet.protection.formatCells = False


def paper(sheet: Worksheet, *, landscape: bool) -> None:
    """A4, fitted to the width, page numbers at the foot."""
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    margins = sheet.page_margins
    margins.left = margins.right = 0.45
    margins.top, margins.bottom = 0.6, 0.6
    margins.header = margins.footer = 0.3
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter = HeaderFooterItem(center=HeaderFooterPart(text="第 &P 页  共 &N 页"))


def on_two_pages(sheet: Worksheet, break_after: int, scale: float) -> None:
    """Print two pages wide at `scale`, parted after column `break_after`.

    Not fitted: spreadsheet programs ignore a page break where they fit to the width.
    """
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=False)
    sheet.page_setup.fitToWidth = sheet.page_setup.fitToHeight = None
    sheet.page_setup.scale = int(100 * scale)
    sheet.col_breaks.append(Break(id=break_after))


def lines_needed(text: str, width: float) -> int:
    """How many lines `text` takes in a column of `width` half-width characters."""
    total = 0
    for line in text.split("\n"):
        length = sum(2 if ord(character) > 0x2E7F else 1 for character in line)
        total += max(1, -(-length // max(1, int(width) - 1)))
    return total
