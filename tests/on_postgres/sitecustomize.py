"""Loaded by every Python that a test starts while the suite runs with ``--database postgres``: the
command's home gets a PostgreSQL database of its own (tests/postgres.py)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SERVER = "LEDGER_TEST_POSTGRES"
_URL = "LEDGER_DATABASE_URL"


def _home() -> str | None:
    words = sys.orig_argv
    for place, word in enumerate(words):
        if word == "--home" and place + 1 < len(words):
            return words[place + 1]
        if word.startswith("--home="):
            return word.partition("=")[2]
    return os.environ.get("LEDGER_HOME")


def _name() -> None:
    server = os.environ.get(_SERVER)
    home = _home()
    if server and home and _URL not in os.environ and (Path(home) / "data" / "raw").is_dir():
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from tests.postgres import url_of_home

        os.environ[_URL] = url_of_home(server, home)


_name()
