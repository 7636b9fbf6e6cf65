"""Editions set from what they froze: the same bytes whenever they are set again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.home import Home
from ledger.recording.editions import frozen, registry_of
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.master import master
from ledger.recording.model import Edition, MonthView
from ledger.registry import Registry
from ledger.reporting.build import build_county_report
from ledger.reporting.editions import write_documents
from ledger.reporting.html import county_html
from ledger.reporting.master_book import write_master
from ledger.reporting.model import CountyReport
from ledger.reporting.sober import without_words
from ledger.reporting.workbook import Export, data_workbook
from ledger.reporting.writer import stem
from schemas.exports import EXPORTS
from schemas.month import Month


@contextmanager
def rendered(ledger: Ledger, edition: Edition) -> Iterator[dict[str, Path]]:
    """The edition's files by name (``月报-2018-09-第1版.pdf`` first), set anew beside everything else:
    from the ledger as of its freezing, with the registry and the plan of its time. The reports, and
    the master (台帐) that they were made from."""
    registry = registry_of(ledger.home, edition)
    as_of = frozen(edition)
    views = ledger.views_until(edition.month, as_of, registry)
    exports = month_exports(ledger, edition.month, edition, registry)
    with tempfile.TemporaryDirectory(prefix="edition-") as folder:
        home = Home(Path(folder).resolve())
        number, by = edition.number, edition.by
        written = write_documents(
            home, registry, views, exports=exports, draft=False, edition=number, signatory=by
        )
        kept = master(ledger, edition.month, as_of=as_of, told_by=registry, edition=number)
        written += write_master(home, kept)
        place = home.reports(edition.month)
        yield {path.relative_to(place).as_posix(): path for path in written}


def month_exports(
    ledger: Ledger, month: Month, edition: Edition | None = None, registry: Registry | None = None
) -> dict[str, Export]:
    """The month's exports by table, now or as an edition froze them."""
    as_of = None if edition is None else frozen(edition)
    return {table: export(ledger, month, table, as_of=as_of, told_by=registry) for table in EXPORTS}


def next_report(registry: Registry, views: Sequence[MonthView], edition: int) -> CountyReport:
    """The report as the draft of an edition has it."""
    return build_county_report(views, registry, draft=True, edition=edition)


def is_drafted(home: Home, month: Month) -> bool:
    """Whether the month's folder holds a draft, of whatever state."""
    return any(home.reports(month).glob(f"月报-{month}-草稿.*"))


def has_editions(home: Home, month: Month) -> bool:
    """Whether the month's folder holds an edition."""
    return any(home.reports(month).glob(f"月报-{month}-第*版.*"))


def is_current(home: Home, report: CountyReport, exports: dict[str, Export]) -> bool:
    """Whether the draft in the month's folder is what would be drafted now, page and data alike."""
    folder = home.reports(report.month)
    page, book = folder / f"{stem(report)}.html", folder / f"{stem(report)}.xlsx"
    if not (page.is_file() and book.is_file()):
        return False
    if book.read_bytes() != data_workbook(exports):
        return False
    html = page.read_bytes()
    return html == county_html(report).encode() or html == county_html(without_words(report)).encode()
