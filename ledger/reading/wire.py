"""What goes over the pipes between ledger.reading.batch and the reading process.

Messages are pickles behind their length; both ends are ours.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

from ledger.reading.model import Filing

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
