"""Number formats and hidden sheets of an .ods file: what its styles say.

A number format is put into the code that spreadsheets show for it (``0.00%``, ``yyyy"年"m"月"``), as
far as reading needs it: digits, percent, dates.
"""

from __future__ import annotations

from ledger.reading.formats.markup import Attributes

_DATA_STYLES = frozenset(
    (
        "number-style",
        "percentage-style",
        "currency-style",
        "date-style",
        "time-style",
        "text-style",
        "boolean-style",
    )
)
_DATE_PARTS = {
    "year": ("yy", "yyyy"),
    "month": ("m", "mm"),
    "day": ("d", "dd"),
    "hours": ("h", "hh"),
    "minutes": ("mm", "mm"),
    "seconds": ("ss", "ss"),
    "day-of-week": ("ddd", "dddd"),
}


class Styles:
    """Collects styles from styles.xml and content.xml; answers by name."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}
        self._data_style: dict[str, str] = {}
        self._parent: dict[str, str] = {}
        self._hidden_tables: set[str] = set()
        self._style = ""
        self._family = ""
        self._building = ""
        self._is_percentage = False
        self._pieces: list[str] = []
        self._in_text = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "style":
            self._style = attributes.get("name") or ""
            self._family = attributes.get("family") or ""
            if self._family == "table-cell":
                self._data_style[self._style] = attributes.get("data-style-name") or ""
                self._parent[self._style] = attributes.get("parent-style-name") or ""
        elif name == "table-properties":
            if self._family == "table" and attributes.get("display") == "false":
                self._hidden_tables.add(self._style)
        elif name in _DATA_STYLES:
            self._building = attributes.get("name") or ""
            self._is_percentage = name == "percentage-style"
            self._pieces = []
        elif self._building:
            self._add(name, attributes)

    def end(self, name: str) -> None:
        if name in _DATA_STYLES:
            if self._building:
                self._codes[self._building] = "".join(self._pieces)
            self._building = ""
        elif name in ("text", "currency-symbol"):
            self._in_text = False

    def text(self, data: str) -> None:
        if self._in_text and self._building and data:
            scales = self._is_percentage and data == "%"  # elsewhere a % is only shown
            self._pieces.append(data if scales else f'"{data}"')

    def code(self, style: str) -> str:
        """The number format of a cell style, its parents' where it states none; '' for none."""
        for _ in range(16):
            if not style:
                break
            data_style = self._data_style.get(style, "")
            if data_style:
                return self._codes.get(data_style, "")
            style = self._parent.get(style, "")
        return ""

    def hides_table(self, style: str) -> bool:
        return style in self._hidden_tables

    def _add(self, name: str, attributes: Attributes) -> None:
        if name in ("text", "currency-symbol"):
            self._in_text = True
        elif name in _DATE_PARTS:
            short, long = _DATE_PARTS[name]
            textual = name == "month" and attributes.get("textual") == "true"
            code = long if attributes.get("style") == "long" else short
            self._pieces.append("mmm" if textual else code)
        elif name == "am-pm":
            self._pieces.append("AM/PM")
        elif name == "text-content":
            self._pieces.append("@")
        elif name == "number":
            self._pieces.append(_digits(attributes))
        elif name == "scientific-number":
            self._pieces.append("0.00E+00")


def _digits(attributes: Attributes) -> str:
    decimals = attributes.get("decimal-places")
    if decimals is None or not decimals.isdecimal():
        return "General"
    least = attributes.get("min-decimal-places")
    count = min(int(decimals), 30)
    fixed = min(int(least), count) if least is not None and least.isdecimal() else count
    whole = "#,##0" if attributes.get("grouping") == "true" else "0"
    return whole + ("." + "0" * fixed + "#" * (count - fixed) if count else "")
