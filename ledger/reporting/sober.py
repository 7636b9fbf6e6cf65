"""A report without the units' own words: what is printed where they can't be set.

The figures, the states and our own sentences stay. Used when the typesetter was stopped over a
document; the words themselves are in the ledger and in the data workbook.
"""

from __future__ import annotations

from dataclasses import replace

from ledger.reporting.model import CountyReport

_INSTEAD = "（文字未能排印，见数据工作簿）"


def _mute(text: str) -> str:
    return _INSTEAD if text else ""


def without_words(report: CountyReport) -> CountyReport:
    """The same report, each free text of a unit replaced by a note; paragraphs that quote them go."""
    projects = tuple(
        replace(
            line,
            problems=_mute(line.problems),
            measures=_mute(line.measures),
            remarks=_mute(line.remarks),
            paragraph=_INSTEAD if line.problems or line.measures or line.remarks else line.paragraph,
        )
        for line in report.projects
    )
    needs = tuple(
        replace(
            line,
            partner=_mute(line.partner),
            month_progress=_mute(line.month_progress),
            remarks=_mute(line.remarks),
        )
        for line in report.needs
    )
    indicators = tuple(
        replace(line, evidence=_mute(line.evidence), remarks=_mute(line.remarks))
        for line in report.indicators
    )
    return replace(
        report,
        projects=projects,
        needs=needs,
        needs_news=tuple(_INSTEAD for _ in report.needs_news[:1]),
        indicators=indicators,
        returns=tuple(replace(line, file="", message=_mute(line.message)) for line in report.returns),
        corrections=tuple(
            replace(line, old=line.old[:12], new=line.new[:12], reason=_mute(line.reason))
            for line in report.corrections
        ),
        correction_notes=report.correction_notes and (f"更正{len(report.corrections)}处，见第七部分。",),
    )
