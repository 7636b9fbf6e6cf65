"""Which plan item a row means (CONTRACT §3): by name, then by 序号 with a close name; 表3 by 编号.

White space, line breaks and the width of brackets never count. What was found on other grounds
than an equal name and number is said (P08), and both wordings are shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from ledger.checking.places import Row
from ledger.registry import fold_name
from schemas.plan import Plan, PlanItem
from schemas.tables import INDICATORS

#: From this likeness on, two names are close (0–1, difflib).
CLOSE = 0.6
_FAR = 0.5
#: A name's part of this length names it as well, beside its number.
_SHORTEST_PART = 4
#: As many characters may be a slip of the pen.
_SLIP = 2
#: Words that nearly every name ends in, and that therefore tell nothing.
_COMMON_ENDINGS = re.compile(r"(建设|改建|新建|工程|项目)+$")
_BRACKETED = re.compile(r"\([^()]*\)")
#: Longer texts are no names: no likeness is computed for them.
_LONGEST_NAME = 80
_SHORT_CODE = re.compile(r"(?:t-?)?0*(\d{1,3})")


class Items:
    """A plan's items of one table, ready to be found. Made once for a batch."""

    def __init__(self, plan: Plan, table: str) -> None:
        self.all: tuple[PlanItem, ...] = plan.of_table(table)
        self.folded: Mapping[str, str] = {item.item_id: fold_name(item.name) for item in self.all}
        units: dict[str, list[PlanItem]] = {}
        names: dict[str, list[PlanItem]] = {}
        codes: dict[str, PlanItem] = {}
        for item in self.all:
            units.setdefault(item.unit_code, []).append(item)
            names.setdefault(self.folded[item.item_id], []).append(item)
            codes.setdefault(fold_name(item.item_id), item)
            stated = item.values.get("item_code")
            if isinstance(stated, str) and stated:
                codes[fold_name(stated)] = item
        self._by_unit: Mapping[str, Sequence[PlanItem]] = units
        self._by_name: Mapping[str, Sequence[PlanItem]] = names
        self._by_code: Mapping[str, PlanItem] = codes
        self.by_seq: Mapping[int, PlanItem] = {item.seq: item for item in self.all}

    def of_unit(self, unit_code: str) -> tuple[PlanItem, ...]:
        """The items this unit reports."""
        return tuple(self._by_unit.get(unit_code, ()))

    def named(self, name: str, seq: int | None, unit_code: str | None) -> PlanItem | None:
        """The item of this very name; among several the one with this number, else the unit's."""
        found = self._by_name.get(folded(name), ())
        if len(found) <= 1:
            return found[0] if found else None
        return min(found, key=lambda item: (item.seq != seq, item.unit_code != unit_code, item.seq))

    def is_code(self, code: str) -> bool:
        """Whether the plan itself has this 编号; a bare number is otherwise only a place in a list."""
        key = folded(code)
        return key in self._by_code or not key.isdecimal()

    def coded(self, code: str) -> PlanItem | None:
        """The indicator of this 编号: as the plan states it, the item id, or its short form."""
        key = folded(code)
        if key in self._by_code:
            return self._by_code[key]
        short = _SHORT_CODE.fullmatch(key)
        return self.by_seq.get(int(short[1])) if short else None

    def nearest(self, name: str) -> PlanItem | None:
        """The item whose name is most like `name`, None where none is close: only for messages."""
        best = max(self.all, key=lambda item: likeness(name, item.name), default=None)
        return best if best is not None and likeness(name, best.name) >= CLOSE else None


@lru_cache(maxsize=4096)
def likeness(one: str, other: str) -> float:
    """How alike two names are, 0–1. An abbreviation (its characters in order) is close."""
    a, b = _core(one), _core(other)
    if not a or not b or max(len(a), len(b)) > _LONGEST_NAME:
        return 0.0
    ratio = SequenceMatcher(None, a, b, autojunk=False).ratio()
    short, long = sorted((a, b), key=len)
    abbreviated = len(short) * 2 >= len(long) and _in_order(short, long)
    if abbreviated or (len(short) >= _SHORTEST_PART and short in long):
        return max(ratio, CLOSE)
    return min(ratio, _FAR) if _only_the_place_alike(a, b) else ratio


def _only_the_place_alike(a: str, b: str) -> bool:
    """Whether two names begin alike and then share nothing: two things in one village."""
    alike = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rests = sorted((a[alike:], b[alike:]), key=len)
    return len(rests[0]) > 1 and len(rests[1]) > _SLIP and not set(rests[0]) & set(rests[1])


def folded(text: str) -> str:
    """`fold_name`, remembered for the names that every workbook of a batch repeats."""
    return _remembered(text) if len(text) <= _LONGEST_NAME else fold_name(text)


_remembered = lru_cache(maxsize=4096)(fold_name)


def _core(name: str) -> str:
    key = folded(name)
    bare = _BRACKETED.sub("", key) or key
    return _COMMON_ENDINGS.sub("", bare) or bare


def _in_order(short: str, long: str) -> bool:
    rest = iter(long)
    return all(character in rest for character in short)


def match(row: Row, items: Items, unit_code: str | None) -> None:
    """Set the row's item, and note P08 where name or number differ, P01 where there is none.

    A shifted row (F16) is only recognised, by any cell that holds an item's name: it says nothing
    else, but its item is not missing (P04).
    """
    if row.unchecked:
        row.item = _named_anywhere(row, items, unit_code)
        return
    name = _text(row, row.table.name_field)
    by_code = row.table is INDICATORS
    item = _by_code(row, items, name, unit_code) if by_code else _by_name(row, items, name, unit_code)
    if item is None:
        if name or not row.is_blank("item_code"):
            _not_in_plan(row, items, name)
        return
    row.item = item
    row.foreign = unit_code is not None and item.unit_code != unit_code
    if name and folded(name) != items.folded[item.item_id]:
        row.add(
            "P08",
            row.table.name_field,
            f"名称“{one_line(name)}”与计划第 {item.seq} 项“{one_line(item.name)}”写法不同，按该项处理",
            expected=one_line(item.name),
        )
    elif by_code:
        _note_other_code(row, items, item)
    else:
        _note_other_number(row, item)


def _text(row: Row, name: str) -> str:
    value = row.value(name)
    return value if isinstance(value, str) else ""


def _named_anywhere(row: Row, items: Items, unit_code: str | None) -> PlanItem | None:
    for read in row.read.values.values():
        text = read.value if isinstance(read.value, str) else read.raw
        item = items.named(text, None, unit_code) if text else None
        if item is not None:
            return item
    return None


def _by_name(row: Row, items: Items, name: str, unit_code: str | None) -> PlanItem | None:
    number = row.value("seq")
    seq = number if isinstance(number, int) else None
    if name:
        exact = items.named(name, seq, unit_code)
        if exact is not None:
            return exact
    candidate = items.by_seq.get(seq) if seq is not None else None
    if candidate is None:
        return None
    if not name:
        # the blank name is a finding of its own (C06); the number says which item it is about
        return candidate if candidate.unit_code == unit_code else None
    return candidate if likeness(name, candidate.name) >= CLOSE else None


def _by_code(row: Row, items: Items, name: str, unit_code: str | None) -> PlanItem | None:
    code = _text(row, "item_code")
    coded = items.coded(code) if code else None
    if coded is not None and (not name or items.is_code(code)):
        return coded
    named = items.named(name, None, unit_code) if name else None
    if named is not None or coded is None:
        return named
    return coded if likeness(name, coded.name) >= CLOSE else None


def _note_other_code(row: Row, items: Items, item: PlanItem) -> None:
    code = _text(row, "item_code")
    if code and items.coded(code) is not item:
        row.add(
            "P08",
            "item_code",
            f"编号“{one_line(code)}”与计划编号 {item.item_id} 不同，按名称“{one_line(item.name)}”处理",
            expected=item.item_id,
        )


def _note_other_number(row: Row, item: PlanItem) -> None:
    seq = row.value("seq")
    if seq is not None and seq != item.seq:
        row.add(
            "P08",
            "seq",
            f"序号 {seq} 与计划序号 {item.seq} 不同，按名称“{one_line(item.name)}”处理",
            expected=str(item.seq),
        )


def _not_in_plan(row: Row, items: Items, name: str) -> None:
    wording = one_line(name) or f"编号 {_text(row, 'item_code')}"
    nearest = items.nearest(name) if 0 < len(name) <= _LONGEST_NAME else None
    hint = f"；计划中最接近的是“{one_line(nearest.name)}”" if nearest is not None else ""
    row.add("P01", row.table.name_field if name else "item_code", f"“{wording}”不在计划中{hint}")


def one_line(text: str) -> str:
    """A name on one line, for messages."""
    return " ".join(text.split())
