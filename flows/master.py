"""The step that writes the master: the workbook for people and the Parquet files for analysts."""

from __future__ import annotations

from flows.opened import open_ledger
from ledger.home import Home
from schemas.month import Month


def write(home: Home, month: Month) -> list[str]:
    """Write the year's master up to `month`: relative paths, the workbook first."""
    from ledger.recording.master import master
    from ledger.reporting.master_book import write_master

    with open_ledger(home) as ledger:
        kept = master(ledger, month)
    return [home.relative(path) for path in write_master(home, kept)]
