"""The findings on record: those of a submission's newest check, and those that a later check of
the same file, against corrected earlier months, no longer has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.recording import tables
from ledger.recording.codec import finding_fields, finding_from
from ledger.recording.moments import AsOf, known
from schemas.finding import Finding

_FIELDS = tuple(
    column.name for column in tables.findings.c if column.name not in ("submission_id", "check_seq", "place")
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finding, whether the newest check of its submission still has it, and that check's event."""

    finding: Finding
    current: bool
    newest_check: int


def check_rows(
    submission_id: int, check_seq: int, moment: datetime, found: Sequence[Finding]
) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
    """The rows of one check: itself, and its findings in the order of mending."""
    check = {"submission_id": submission_id, "check_seq": check_seq, "received_at": moment}
    lines = [
        {
            "submission_id": submission_id,
            "check_seq": check_seq,
            "place": place,
            **finding_fields(one),
            "difference": one.difference,
        }
        for place, one in enumerate(found)
    ]
    return [(tables.checks, [check]), (tables.findings, lines)]


def recorded(
    connection: Connection, submissions: Collection[int], as_of: AsOf = None
) -> dict[int, list[Recorded]]:
    """The findings of submissions as of a moment: the newest check's first, then outdated ones."""
    checks, found = tables.checks, tables.findings
    wanted = set(submissions)
    if not wanted:
        return {}
    query = (
        sa.select(checks.c.submission_id, checks.c.check_seq)
        .where(checks.c.submission_id.between(min(wanted), max(wanted)))
        .order_by(checks.c.check_seq)
    )
    query = known(query, checks.c.received_at, checks.c.check_seq, as_of)
    made: dict[int, list[int]] = {}
    for line in connection.execute(query):
        if line.submission_id in wanted:
            made.setdefault(line.submission_id, []).append(line.check_seq)
    by_check: dict[tuple[int, int], list[Finding]] = {}
    lines = connection.execute(
        sa.select(found)
        .where(found.c.submission_id.between(min(wanted), max(wanted)))
        .order_by(found.c.submission_id, found.c.check_seq, found.c.place)
    ).mappings()
    for stored in lines:
        if stored["submission_id"] in wanted:
            place = (stored["submission_id"], stored["check_seq"])
            by_check.setdefault(place, []).append(finding_from({name: stored[name] for name in _FIELDS}))
    result: dict[int, list[Recorded]] = {}
    for number, sequence in made.items():
        newest = by_check.get((number, sequence[-1]), [])
        told = set(newest)
        outdated = []
        for check in sequence[:-1]:
            for one in by_check.get((number, check), []):
                if one not in told:
                    told.add(one)
                    outdated.append(one)
        last = sequence[-1]
        result[number] = [
            *(Recorded(one, True, last) for one in newest),
            *(Recorded(one, False, last) for one in outdated),
        ]
    return result
