"""The registry as it stood: every state of the county's own files is kept with the journal.

A unit's new alias or a changed target must not change what was recorded before it. Before anything
is applied, a changed registry is noted (event ``registry``, its files among the originals, `from` the
first event it holds for); each event is then read and checked by the registry of its time, today and
in every rebuild. A home that uses the sample programme's registry keeps none.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.home import Home
from ledger.recording import events
from ledger.recording.journal import Event, Journal
from ledger.recording.originals import Originals, extension, hash_file
from ledger.registry import Registry

_FILES = ("programme.toml", "units.csv", "targets.csv")


def note_registry(home: Home, journal: Journal, first: int) -> None:
    """Journal the home's own registry where it is not the one last noted, from event `first` on."""
    folder = home.own_registry
    if not all((folder / name).is_file() for name in _FILES):
        return
    noted = _noted(journal)
    last = noted[-1].payload["files"] if noted else None
    if last == {name: hash_file(folder / name) for name in _FILES}:
        return
    originals = Originals(home.originals)
    files = keep_files(originals, folder)
    journal.append(events.REGISTRY, {"from": first, "files": files})


def _noted(journal: Journal) -> list[Event]:
    return journal.of_kind(events.REGISTRY)


class Registries:
    """The registry in force at each event: the last noted for it, else the one given."""

    def __init__(self, home: Home, journal: Journal, given: Registry) -> None:
        self._originals = Originals(home.originals)
        self._given = given
        self._states: list[tuple[int, Mapping[str, Any]]] = [
            (int(event.payload["from"]), event.payload["files"]) for event in _noted(journal)
        ]
        self._loaded: dict[int, Registry] = {}

    def at(self, seq: int) -> Registry:
        """The registry in force at event `seq`."""
        place = max((n for n, (first, _) in enumerate(self._states) if first <= seq), default=None)
        if place is None:
            return self._given
        if place not in self._loaded:
            self._loaded[place] = self._load(self._states[place][1])
        return self._loaded[place]

    def _load(self, files: Mapping[str, str]) -> Registry:
        return load_files(self._originals, files)


def keep_files(originals: Originals, folder: Path) -> dict[str, str]:
    """Keep a registry's files among the originals: their SHA-256 by name."""
    return {name: originals.keep(folder / name).sha256 for name in _FILES}


def load_files(originals: Originals, files: Mapping[str, str]) -> Registry:
    """The registry of files kept by `keep_files`. Raises Damaged where one is gone."""
    folder = Path(tempfile.mkdtemp(prefix="registry-"))
    try:
        home = Home(folder)
        home.own_registry.mkdir(parents=True)
        for name in _FILES:
            (home.own_registry / name).write_bytes(originals.read(files[name], extension(name)))
        return Registry.load(home)
    finally:
        shutil.rmtree(folder)
