"""The report model as one self-contained HTML page: the paper's source and the screen's edition.

Everything a unit wrote passes autoescape; undefined names fail. Nothing is fetched: style sheets
are put inside, charts are inline SVG.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ledger.calendar import SHANGHAI
from ledger.home import CHECKOUT
from ledger.reporting import charts, figures
from ledger.reporting.brief import Brief
from ledger.reporting.model import CountyReport
from ledger.reporting.rollup_model import RollUp
from ledger.reporting.texts import abridged, clip, stop
from ledger.reporting.unit_model import UnitReport
from schemas.columns import NEED_STATUSES
from schemas.month import Month, PartialDate

_TEMPLATES = CHECKOUT / "templates" / "report"
_FRACTION = re.compile(r"(（[\d.]+)/([\d.]+）)")
#: With its brackets; a shorter fraction moves to the next line as a whole.
_LONG_FRACTION = 11
#: From this many characters on a figure is set smaller.
_LONG = 8
_LIGHT_NAMES = {"red": "红", "yellow": "黄", "green": "绿", "": ""}


def day_text(day: date) -> str:
    """2018年10月8日."""
    return f"{day.year}年{day.month}月{day.day}日"


def moment_text(moment: datetime | None) -> str:
    """10月3日 10:00, Asia/Shanghai; None → —."""
    if moment is None:
        return figures.BLANK
    local = moment.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def date_text(day: PartialDate | None) -> str:
    """A reported date in a table: 2018.6.20 or 2018.6; None → —."""
    if day is None:
        return figures.BLANK
    parts = [day.year, day.month] + ([day.day] if day.day is not None else [])
    return ".".join(str(part) for part in parts)


def month_text(month: Month | None) -> str:
    """2018年5月; None → —."""
    return figures.BLANK if month is None else month.chinese


def or_blank(text: str) -> str:
    """`text`, or the mark for "not reported"."""
    return text or figures.BLANK


def breakable(text: str) -> Markup:
    """`text` escaped, with places to break a line before and in a rate's fraction: without them
    ``62.9%（1100.6/1750）`` is one word and tears a justified line apart."""
    broken = str(escape(text)).replace("%（", "%<wbr>（")
    return Markup(_FRACTION.sub(_parted, broken))  # noqa: S704  escaped just here


def _parted(found: re.Match[str]) -> str:
    """A rate's fraction, with a place to break it where it is long: （8/8） stays together."""
    return f"{found[1]}/<wbr>{found[2]}" if len(found[0]) >= _LONG_FRACTION else found[0]


def fit(figure: str) -> Markup:
    """A figure in a narrow column: smaller from eight characters on, so that it stays inside."""
    text = escape(figure)
    return Markup('<span class="tight">{}</span>').format(text) if len(figure) >= _LONG else text


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        wan=figures.wan,
        points=figures.points,
        percent=figures.percent,
        number=figures.number,
        signed=figures.signed,
        signed_wan=figures.signed_wan,
        day=day_text,
        moment=moment_text,
        date=date_text,
        month=month_text,
        clip=clip,
        abridged=abridged,
        or_blank=or_blank,
        short=figures.month_short,
        expected=figures.expected,
        breakable=breakable,
        fit=fit,
        stop=stop,
    )
    environment.globals.update(
        section_bars=charts.section_bars,
        money_lines=charts.money_lines,
        shapes=charts.SHAPES,
        light_names=_LIGHT_NAMES,
        need_statuses=NEED_STATUSES,
        change=figures.difference,
    )
    return environment


@cache
def _style(name: str) -> Markup:
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704  our own style sheet


def template_files() -> tuple[Path, ...]:
    """The files a page is made of, in order: what a cache key of the report must include."""
    return tuple(sorted(path for path in _TEMPLATES.iterdir() if path.is_file()))


def county_html(report: CountyReport) -> str:
    """The county report as HTML: the same text for the same report."""
    template = _environment().get_template("county.html.j2")
    return template.render(r=report, w=report.words, styles=(_style("paper.css"), _style("report.css")))


def unit_html(report: UnitReport) -> str:
    """A unit's own report as HTML, self-contained like the county's."""
    return _edition("unit.html.j2", r=report, c=report.county, w=report.county.words)


def brief_html(brief: Brief) -> str:
    """The one-page brief as HTML, self-contained like the county's."""
    return _edition("brief.html.j2", b=brief, r=brief.county, w=brief.county.words)


def rollup_html(rollup: RollUp) -> str:
    """An area's roll-up as HTML, self-contained like the county's report."""
    styles = (_style("paper.css"), _style("report.css"), _style("edition.css"), _style("rollup.css"))
    return _environment().get_template("rollup.html.j2").render(r=rollup, w=rollup.words, styles=styles)


def _edition(name: str, **given: object) -> str:
    styles = (_style("paper.css"), _style("report.css"), _style("edition.css"))
    return _environment().get_template(name).render(styles=styles, **given)


def title_of(report: CountyReport) -> str:
    """The document's title: masthead and issue, as the PDF's metadata have it."""
    return f"{report.words.masthead} {report.month.year}年第{report.issue}期"
