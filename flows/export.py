"""`ledger export`: the master dataset's tables as files."""

from __future__ import annotations

from datetime import datetime

from ledger.home import Home
from ledger.recording.exports import export, to_bytes
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.month import Month


def export_bytes(
    home: Home,
    month: Month,
    table: str,
    form: str,
    *,
    as_of: datetime | None,
    all_versions: bool,
    excel_safe: bool,
) -> bytes:
    """One table of one month in one format (csv, json, xlsx, parquet)."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.catch_up()
        columns, rows = export(ledger, month, table, as_of=as_of, all_versions=all_versions)
    return to_bytes(columns, rows, form, title=f"{month} {table}", excel_safe=excel_safe)
