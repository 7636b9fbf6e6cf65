"""Taking in what was found: originals first, then one journal event a file. Judges nothing."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.calendar import moment_text
from ledger.fetching.memory import MAIL
from ledger.home import Home
from ledger.recording import events
from ledger.recording.journal import Journal, write_new
from ledger.recording.originals import Originals, hash_file

#: Where what came by mail and was not received is kept, in data/raw.
ASIDE_FOLDER = "mailbox-aside"
_HASH_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A file about to be received or, where `why` is stated, to be set aside.

    `path` None: too large to be looked at. `details` go into the event: the mail it came with;
    `within` are the mail and archive it was in, by file name, which are kept, too.
    """

    name: str
    path: Path | None
    received_at: datetime
    source: str
    why: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    within: Mapping[str, Path] = field(default_factory=dict)

    @property
    def sha256(self) -> str | None:
        """The hash of its bytes as they lie now. Raises UsageError where they can't be read."""
        return None if self.path is None else hash_file(self.path)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file as journaled. `why` is blank where it was received."""

    seq: int
    name: str
    sha256: str | None
    received_at: datetime
    source: str
    why: str
    seen_before: bool
    details: Mapping[str, Any]


def take(home: Home, pieces: Sequence[Piece]) -> list[Taken]:
    """Keep every file, then journal all in this order; what was killed between is done again.

    Raises UsageError, and journals none, where a file can't be read; LedgerError where nothing can
    be written.
    """
    if not pieces:
        return []
    items = []
    seen_before = []
    for piece in pieces:
        if piece.why:
            items.append((events.SET_ASIDE, _aside(home, piece)))
            seen_before.append(False)
        else:
            payload, seen = _received(home, piece)
            items.append((events.RECEIVED, payload))
            seen_before.append(seen)
    written = Journal(home.journal).append_all(items)
    return [
        Taken(
            event.seq,
            piece.name,
            event.payload["sha256"],
            piece.received_at,
            piece.source,
            piece.why,
            seen,
            event.payload,
        )
        for event, piece, seen in zip(written, pieces, seen_before, strict=True)
    ]


def _received(home: Home, piece: Piece) -> tuple[dict[str, Any], bool]:
    assert piece.path is not None
    originals = Originals(home.originals)
    within = {name: originals.keep(path, name).sha256 for name, path in piece.within.items()}
    kept = originals.keep(piece.path, piece.name)
    payload: dict[str, Any] = {
        **events.receipt_payload(kept.sha256, kept.ext, piece.name, piece.received_at, None, piece.source),
        **piece.details,
    }
    if within:
        payload[events.WITHIN] = within
    return payload, not kept.new


def _aside(home: Home, piece: Piece) -> dict[str, Any]:
    """Keep what came by mail; what lies in the inbox stays there."""
    sha256 = piece.sha256
    kept = None
    if piece.source == MAIL and piece.path is not None:
        kept = _keep_aside(home, piece, piece.path, str(sha256))
    return {
        "sha256": sha256,
        "file_name": piece.name,
        "why": piece.why,
        "at": moment_text(piece.received_at),
        "source": piece.source,
        "kept": None if kept is None else home.relative(kept),
        **piece.details,
    }


def _keep_aside(home: Home, piece: Piece, path: Path, sha256: str) -> Path:
    """A read-only copy under its own name, in a folder of its day and hash, whole or not there."""
    folder = home.raw / ASIDE_FOLDER / f"{piece.received_at:%Y-%m-%d}-{sha256[:_HASH_SHOWN]}"
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".aside-*"):  # by a look that was killed; only one looks at a time
        left.unlink(missing_ok=True)
    kept = folder / piece.name.rpartition("/")[2]
    data = path.read_bytes()
    with contextlib.suppress(FileExistsError):
        write_new(kept, data)
    if hashlib.sha256(kept.read_bytes()).hexdigest() != sha256:
        kept.unlink()  # damaged since; these are the bytes it names
        write_new(kept, data)
    return kept
