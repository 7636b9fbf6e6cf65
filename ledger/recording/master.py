"""The master (台帐): every version of every row of the year up to a month, each marked.

`master` gives plain rows; ledger.reporting.master_book makes the workbook, `parquet` the files for
analysts. The rows marked current or carried are the exports' own, so that the master's figures are
the report's.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from ledger.calendar import moment_text
from ledger.recording.database import reading
from ledger.recording.exports import export_value
from ledger.recording.issued import editions_between
from ledger.recording.moments import AsOf
from ledger.recording.plans import Plans
from ledger.recording.seen import Seen
from ledger.recording.writers import Field, text_of
from schemas.exports import ExportColumn
from schemas.master import MASTER, State, names_of, type_of
from schemas.month import Month
from schemas.tables import PLAN_TABLES, TABLES

if TYPE_CHECKING:
    from ledger.recording.ledger import Ledger
    from ledger.registry import Registry

#: Parquet's scale for money (0.01 元 in 万元) and for other numbers.
_MONEY_SCALE, _NUMBER_SCALE, _PRECISION = 6, 18, 38

Row = tuple[Field, ...]


@dataclass(frozen=True)
class MasterTable:
    """One table of the master. `changed` names, for each row, the places that differ from the
    version before it; blank for the first version and for tables without versions."""

    name: str
    columns: tuple[ExportColumn, ...]
    rows: tuple[Row, ...]
    changed: tuple[frozenset[int], ...]

    def place(self, name: str) -> int:
        return names_of(self.columns).index(name)


@dataclass(frozen=True)
class Master:
    """The year's master up to `month`; `received_at` is the latest receipt in it, `edition` the one
    it was frozen with (None = as the ledger is now)."""

    first: Month
    month: Month
    tables: Mapping[str, MasterTable]
    received_at: str
    edition: int | None = None

    @property
    def stem(self) -> str:
        """``台帐-2018-09``, ``台帐-2018-09-第1版``: the files' name without its ending."""
        return f"台帐-{self.month}" + (f"-第{self.edition}版" if self.edition else "")


def master(
    ledger: Ledger,
    month: Month,
    *,
    as_of: AsOf = None,
    told_by: Registry | None = None,
    edition: int | None = None,
) -> Master:
    """The master of the plan year up to `month` as of a moment, by the present registry or the one
    given; `edition` where it is that edition's."""
    seen = Seen.at(ledger, as_of, told_by)
    first = max(Month(month.year, 1), min(seen.registry.first_month, month))
    months = [first.plus(n) for n in range(month.index - first.index + 1)]
    found: dict[str, MasterTable] = {}
    for name, columns in MASTER.items():
        if name in TABLES:
            found[name] = _items(seen, months, name, columns)
        elif name == "plan":
            found[name] = _plain(name, columns, _plan_rows(seen, month, columns))
        elif name == "editions":
            found[name] = _plain(name, columns, _edition_rows(seen, months))
        else:
            rows = [row for each in months for row in seen.rows(each, name)]
            found[name] = _plain(name, columns, rows)
    sent = found["submissions"]
    place = sent.place("received_at")
    received = max((str(row[place]) for row in sent.rows), default="")
    return Master(first, month, found, received, edition)


def _plain(name: str, columns: tuple[ExportColumn, ...], rows: Sequence[Row]) -> MasterTable:
    return MasterTable(name, columns, tuple(rows), (frozenset(),) * len(rows))


# --- the item tables


def _items(seen: Seen, months: Sequence[Month], name: str, columns: tuple[ExportColumn, ...]) -> MasterTable:
    rows: list[Row] = []
    changed: list[frozenset[int]] = []
    places = {column: place for place, column in enumerate(names_of(columns[1:]))}
    for month in months:
        standing, versions = seen.rows(month, name), seen.rows(month, name, all_versions=True)
        reported = [place for place, column in enumerate(columns[1:]) if column.field]
        for mark, row, differing in _marked(standing, versions, places, reported):
            rows.append((mark.value, *row))
            changed.append(frozenset(place + 1 for place in differing))
    return MasterTable(name, columns, tuple(rows), tuple(changed))


def _marked(
    standing: Sequence[Row], versions: Sequence[Row], places: Mapping[str, int], reported: Sequence[int]
) -> list[tuple[State, Row, frozenset[int]]]:
    """The rows of one month, in item, unit and version order, the carried one last."""
    item, unit, version = places["item_id"], places["unit_code"], places["version"]
    sha256, carried = places["source_sha256"], places["carried_forward"]

    def identity(row: Row) -> tuple[Field, ...]:
        return row[item], row[unit], row[version], row[sha256]

    current = {identity(row) for row in standing if not row[carried]}
    stands_in = {identity(row) for row in standing if row[carried]}
    newest: dict[tuple[Field, Field], int] = {}
    for row in versions:
        scope = row[item], row[unit]
        newest[scope] = max(newest.get(scope, 0), _number(row[version]))
    marked: list[tuple[State, Row, frozenset[int]]] = []
    before: Row | None = None
    for row in versions:
        if identity(row) in current:
            mark = State.CURRENT
        elif _number(row[version]) < newest[row[item], row[unit]]:
            mark = State.SUPERSEDED
        elif identity(row) in stands_in:
            mark = State.RETURNED_LATER
        else:
            mark = State.WITHDRAWN
        same = before is not None and (before[item], before[unit]) == (row[item], row[unit])
        differing = frozenset(p for p in reported if same and before is not None and before[p] != row[p])
        marked.append((mark, row, differing))
        before = row
    marked += [(State.CARRIED, row, frozenset()) for row in standing if row[carried]]
    marked.sort(key=lambda entry: _item_order(str(entry[1][item])))
    return marked


def _item_order(item_id: str) -> tuple[int, str]:
    """Item ids in their own order, beyond 99 too."""
    return len(item_id), item_id


def _number(value: Field) -> int:
    return value if isinstance(value, int) else 0


# --- plan and editions


def _plan_rows(seen: Seen, month: Month, columns: Sequence[ExportColumn]) -> list[Row]:
    """Every plan version of the year with its items, as registered."""
    with reading(seen.engine) as connection:
        versions = Plans.load(connection, seen.as_of).of_year(month.year)
    names = seen.registry.names
    rows: list[Row] = []
    for effective, plan in versions:
        for item in plan.items:
            known: dict[str, Field] = {
                "plan_version": plan.version,
                "effective_from": str(effective),
                "table": item.table,
                "item_id": item.item_id,
                "section": " / ".join(item.section) or None,
                "unit_code": item.unit_code,
                "unit_name": names.get(item.unit_code),
                "source_sheet": item.sheet,
                "source_row": item.row,
            }
            for column in PLAN_TABLES[item.table]:
                known[column.export_name] = export_value(column.field, item.values.get(column.field))
            known["item_name"] = known.get("item_name") or item.name
            known["seq"] = known.get("seq") or item.seq
            rows.append(tuple(known.get(column.name) for column in columns))
    return rows


def _edition_rows(seen: Seen, months: Sequence[Month]) -> list[Row]:
    with reading(seen.engine) as connection:
        editions = editions_between(connection, months[0], months[-1], seen.as_of)
    return [
        (
            str(edition.month),
            edition.number,
            moment_text(edition.at),
            edition.by,
            edition.plan_version,
            "; ".join(f"{name} {sha256}" for name, sha256 in sorted(edition.files.items())) or None,
        )
        for edition in editions
    ]


# --- Parquet


def parquet(table: MasterTable) -> bytes:
    """A table as Parquet. Types follow the declaration, not the rows: an empty month has the same
    ones. Money is decimal (万元), moments are timestamps in Asia/Shanghai. A column with a number
    that no decimal of 38 digits holds is text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays, fields = [], []
    for place, column in enumerate(table.columns):
        values = [row[place] for row in table.rows]
        name = type_of(column)
        kind, turn = _arrow(name if all(_fits(name, value) for value in values) else "text")
        arrays.append(pa.array([turn(value) for value in values], kind))
        fields.append(pa.field(column.name, kind, metadata={"meaning": column.meaning}))
    out = io.BytesIO()
    pq.write_table(pa.table(arrays, schema=pa.schema(fields)), out, compression="zstd")
    return out.getvalue()


def _arrow(kind: str) -> tuple[Any, Callable[[Field], Any]]:
    import pyarrow as pa

    match kind:
        case "money":
            return pa.decimal128(_PRECISION, _MONEY_SCALE), lambda value: _decimal(value, _MONEY_SCALE)
        case "number":
            return pa.decimal128(_PRECISION, _NUMBER_SCALE), lambda value: _decimal(value, _NUMBER_SCALE)
        case "integer":
            return pa.int64(), lambda value: value if isinstance(value, int) else None
        case "truth":
            return pa.bool_(), lambda value: value if isinstance(value, bool) else None
        case "moment":
            return pa.timestamp("s", tz="Asia/Shanghai"), _moment
        case _:
            return pa.string(), lambda value: None if value is None else _utf8(text_of(value))


def _fits(kind: str, value: Field) -> bool:
    scale = {"money": _MONEY_SCALE, "number": _NUMBER_SCALE}.get(kind)
    return scale is None or value is None or abs(Decimal(value)) < Decimal(10) ** (_PRECISION - scale - 1)


def _decimal(value: Field, scale: int) -> Decimal | None:
    """The value with as many digits as Parquet's column holds."""
    if value is None:
        return None
    with localcontext() as context:
        context.prec = 2 * _PRECISION
        return Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)


def _moment(value: Field) -> datetime | None:
    # in UTC: pandera sets PYARROW_IGNORE_TIMEZONE when it is imported, and Arrow then takes any clock
    # time, whatever its offset, for UTC
    return datetime.fromisoformat(str(value)).astimezone(UTC) if value else None


def _utf8(text: str) -> str:
    """Text as UTF-8 can hold it: a lone surrogate (from a garbled file name) becomes ``?``."""
    return text.encode("utf-8", "replace").decode("utf-8")
