"""The report as data: frozen, without layout, the same for the same ledger.

Amounts are int 分, percentages and quantities Decimal, months `Month`; None = not reported.
Sentences stand in it ready composed (ledger.reporting.sentences): what is printed can be tested
without rendering anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ledger.reporting.rates import Funds, Rate, together
from schemas.month import Month, PartialDate

#: CONTRACT §5: the lights, gravest first. None is shown where there is nothing to judge by.
LIGHTS = ("red", "yellow", "green")


@dataclass(frozen=True, slots=True)
class Words:
    """The programme's own words, from the registry."""

    programme: str
    county: str
    partner: str
    document_number: str
    masthead: str
    issuer: str
    title: str
    addressees: str
    report_to: tuple[str, ...]
    send_to: tuple[str, ...]
    distribute_to: tuple[str, ...]
    copies: int
    sample_notice: str


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One card of page one: name, figure and unit, what it is made of, change on last month.

    `good` says which way is better for the change's colour; None = neither.
    """

    name: str
    figure: str
    unit: str
    detail: str
    change: str
    good: bool | None


@dataclass(frozen=True, slots=True)
class Lights:
    """How many projects show which light; `unknown` were never reported or have no window."""

    red: int = 0
    yellow: int = 0
    green: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Late:
    """Why a project is red: what for, by how much. `days` counts to the end of the month."""

    kind: str
    text: str
    days: int | None


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """One project of annex 1 with what was reported for the month.

    `reported_month` is None where the project was never reported, another month where its figures
    are carried forward. `marks` names the fields to which an open discrepancy belongs and its
    number in 存疑事项 ('' = the row).
    """

    item_id: str
    seq: int
    name: str
    place: str
    scale: str
    benefit: str
    section: tuple[str, ...]
    unit_code: str
    unit_name: str
    lead_unit: str
    total_investment: int | None
    funds_total: int | None
    fiscal: Funds
    own: Funds
    window_start: Month | None
    window_end: Month | None
    window_pct: Decimal | None
    reported_month: Month | None
    carried_forward: bool
    status: str
    status_before: str
    progress: Decimal | None
    progress_before: Decimal | None
    light: str
    light_before: str
    late: Late | None
    started: PartialDate | None
    finished: PartialDate | None
    accepted: PartialDate | None
    invested: int | None
    fiscal_paid_month: int | None
    own_paid_month: int | None
    households: Decimal | None
    persons: Decimal | None
    problems: str
    measures: str
    remarks: str
    marks: tuple[tuple[str, int], ...]
    paragraph: str

    @property
    def funds(self) -> Funds:
        """Both sources together, where the plan or the report states any."""
        return together((self.fiscal, self.own))


@dataclass(frozen=True, slots=True)
class NeedLine:
    """One need of annex 2 with what was reported for the month."""

    item_id: str
    seq: int
    name: str
    place: str
    scale: str
    period: str
    category: str
    unit_code: str
    unit_name: str
    total_investment: int | None
    funds_total: int | None
    enterprise_planned: int | None
    own_planned: int | None
    reported_month: Month | None
    carried_forward: bool
    status: str
    status_before: str
    partner: str
    signed: int | None
    enterprise_received: int | None
    own_received: int | None
    month_progress: str
    remarks: str
    marks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class IndicatorLine:
    """One indicator: target, done, rate, and what the year's end would show at this pace."""

    item_id: str
    seq: int
    name: str
    unit_of_measure: str
    target: Decimal | None
    unit_code: str
    unit_name: str
    responsible: str
    reported_month: Month | None
    carried_forward: bool
    done_month: Decimal | None
    done: Decimal | None
    done_before: Decimal | None
    rate: Decimal | None
    expected: Decimal | None
    on_time: bool | None
    evidence: str
    remarks: str
    marks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class TotalLine:
    """A 小计 or 合计 row of an annex: as the plan states it, and what the reported rows give."""

    label: str
    section: tuple[str, ...]
    count: int | None
    stated: tuple[tuple[str, int | None], ...]
    marks: tuple[tuple[str, int], ...]
    fiscal: Funds
    own: Funds
    invested: int | None
    signed: int | None
    progress: Decimal | None
    window_pct: Decimal | None

    @property
    def funds(self) -> Funds:
        """Both sources together."""
        return together((self.fiscal, self.own))

    def planned(self, field: str) -> int | None:
        """The figure the plan states for `field`, None where it states none."""
        return dict(self.stated).get(field)


@dataclass(frozen=True, slots=True)
class AnnexRow:
    """A row of an annex as printed: `kind` is section, total or item; `index` points into the
    report's projects or needs, or into the annex's totals."""

    kind: str
    text: str
    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Annex:
    """An annex: its rows in the plan's order and the 小计/合计 rows they point to."""

    title: str
    rows: tuple[AnnexRow, ...]
    totals: tuple[TotalLine, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the plan: its projects together.

    `path` are the headings without numbering, `name` the last of them. Progress and window are
    plain means over the projects that have them.
    """

    name: str
    path: tuple[str, ...]
    count: int
    progress: Decimal | None
    progress_before: Decimal | None
    window_pct: Decimal | None
    light: str
    lights: Lights
    fiscal: Funds
    own: Funds
    projects: tuple[int, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Category:
    """The needs of one 类别 together; `statuses` counts them by 对接状态, in its order."""

    name: str
    count: int
    funds_total: int | None
    statuses: tuple[tuple[str, int], ...]
    unreported: int
    signed: int | None
    enterprise_received: int | None
    own_received: int | None


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One reporting unit: its projects' standing and its reporting.

    `state` is the ledger's (missing, received, returned, in_part, accepted, nil), `state_text`
    what is printed (按时, 迟报2天, 未报 …), `grave` that it is to be coloured.
    """

    code: str
    name: str
    items: int
    projects: int
    progress: Decimal | None
    progress_change: Decimal | None
    fiscal: Funds
    lights: Lights
    state: str
    state_text: str
    grave: bool
    timely: bool | None
    days_late: int | None
    first_received_at: datetime | None
    first_accepted_at: datetime | None
    version: int
    errors: int
    warnings: int
    carried: int
    unreported: int


@dataclass(frozen=True, slots=True)
class MonthPoint:
    """One month of the money chart; `scheduled` is what the windows would have paid by then."""

    month: Month
    scheduled: int | None
    received: int | None
    paid: int | None


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Something returned to a unit this month: where, and why."""

    unit_name: str
    file: str
    place: str
    rule: str
    message: str
    effect: str

    @property
    def text(self) -> str:
        """Place and message, the place once."""
        opens = self.message.replace(" ", "").startswith(self.place.replace(" ", ""))
        known = opens or not self.place or self.place.split(" ")[0] in self.message
        return self.message if known else f"{self.place}：{self.message}"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """An open discrepancy of the plan, numbered as in 存疑事项; `brief` is page one's wording."""

    number: int
    rule: str
    grave: bool
    sheet: str
    cell: str
    item: str
    brief: str
    message: str
    remedy: str

    @property
    def place(self) -> str:
        """Sheet and cell, as the message names them."""
        return f"{self.sheet} {self.cell}".strip()

    @property
    def text(self) -> str:
        """The message without the place it opens with."""
        return self.message.removeprefix(self.place).lstrip("：: ")


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """An accepted figure changed by a later submission, in words."""

    month: Month
    item_id: str
    item_name: str
    column: str
    old: str
    new: str
    unit_name: str
    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Benefit:
    """受益贫困户 and 受益贫困人口 as reported."""

    households: Decimal | None
    persons: Decimal | None
    persons_before: Decimal | None


@dataclass(frozen=True, slots=True)
class CountyReport:
    """The county's report for one month, as of one moment (None = the ledger's latest).

    `signatory` is who approved the edition (签发人), '' in a draft.
    """

    words: Words
    month: Month
    plan_year: int
    plan_version: int
    issue: int
    edition: int
    draft: bool
    as_of: datetime | None
    day: date
    deadline: datetime | None
    time_progress: Decimal
    first: bool
    conclusion: str
    key_figures: tuple[KeyFigure, ...]
    fiscal: Funds
    own: Funds
    fiscal_before: Funds | None
    started: Rate
    finished: Rate
    accepted: Rate
    progress: Decimal | None
    progress_before: Decimal | None
    window_pct: Decimal | None
    lights: Lights
    lights_before: Lights | None
    benefit: Benefit
    sections: tuple[Section, ...]
    units: tuple[UnitLine, ...]
    units_in_order: tuple[UnitLine, ...]
    red: tuple[int, ...]
    money: tuple[MonthPoint, ...]
    quality: tuple[str, ...]
    quality_brief: str
    correction_notes: tuple[str, ...]
    matters: tuple[str, ...]
    overview: tuple[str, ...]
    projects_intro: tuple[str, ...]
    projects: tuple[ProjectLine, ...]
    needs_intro: tuple[str, ...]
    needs_news: tuple[str, ...]
    categories: tuple[Category, ...]
    needs: tuple[NeedLine, ...]
    indicators_intro: tuple[str, ...]
    indicators: tuple[IndicatorLine, ...]
    reporting: tuple[str, ...]
    returns: tuple[ReturnLine, ...]
    discrepancies: tuple[Discrepancy, ...]
    discrepancies_intro: str
    corrections: tuple[CorrectionLine, ...]
    corrections_intro: str
    annex1: Annex
    annex2: Annex
    signatory: str = ""
