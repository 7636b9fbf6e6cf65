"""What is frozen stays: whatever comes in later, with whatever time of receipt, and whatever plan."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.recording.cursor import load_cursor
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.moments import Frozen
from schemas.exports import EXPORTS
from schemas.month import Month
from tests.fake_programme import P2, P3, REGISTRY, TOOLS, new_home, write_file, write_plan
from tests.property.test_fold import MONTHS, START, books

steps = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.tuples(st.lists(books(), min_size=1, max_size=3), st.integers(0, 900))),
        st.tuples(st.just("plan"), st.tuples(st.sampled_from([[], [P2], [P3]]), st.sampled_from([None, *MONTHS]))),
        st.tuples(st.just("freeze"), st.none()),
    ),
    min_size=2,
    max_size=7,
)  # fmt: skip


def everything(ledger: Ledger, as_of: Frozen | None) -> list[Any]:
    """All exports of all months and all views, less the moment they were taken at."""
    told: list[Any] = [export(ledger, month, name, as_of=as_of) for month in MONTHS for name in EXPORTS]
    for view in ledger.views_until(Month(2018, 8), as_of):
        told.append([view.plan, view.rows, view.submissions, view.findings, view.corrections])
        told.append([view.standings, view.editions])
    return told


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_the_frozen_ledger_is_the_ledger_as_it_stood(todo: Sequence[tuple[str, Any]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="frozen-"))
    try:
        stood: list[tuple[Frozen, list[Any]]] = []
        sent = 0
        with Ledger.open(new_home(folder / "home"), REGISTRY, tools=TOOLS) as ledger:
            ledger.register_plan(write_plan(folder), 2018, START)
            for kind, what in [*todo, ("freeze", None)]:
                if kind == "receive":
                    given_books, hours = what
                    for book in [dict(one) for one in given_books]:
                        sent += 1
                        file = write_file(
                            folder / f"{sent}.json", book.pop("unit"), book.pop("month"), **book
                        )
                        ledger.receive([file], START + timedelta(hours=hours))
                elif kind == "plan":
                    ledger.register_plan(write_plan(folder, drop=what[0]), 2018, START, what[1])
                else:
                    ledger.catch_up()
                    frozen = Frozen(load_cursor(ledger.engine).seq, START)
                    stood.append((frozen, everything(ledger, None)))
            for frozen, told in stood:
                assert everything(ledger, frozen) == told
    finally:
        shutil.rmtree(folder)
