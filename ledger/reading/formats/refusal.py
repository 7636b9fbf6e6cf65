"""Why a file is not read at all: one of F01–F04, with its words."""

from __future__ import annotations


class Refused(Exception):
    """A file that can't be taken as a workbook; `open_book` makes it a finding.

    `code` is F01 (damaged), F02 (password), F03 (no spreadsheet) or F04 (too large once unpacked);
    `message` says in Chinese what the file really is or what is wrong with it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def damaged(what: str) -> Refused:
    """F01, naming the part that can't be read."""
    return Refused("F01", f"文件打不开：{what}，可能已损坏或没有传完整。")


def locked(what: str) -> Refused:
    """F02, naming the kind of protection."""
    return Refused("F02", f"文件打不开：{what}。")


def foreign(what: str) -> Refused:
    """F03, naming what the file really is."""
    gap = " " if what[0].isascii() else ""
    return Refused("F03", f"这不是电子表格，而是{gap}{what}，无法读取。")


def bloated(what: str) -> Refused:
    """F04, naming what is out of proportion."""
    return Refused("F04", f"文件过大或异常：{what}，已停止读取。")
