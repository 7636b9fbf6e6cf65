"""docs/dictionary.md is what the declarations say, and it leaves nothing out."""

from __future__ import annotations

from schemas.dictionary import PATH, dictionary
from schemas.exports import EXPORTS
from schemas.finding import rules
from schemas.tables import PLAN_TABLES, TABLES


def test_the_committed_page_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == dictionary(), "run: python -m schemas.dictionary"


def test_every_column_export_and_rule_is_on_the_page() -> None:
    page = dictionary()
    for table in (*TABLES.values(), *PLAN_TABLES.values()):
        for column in table:
            assert f"| {column.title} |" in page
    for columns in EXPORTS.values():
        assert all(f"| `{column.name}` |" in page for column in columns)
    assert all(f"| {code} | {rule.title} |" in page for code, rule in rules().items())
