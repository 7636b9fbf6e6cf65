"""The frames: derived from the tables, one call a batch, faults told from findings."""

from __future__ import annotations

import pandas as pd
import pytest

from ledger.checking import frames as building
from ledger.checking.places import Row
from ledger.checking.submission import check_batch
from schemas import frames
from schemas.tables import TABLES
from tests.rows import AUGUST, WATER, check, context, line, raised, read_table, submission


@pytest.mark.parametrize("key", TABLES)
def test_the_schema_has_each_typed_column_and_each_test(key: str) -> None:
    schema = frames.schema(key)
    assert list(schema.columns) == [*frames.typed_columns(TABLES[key]), *frames.tests(key)]
    assert schema.strict
    assert not schema.coerce
    assert not any(column.coerce for column in schema.columns.values())


@pytest.mark.parametrize("key", TABLES)
def test_tests_speak_of_the_tables_own_columns(key: str) -> None:
    for test in frames.tests(key).values():
        assert test.field in TABLES[key].by_field


def test_a_value_of_another_kind_is_a_fault_not_a_finding() -> None:
    row = line("projects")
    row.values["invested_cum_fen"] = row.values["invested_cum_fen"]._replace(value="text")
    with pytest.raises((TypeError, ValueError)):
        building.check_rows([Row(TABLES["projects"], "表1", row, WATER)], "projects")


def test_a_frame_that_does_not_fit_its_schema_is_a_fault() -> None:
    cases = pd.DataFrame({"column": ["x"], "check": ["dtype"], "index": [None], "failure_case": ["object"]})
    with pytest.raises(TypeError, match="does not fit"):
        list(building._failures(cases))


def test_what_reading_let_pass_the_schema_still_refuses() -> None:
    table = read_table("projects", line("projects", status="施工中", progress_pct=101))
    found = dict(raised(check(submission(table), context(WATER))))
    assert set(found) == {"C05", "C03"}


def test_a_batch_says_what_each_file_says_alone() -> None:
    files = [
        submission(read_table("projects", line("projects", **figures)), month=AUGUST)
        for figures in ({}, {"fiscal_paid_cum": 51}, {"start_actual": None}, {"seq": 9}, {})
    ]
    against = context(WATER)
    together = check_batch([(given, against) for given in files])
    assert [c.findings for c in together] == [check(given, against).findings for given in files]
    assert [c.submission for c in together] == files


def test_an_empty_batch_and_an_empty_file() -> None:
    assert check_batch([]) == []
    assert check(submission(), context(WATER)).verdict == "returned"
