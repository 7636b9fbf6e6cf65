"""Bytes → Book, whatever the format; the content tells it, never the name."""

from __future__ import annotations

from ledger.reading.formats import limits, sniff
from ledger.reading.formats.package import Package
from ledger.reading.formats.refusal import Refused, bloated, damaged, foreign
from ledger.reading.model import Book
from schemas.finding import Finding, finding

__all__ = ["open_book"]


def open_book(data: bytes, name: str) -> Book | Finding:
    """Read a workbook of any accepted format (CONTRACT §3), or say why not (F01–F04).

    `name` is the name the file came under: it goes into the finding and, for a CSV, gives the
    sheet its name. Never raises for what is in `data`.
    """
    try:
        return _open(data, name)
    except Refused as refusal:
        return finding(refusal.code, refusal.message, file=name)
    except (MemoryError, RecursionError):
        return finding("F04", bloated("展开后超出内存").message, file=name)


def _open(data: bytes, name: str) -> Book:
    if len(data) > limits.MAX_FILE:
        raise bloated(f"文件有 {len(data) // limits.MEGABYTE} MB")
    kind = sniff.kind_of(data)
    if kind == "zip":
        package = Package(data)
        if sniff.package_kind(package) == "ods":
            from ledger.reading.formats.ods import read_ods

            return read_ods(package)
        from ledger.reading.formats.xlsx import read_xlsx

        return read_xlsx(package)
    if kind == "text":
        return _open_text(data, name)
    # xlrd takes 20 ms to import, and most files are not .xls
    from ledger.reading.formats.xls import read_xls

    return read_xls(data if kind == "biff" else sniff.workbook_stream(data))


def _open_text(data: bytes, name: str) -> Book:
    from ledger.reading.formats.csvs import decode, read_csv

    text = decode(data)
    if text is None:
        raise damaged("内容不是任何一种认识的表格")
    if not text.strip("\x00 \t\r\n\u3000\ufeff"):
        raise Refused("F01", "文件是空的，没有任何内容，请检查后重新报送。")
    other = sniff.other_text(text)
    if other is not None:
        raise foreign(other)
    return read_csv(text, name)
