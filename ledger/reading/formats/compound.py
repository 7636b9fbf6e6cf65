"""The compound file (OLE2) that holds an .xls, an .et, a Word document or an encrypted package.

xlrd has a reader of its own, which runs in circles where a damaged allocation table does; this one
follows no chain longer than its table.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ledger.reading.formats.refusal import Refused, damaged

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER = struct.Struct("<30xHH10xIIIIIIII")
_HEADER_SIZE = 512
_IN_HEADER = 109
#: The largest number that counts a sector; above it stand the marks for end, free and tables.
_LAST_SECTOR = 0xFFFFFFFA
_NO_ENTRY = 0xFFFFFFFF
_ENTRY_SIZE = 128
_ENTRY = struct.Struct("<64sHBxIII36xIQ")
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    first_sector: int
    size: int


class Compound:
    """A compound file's outermost streams by name. Raises Refused (F01) where it is damaged."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        if len(data) < _HEADER_SIZE:
            raise _broken()
        shift, mini_shift, _, directory, _, self._cutoff, mini, _, more, _ = _HEADER.unpack_from(data)
        if shift not in (9, 12) or mini_shift >= shift:
            raise _broken()
        self._sector_size = 1 << shift
        self._mini_size = 1 << mini_shift
        self._table = self._allocation(more)
        self._first_mini = mini
        self._entries = self._directory(directory)

    @cached_property
    def names(self) -> dict[str, int]:
        """The streams and storages of the outermost level, with their places in the directory."""
        if not self._entries or self._entries[0].kind != _ROOT:
            raise _broken()
        found: dict[str, int] = {}
        waiting, seen = [self._entries[0].child], set[int]()
        while waiting:
            place = waiting.pop()
            if place == _NO_ENTRY or place in seen:
                continue
            if place >= len(self._entries):
                raise _broken()
            seen.add(place)
            entry = self._entries[place]
            waiting += (entry.left, entry.right)
            if entry.kind in (_STORAGE, _STREAM):
                found[entry.name] = place
        return found

    def stream(self, name: str) -> bytes:
        """A stream of the outermost level."""
        entry = self._entries[self.names[name]]
        if entry.kind != _STREAM or entry.size > len(self._data):
            raise _broken()
        if entry.size >= self._cutoff:
            content = self._read(entry.first_sector)
        else:
            content = self._read_mini(entry.first_sector)
        if len(content) < entry.size:
            raise _broken()
        return content[: entry.size]

    def _allocation(self, more: int) -> Sequence[int]:
        """The table of which sector follows which."""
        sectors = list(struct.unpack_from(f"<{_IN_HEADER}I", self._data, _HEADER_SIZE - 4 * _IN_HEADER))
        step = self._sector_size // 4
        most = len(self._data) // self._sector_size + 1
        for _ in range(most):
            if more > _LAST_SECTOR:
                break
            listed = struct.unpack(f"<{step}I", self._sector(more, whole=True))
            sectors += listed[:-1]
            more = listed[-1]
        used = [sector for sector in sectors if sector <= _LAST_SECTOR]
        if len(used) > most:
            raise _broken()
        return _numbers(b"".join(self._sector(sector, whole=True) for sector in used))

    def _directory(self, first: int) -> list[_Entry]:
        content = self._read(first)
        entries = []
        for begin in range(0, len(content) - _ENTRY_SIZE + 1, _ENTRY_SIZE):
            name, length, kind, left, right, child, sector, size = _ENTRY.unpack_from(content, begin)
            text = name[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            # the upper half of a size is rubbish in files of the older kind
            size = size if self._sector_size > 512 else size & 0xFFFFFFFF
            entries.append(_Entry(text, kind, left, right, child, sector, size))
        return entries

    def _sector(self, number: int, *, whole: bool = False) -> bytes:
        begin = (number + 1) * self._sector_size
        content = self._data[begin : begin + self._sector_size]
        if not content or (whole and len(content) < self._sector_size):
            raise _broken()
        return content

    def _read(self, first: int) -> bytes:
        return b"".join(self._sector(number) for number in _chain(self._table, first))

    def _read_mini(self, first: int) -> bytes:
        container = self._read(self._entries[0].first_sector)
        size = self._mini_size
        return b"".join(container[n * size : (n + 1) * size] for n in _chain(self._mini_table, first))

    @cached_property
    def _mini_table(self) -> Sequence[int]:
        content = self._read(self._first_mini)
        return _numbers(content[: len(content) // 4 * 4])


def _chain(table: Sequence[int], first: int) -> list[int]:
    """The sectors from `first` on; a chain longer than the table runs in circles."""
    numbers: list[int] = []
    number = first
    while number <= _LAST_SECTOR:
        if number >= len(table) or len(numbers) >= len(table):
            raise _broken()
        numbers.append(number)
        number = table[number]
    return numbers


def _numbers(content: bytes) -> Sequence[int]:
    return struct.unpack(f"<{len(content) // 4}I", content)


def _broken() -> Refused:
    return damaged("文件目录不完整")
