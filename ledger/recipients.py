"""Who is sent what: ``recipients.csv`` in the registry, data that the county keeps.

Columns: key (any short word, never reused), name, role, address, gets (words of `GETS` joined by
``|``), unit_code (blank for those who are no reporting unit; a unit gets only what is its own),
also (may be missing: further addresses from which it writes, joined by ``|``; nothing is sent there).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from enum import StrEnum

from ledger.errors import UsageError
from ledger.home import Home
from ledger.registry import Registry

FILE = "recipients.csv"


class Gets(StrEnum):
    """What a recipient gets. The first three are of the month's edition; the others a unit's own."""

    REPORT = "月报"
    BRIEF = "一页纸"
    DATA = "数据"
    UNIT_REPORT = "单位报告"
    FORMS = "预填表"
    RETURN = "退回"
    REMINDER = "催报"


#: What goes out with an edition.
OF_AN_EDITION = frozenset({Gets.REPORT, Gets.BRIEF, Gets.DATA, Gets.UNIT_REPORT})
#: What only a reporting unit can get.
OF_A_UNIT = frozenset({Gets.UNIT_REPORT, Gets.FORMS, Gets.RETURN, Gets.REMINDER})


@dataclass(frozen=True, slots=True)
class Recipient:
    """One who gets mail. `key` identifies him for ever; `unit_code` None for leadership. He may
    write from `also`, too."""

    key: str
    name: str
    role: str
    address: str
    gets: frozenset[Gets]
    unit_code: str | None
    also: tuple[str, ...] = ()


def load_recipients(home: Home, programme: Registry) -> tuple[Recipient, ...]:
    """The recipients in the file's order, none where there is no file. Raises UsageError naming the
    line where one can't be used: its address is none, a word or a unit is unknown, a key is double.
    """
    path = home.registry / FILE
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"登记资料 {FILE} 读不出来，请另存为 UTF-8 的 CSV 再试。") from error
    recipients: dict[str, Recipient] = {}
    for number, line in enumerate(lines, start=2):
        one = _recipient(line, f"登记资料 {FILE} 第 {number} 行", programme)
        if one.key in recipients:
            raise UsageError(f"登记资料 {FILE} 第 {number} 行：代号“{one.key}”重复，请改用另一个。")
        recipients[one.key] = one
    return tuple(recipients.values())


def _recipient(line: Mapping[str, str | None], place: str, programme: Registry) -> Recipient:
    stated = {
        name: (line.get(name) or "").strip() for name in ("key", "name", "role", "address", "unit_code")
    }
    if not stated["key"] or not stated["name"]:
        raise UsageError(f"{place}：代号和名称都要填。")
    also = tuple(one.strip() for one in (line.get("also") or "").split("|") if one.strip())
    for address in (stated["address"], *also):
        if not _is_address(address):
            raise UsageError(f"{place}：“{address}”不是邮箱地址，请改正。")
    words = [word.strip() for word in (line.get("gets") or "").split("|") if word.strip()]
    try:
        gets = frozenset(Gets(word) for word in words)
    except ValueError:
        raise UsageError(
            f"{place}：“{'|'.join(words)}”中有不认识的词，可写：{'、'.join(Gets)}，用 | 隔开。"
        ) from None
    unit = stated["unit_code"] or None
    if unit is not None and unit not in programme.by_code:
        raise UsageError(f"{place}：units.csv 中没有单位“{unit}”。")
    if unit is None and gets & OF_A_UNIT:
        only = "、".join(sorted(gets & OF_A_UNIT))
        raise UsageError(f"{place}：{only} 只能发给报送单位，请填 unit_code。")
    return Recipient(stated["key"], stated["name"], stated["role"], stated["address"], gets, unit, also)


def _is_address(text: str) -> bool:
    try:
        Address(addr_spec=text)
    except (ValueError, IndexError):
        return False
    return "@" in text and not text.endswith("@")
