"""The step that writes the master: the workbook for people and the Parquet files for analysts."""

from __future__ import annotations

from flows.opened import open_ledger
from ledger.home import Home
from ledger.recording.ledger import Ledger
from schemas.month import Month


def write(home: Home, month: Month) -> list[str]:
    """Write the year's master up to `month`: relative paths, the workbook first."""
    with open_ledger(home) as ledger:
        return write_from(ledger, month)


def write_from(ledger: Ledger, month: Month) -> list[str]:
    """The same from a ledger that is open."""
    from ledger.recording.master import master
    from ledger.reporting.master_book import write_master

    return [ledger.home.relative(path) for path in write_master(ledger.home, master(ledger, month))]
