"""The ledger's tables (SQLAlchemy Core), one schema for SQLite and PostgreSQL.

Every table is append-only: versions and withdrawals are rows, and triggers refuse UPDATE and
DELETE on both databases, and on SQLite the INSERT OR REPLACE that amounts to both. What is
"current", "open" or "superseded" is computed when it is read.
The value columns of the item tables come from schemas.tables; change SCHEMA_VERSION with any of
it, and older ledger files are rebuilt from the journal.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, BigInteger, Boolean, Column, Index, Integer, MetaData, Table, event
from sqlalchemy.types import TypeEngine

from ledger.recording.column_types import DateText, Exact, Moment, MonthText, Words
from schemas.columns import Kind
from schemas.tables import TABLES

SCHEMA_VERSION = 6

#: What a money column can hold, in 分; nothing a county reports comes near it.
LARGEST_FEN = 2**63 - 1


_TYPES: dict[Kind, type[TypeEngine[Any]]] = {
    Kind.TEXT: Words,
    Kind.SEQUENCE: BigInteger,
    Kind.MONEY: BigInteger,
    Kind.PERCENT: Exact,
    Kind.COUNT: Exact,
    Kind.QUANTITY: Exact,
    Kind.DATE: DateText,
    Kind.CHOICE: Words,
}

metadata = MetaData()

meta = Table("meta", metadata, Column("key", Words, primary_key=True), Column("value", Words, nullable=False))

#: The fold's own record: which event was applied when, what became of it, and the digest of all
#: rows so far. A receipt put off for want of a plan stands here twice.
events_applied = Table(
    "events_applied",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("event_sha256", Words, nullable=False),
    Column("digest", Words, nullable=False),
)

plan_versions = Table(
    "plan_versions",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("event_seq", Integer, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("file_name", Words, nullable=False),
    Column("registered_at", Moment, nullable=False),
    Column("effective_from", MonthText, nullable=False),
    Column("plan", Words, nullable=False),
)

#: Every receipt, whatever became of it. `folder` is the drop folder's month, blank for `receive`.
receipts = Table(
    "receipts",
    metadata,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("sha256", Words, nullable=False, index=True),
    Column("ext", Words, nullable=False),
    Column("file_name", Words, nullable=False),
    Column("folder", MonthText),
    Column("received_at", Moment, nullable=False),
)

#: Receipts that wait for the plan of `year`.
put_off = Table(
    "put_off",
    metadata,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("year", Integer, nullable=False),
)

#: Every receipt that was read and checked. `submission_id` is its event's number. `repeated` marks
#: one that is identical to what stands: it changes nothing (F08).
submissions = Table(
    "submissions",
    metadata,
    Column("submission_id", Integer, primary_key=True, autoincrement=False),
    Column("sha256", Words, nullable=False),
    Column("ext", Words, nullable=False),
    Column("file_name", Words, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("month", MonthText, nullable=False),
    Column("unit_code", Words, nullable=False),
    Column("verdict", Words, nullable=False),
    Column("repeated", Boolean, nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("cover", Words, nullable=False),
    Index("submissions_by_month", "month", "unit_code"),
)

#: One line per (file, table). `version` is what stands of the table once the file is recorded,
#: blank where nothing of the file does.
submission_tables = Table(
    "submission_tables",
    metadata,
    Column("submission_id", Integer, primary_key=True, autoincrement=False),
    Column("table_key", Words, primary_key=True),
    Column("sheet", Words, nullable=False),
    Column("header_cells", Words, nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_accepted", Integer, nullable=False),
    Column("rows_returned", Integer, nullable=False),
    Column("nil_report", Boolean, nullable=False),
    Column("verdict", Words, nullable=False),
    Column("version", Integer),
)

#: One chain for (unit, month, table): 1, 2, 3 …
table_versions = Table(
    "table_versions",
    metadata,
    Column("month", MonthText, primary_key=True),
    Column("unit_code", Words, primary_key=True),
    Column("table_key", Words, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("submission_id", Integer, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("nil_report", Boolean, nullable=False),
)


def _item_table(key: str) -> Table:
    """The rows of one submitted table: its scope and version, its reported columns, their cells."""
    return Table(
        f"{key}_rows",
        metadata,
        Column("month", MonthText, primary_key=True),
        Column("item_id", Words, primary_key=True),
        Column("unit_code", Words, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("submission_id", Integer, nullable=False),
        Column("source_sheet", Words, nullable=False),
        Column("source_row", Integer, nullable=False),
        *(Column(column.field, _TYPES[column.kind]) for column in TABLES[key].reported),
        Column("provenance", Words, nullable=False),
        Index(f"{key}_by_unit", "month", "unit_code"),
        Index(f"{key}_by_item", "item_id", "month"),
    )


item_tables: dict[str, Table] = {key: _item_table(key) for key in TABLES}

#: What is not in a version: `mark` is ``withdrawn`` (it was in the version before) or ``returned``
#: (sent, with errors).
row_marks = Table(
    "row_marks",
    metadata,
    Column("month", MonthText, primary_key=True),
    Column("unit_code", Words, primary_key=True),
    Column("table_key", Words, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("item_id", Words, primary_key=True),
    Column("mark", Words, nullable=False),
)

#: Each check of a submission. `check_seq` is the event that caused it: the receipt itself, or a later
#: one that changed an earlier month or adjusted the plan, with that event's time; the newest counts.
checks = Table(
    "checks",
    metadata,
    Column("submission_id", Integer, primary_key=True, autoincrement=False),
    Column("check_seq", Integer, primary_key=True, autoincrement=False),
    Column("received_at", Moment, nullable=False),
)

#: The findings of each check, in the order of mending.
findings = Table(
    "findings",
    metadata,
    Column("submission_id", Integer, primary_key=True, autoincrement=False),
    Column("check_seq", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("rule", Words, nullable=False),
    Column("severity", Words, nullable=False),
    Column("scope", Words, nullable=False),
    Column("effect", Words, nullable=False),
    Column("message", Words, nullable=False),
    Column("remedy", Words, nullable=False),
    Column("file", Words, nullable=False),
    Column("sheet", Words),
    Column("cell", Words),
    Column("row", Integer),
    Column("column", Words),
    Column("item", Words),
    Column("value", Words),
    Column("expected", Words),
    Column("difference", Exact),
    Column("table", Words),
)

#: Accepted figures changed by a later submission; `old` and `new` as in codec.encode_value.
corrections = Table(
    "corrections",
    metadata,
    Column("submission_id", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("month", MonthText, nullable=False),
    Column("unit_code", Words, nullable=False),
    Column("table_key", Words, nullable=False),
    Column("item_id", Words, nullable=False),
    Column("field", Words, nullable=False),
    Column("old", Words, nullable=False),
    Column("new", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Index("corrections_by_month", "month"),
)

#: Approvals, editions and deliveries, as their events have them.
outgoing = Table(
    "outgoing",
    metadata,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", Words, nullable=False),
    Column("month", MonthText),
    Column("at", Moment, nullable=False),
    Column("payload", Words, nullable=False),
    Index("outgoing_by_month", "month"),
)

#: Issued editions. `upto` is the last event an edition holds, `registry` and `files` the SHA-256 of
#: the registry it was set with and of what was issued, by name. A number stands here again where
#: the edition before it was withdrawn.
editions = Table(
    "editions",
    metadata,
    Column("month", MonthText, primary_key=True),
    Column("edition", Integer, primary_key=True, autoincrement=False),
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", Words, nullable=False),
    Column("upto", Integer, nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("registry", Words, nullable=False),
    Column("files", Words, nullable=False),
)

#: Approvals taken back. `edition_seq` is the event that issued the edition, blank where it was
#: approved and not issued yet.
withdrawn_editions = Table(
    "withdrawn_editions",
    metadata,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("month", MonthText, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("edition_seq", Integer),
    Column("at", Moment, nullable=False),
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Index("withdrawn_by_month", "month"),
)

#: What became of each mail, a row an event; the last row of a message is its state. `kind` is
#: edition, forms, return or reminder; `day` that of a return or reminder; `about` the SHA-256 of the
#: submissions a return is about, with the event of a later check that it tells of; `address` where
#: it goes, from this row on.
deliveries = Table(
    "deliveries",
    metadata,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("message_id", Words, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("month", MonthText, nullable=False),
    Column("kind", Words, nullable=False),
    Column("edition", Integer),
    Column("day", Words),
    Column("unit_code", Words),
    Column("recipient_key", Words, nullable=False),
    Column("recipient_name", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("about", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Index("deliveries_by_month", "month"),
)


def _ddl(text: str, dialect: str) -> Any:
    return DDL(text).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]


def _refuse_changes() -> None:
    """Attach the triggers that make every table append-only, on both databases."""
    event.listen(
        metadata,
        "before_create",
        _ddl(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only: %%', TG_TABLE_NAME; END $$",
            "postgresql",
        ),
    )
    for table in metadata.sorted_tables:
        for action in ("update", "delete"):
            event.listen(
                table,
                "after_create",
                _ddl(
                    f"CREATE TRIGGER no_{action}_{table.name} BEFORE {action.upper()} ON {table.name} "
                    f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table.name}'); END",
                    "sqlite",
                ),
            )
        # a row that INSERT OR REPLACE takes away fires no trigger of DELETE
        key = " AND ".join(f'"{column.name}" = NEW."{column.name}"' for column in table.primary_key)
        known = f"EXISTS (SELECT 1 FROM {table.name} WHERE {key})"  # noqa: S608 (names of our own)
        event.listen(
            table,
            "after_create",
            _ddl(
                f"CREATE TRIGGER no_replace_{table.name} BEFORE INSERT ON {table.name} WHEN {known} "
                f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table.name}'); END",
                "sqlite",
            ),
        )
        event.listen(
            table,
            "after_create",
            _ddl(
                f"CREATE TRIGGER append_only_{table.name} BEFORE UPDATE OR DELETE OR TRUNCATE "
                f"ON {table.name} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
                "postgresql",
            ),
        )


_refuse_changes()
