"""What goes over the pipes between ledger.reading.batch and the reading process.

Messages are pickles behind their length; both ends are ours.
"""

from __future__ import annotations

import copyreg
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import IO, Any

from ledger.reading.model import Filing, ReadRow, ReadValue

_LENGTH = struct.Struct("<Q")
HEAD_SIZE = _LENGTH.size
#: The child's first message: its imports are done.
READY = b"ready"
#: Exit code by which the parent knows that the child's memory ran out.
OUT_OF_MEMORY = 86


@dataclass(frozen=True, slots=True)
class Request:
    """Files to read in this order: (path, name, SHA-256). `filing` is None where it is the one of
    the request before."""

    filing: Filing | None
    files: tuple[tuple[str, str, str], ...]


def send(stream: IO[bytes], payload: bytes) -> None:
    """Write one message: its length, then itself."""
    stream.write(_LENGTH.pack(len(payload)) + payload)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one message; None at the end of the stream."""
    head = stream.read(_LENGTH.size)
    return None if len(head) < _LENGTH.size else stream.read(message_length(head))


def message_length(head: bytes) -> int:
    """The length that the first bytes of a message state."""
    return int(_LENGTH.unpack(head)[0])


def _pack_row(row: ReadRow) -> tuple[Any, ...]:
    """A row as plain tuples: rows are nearly all of an answer, and their values as named tuples
    take twice the time and a quarter more room."""
    names = tuple(row.values)
    values = [tuple(value) for value in row.values.values()]
    return _unpack_row, (row.row, _same(names), values, row.findings, row.shifted)


def _unpack_row(
    number: int, names: Sequence[str], values: Sequence[tuple[Any, ...]], findings: list[Any], shifted: str
) -> ReadRow:
    return ReadRow(number, dict(zip(names, map(_value, values), strict=True)), findings, shifted)


@lru_cache(maxsize=256)
def _same(names: tuple[str, ...]) -> tuple[str, ...]:
    """One tuple for all rows of a table, so that a pickle holds it once."""
    return names


_value = partial(tuple.__new__, ReadValue)

copyreg.pickle(ReadRow, _pack_row)
