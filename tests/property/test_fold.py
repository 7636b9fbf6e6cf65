"""For any sequence of receipts, corrections and re-runs: the ledger is the fold of the journal, and
as-of is the ledger as it stood."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.calendar import parse_moment
from ledger.home import Home
from ledger.recording import tables
from ledger.recording.database import reading
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import verify
from schemas.month import Month
from tests.fake_programme import N1, P1, P2, P3, REGISTRY, TOOLS, A, B, C, new_home, write_file, write_plan

MONTHS = [Month(2018, n) for n in (6, 7, 8)]
START = parse_moment("2018-07-01")
ITEMS = {A: ("projects", [P1, P2]), B: ("projects", [P3]), C: ("needs", [N1])}

rows = st.fixed_dictionaries(
    {"remarks": st.sampled_from([None, "退回", "说明"])},
    optional={"fiscal_paid_cum_fen": st.integers(0, 3)},
)


@st.composite
def books(draw: st.DrawFn) -> dict[str, Any]:
    unit = draw(st.sampled_from([A, B, C, None]))
    month = draw(st.sampled_from([*map(str, MONTHS), None]))
    key, items = ITEMS[unit or A]
    field = "fiscal_paid_cum_fen" if key == "projects" else "signed_amount_fen"
    part: Any = draw(
        st.one_of(st.just("零报告"), st.dictionaries(st.sampled_from(items), rows, max_size=len(items)))
    )
    if isinstance(part, dict):
        part = {
            item: {field if name == "fiscal_paid_cum_fen" else name: value for name, value in row.items()}
            for item, row in part.items()
        }
    return {"unit": unit, "month": month, "note": draw(st.sampled_from(["", "更正"])), key: part}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.lists(books(), min_size=1, max_size=4)),
        st.tuples(st.just("again"), st.integers(0, 9)),
        st.tuples(st.just("run"), st.none()),
        st.tuples(st.just("plan"), st.sampled_from([[], [P2]])),
    ),
    min_size=1,
    max_size=8,
)


def all_rows(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    with reading(ledger.engine) as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in tables.metadata.sorted_tables
        }


def all_exports(ledger: Ledger, as_of: datetime | None = None) -> list[Any]:
    names = ("projects", "needs", "submissions", "findings", "corrections")
    return [export(ledger, month, name, as_of=as_of) for month in MONTHS for name in names]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_ledger_is_the_fold_of_the_journal(todo: list[tuple[str, Any]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="fold-"))
    try:
        _play(new_home(folder / "home"), folder, todo)
    finally:
        shutil.rmtree(folder)


def _play(home: Home, folder: Path, todo: list[tuple[str, Any]]) -> None:
    sent: list[Path] = []
    stood: list[tuple[datetime, list[Any]]] = []
    moment = START
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        for kind, what in [*todo, ("run", None)]:
            moment += timedelta(hours=7)
            if kind == "receive":
                new = [
                    write_file(folder / f"{len(sent) + n}.json", book.pop("unit"), book.pop("month"), **book)
                    for n, book in enumerate([dict(one) for one in what])
                ]
                sent += new
                ledger.receive(new, moment)
            elif kind == "again":
                ledger.receive(sent[what : what + 1], moment)
            elif kind == "plan":
                ledger.register_plan(write_plan(folder, drop=what), 2018, START)
            else:
                ledger.catch_up()
                assert ledger.catch_up() == []
                stood.append((moment, all_exports(ledger)))
        last_plan = max((n for n, (kind, _) in enumerate(todo) if kind == "plan"), default=-1)
        runs = [n for n, (kind, _) in enumerate([*todo, ("run", None)]) if kind == "run"]
        for (as_of, exports), place in zip(stood, runs, strict=True):
            if place > last_plan:
                assert all_exports(ledger, as_of) == exports
        _chains_are_whole(ledger)
        kept = all_rows(ledger)
    assert verify(home, REGISTRY, tools=TOOLS).differences == []
    shutil.rmtree(home.processed)
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        ledger.catch_up()
        assert all_rows(ledger) == kept


def _chains_are_whole(ledger: Ledger) -> None:
    """Versions count 1, 2, 3 …; what was accepted is in a version, a mark, or never was."""
    rows = all_rows(ledger)
    chains: dict[tuple[Any, ...], list[int]] = {}
    for month, unit, table, version, *_ in rows["table_versions"]:
        chains.setdefault((month, unit, table), []).append(version)
    assert all(sorted(chain) == list(range(1, len(chain) + 1)) for chain in chains.values())
    for key in ("projects", "needs"):
        for month, item, unit, version, *_ in rows[f"{key}_rows"]:
            assert version in chains[month, unit, key], item
