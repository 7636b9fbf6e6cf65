"""The roll-up's rows: what the CSV and the data workbook hold, in the columns of schemas.rollup.

Money is in 万元, exact; blank is not stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.calendar import moment_text
from ledger.recording.writers import Field, csv_bytes
from ledger.reporting import figures
from ledger.reporting.rollup_model import Area, Programme, Totals, Value
from ledger.reporting.workbook import Export, data_workbook
from schemas.money import wan
from schemas.month import Month
from schemas.rollup import COLUMNS, FIGURES, RATES, SHEETS, Kind, Level


def area_rows(month: Month, area: Area) -> list[list[Field]]:
    """A row for the area, for each area in it, and for each programme; the worst first."""
    rows = [_area_row(month, each) for each in area.each()]
    return rows + [_programme_row(month, one) for one in area.programmes]


def _area_row(month: Month, area: Area) -> list[Field]:
    named: dict[str, Field] = {
        "level": str(area.level),
        "province": area.province or None,
        "prefecture": area.prefecture or None,
        "programmes_unread": len(area.unread),
    }
    return _row(month, named, area.totals)


def _programme_row(month: Month, one: Programme) -> list[Field]:
    source = one.source
    named: dict[str, Field] = {
        "level": str(Level.PROGRAMME),
        "province": one.province or None,
        "prefecture": one.prefecture or None,
        "county": one.county,
        "programme": one.name,
        "folder": one.folder,
        "edition": source.edition,
        "draft": source.draft,
        "received_at": moment_text(source.received_at) if source.received_at else None,
        "plan_version": source.plan_version,
        "events": source.events,
    }
    return _row(month, named, one.totals)


def _row(month: Month, named: dict[str, Field], totals: Totals) -> list[Field]:
    named["month"] = str(month)
    named["programmes"], named["programmes_reported"] = totals.programmes, totals.reported
    for name in FIGURES:
        named[name] = _shown(name, totals[name])
    for name, rate in RATES.items():
        share = totals.rate(name)
        named[name] = None if share.pct is None else figures.rounded(share.pct)
        named[f"{name}_above"] = _shown(rate.above, share.numerator)
        named[f"{name}_below"] = _shown(rate.below, share.denominator)
    return [named.get(column.name) for column in COLUMNS]


def _shown(name: str, value: Value) -> Field:
    if isinstance(value, int) and FIGURES[name].kind is Kind.MONEY:
        return wan(value)
    return value


def _absent(programmes: Sequence[Programme]) -> Iterator[list[Field]]:
    for one in programmes:
        for name in one.absent:
            figure = FIGURES[name]
            why = "计划没有此栏" if figure.planned else "本年没有报送"
            yield [one.county, one.folder, name, figure.title, why]


def rollup_csv(month: Month, area: Area) -> bytes:
    """The area's rows as CSV, UTF-8 with BOM."""
    return csv_bytes([column.name for column in COLUMNS], area_rows(month, area))


def rollup_workbook(month: Month, area: Area) -> bytes:
    """The data workbook: the rows, which figures are blank and why, who is not counted."""
    rows: dict[str, list[list[Field]]] = {
        "rollup": area_rows(month, area),
        "absent": list(_absent(area.programmes)),
        "unread": [
            [one.province or None, one.prefecture or None, one.county, one.folder, one.reason]
            for one in area.unread
        ],
    }
    exports: dict[str, Export] = {
        sheet: ([column.name for column in columns], rows[table])
        for table, (sheet, columns) in SHEETS.items()
    }
    return data_workbook(exports)
