"""The report's charts: small hand-written SVG, colour and shape together, readable in black and white.

Text inside is escaped here; nothing a unit wrote reaches an attribute. Sizes are in tenths of a
millimetre of paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from markupsafe import Markup, escape

from ledger.reporting import figures
from ledger.reporting.model import MonthPoint, Section
from ledger.reporting.texts import abridged
from schemas.money import FEN_PER_WAN

COLOURS = {"red": "#c00000", "yellow": "#e08e00", "green": "#2e7d32", "": "#7f7f7f"}
SHAPES = {"red": "●", "yellow": "▲", "green": "■", "": "○"}
_FONT = "Ledger Hei, Noto Sans CJK SC, Microsoft YaHei, SimHei, sans-serif"
_INK, _GREY, _TRACK = "#222222", "#666666", "#e9e9e9"
_RECEIVED, _PAID = "#1f4e79", "#c00000"
_TEXT = 30
_LABEL_CHARS = 7


def _n(value: float | Decimal) -> str:
    """A coordinate with at most one digit: the same text for the same figure everywhere."""
    return f"{float(value):.1f}".removesuffix(".0")


def _text(
    x: float, y: float, words: str, *, size: int = _TEXT, anchor: str = "start", fill: str = _INK
) -> str:
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">'
        f"{escape(words)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{stroke}" '
        f'stroke-width="{_n(width)}"{dashed}/>'
    )


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{fill}"/>'


def _svg(width: int, height: float, title: str, parts: Iterable[str]) -> Markup:
    body = "".join(parts)
    return Markup(  # noqa: S704  every piece of text above is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{_n(width / 10)}mm" '
        f'height="{_n(height / 10)}mm" viewBox="0 0 {width} {_n(height)}" font-family="{_FONT}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def section_bars(sections: Sequence[Section], time: Decimal, width: int = 860) -> Markup:
    """Mean progress of each section as a bar, against its window (▼) and the year (dashed line).

    A white cut in the bar is last month's progress. A section without figures has an empty track
    and 「未报」.
    """
    left, right, pitch, bar = 220, 236, 52, 26
    span = width - left - right
    height = pitch * len(sections) + 52
    parts: list[str] = []
    for place, section in enumerate(sections):
        parts.extend(_bar(section, left, place * pitch + 18, span, bar))
    x = left + span * float(time) / 100
    bottom = pitch * len(sections) + 12
    parts.append(_line(x, 4, x, bottom, _INK, 2.5, "8 6"))
    near_end = x > left + span * 0.8
    parts.append(
        _text(
            min(x, left + span) if near_end else x,
            bottom + 30,
            f"序时进度{figures.percent(time)}",
            size=26,
            anchor="end" if near_end else "middle",
        )
    )
    return _svg(width, height, "各领域平均形象进度与窗口进度、序时进度", parts)


def _bar(section: Section, left: float, top: float, span: float, bar: float) -> list[str]:
    middle = top + bar - 3
    name = abridged(section.name, _LABEL_CHARS)
    parts = [_text(left - 12, middle, name, anchor="end"), _rect(left, top, span, bar, _TRACK)]
    if section.progress is None:
        parts.append(_text(left + span + 12, middle, "未报", fill=_GREY))
        return parts
    filled = span * float(section.progress) / 100
    parts.append(_rect(left, top, filled, bar, COLOURS[section.light]))
    if section.progress_before is not None and 0 < section.progress_before < section.progress:
        parts.append(_rect(left + span * float(section.progress_before) / 100 - 2, top, 4, bar, "#ffffff"))
    if section.window_pct is not None:
        parts.append(_pointer(left + span * float(section.window_pct) / 100, top))
    words = f"{SHAPES[section.light]}{figures.percent(section.progress)}"
    parts.append(_text(left + span + 12, middle, words))
    step = figures.difference(section.progress, section.progress_before)
    if step is not None:
        parts.append(
            _text(left + span + 228, middle, figures.signed(step), size=25, anchor="end", fill=_GREY)
        )
    return parts


def _pointer(x: float, top: float) -> str:
    """A small black ▼ that stands on the bar: how much of the window is gone."""
    points = f"{_n(x - 9)},{_n(top - 14)} {_n(x + 9)},{_n(top - 14)} {_n(x)},{_n(top)}"
    return f'<polygon points="{points}" fill="{_INK}"/>'


def _step(top: float) -> int:
    """A round distance between grid lines, in 万元, for an axis that reaches `top`."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * 4 >= top:
                return step * factor
        step *= 10


def money_lines(
    points: Sequence[MonthPoint], planned: int | None, width: int = 860, height: int = 400
) -> Markup:
    """Fiscal funds by month in 万元, which the heading says: scheduled by the windows (dashed), received (squares), paid (dots)."""
    left, right, top, bottom = 92, 118, 34, 52
    reach = [
        planned,
        *(p.scheduled for p in points),
        *(p.received for p in points),
        *(p.paid for p in points),
    ]
    peak = max((float(fen) / FEN_PER_WAN for fen in reach if fen is not None), default=1.0) or 1.0
    step = _step(peak)
    highest = step * (int((peak - 1e-9) // step) + 1)
    span, tall = width - left - right, height - top - bottom
    across = span / max(len(points) - 1, 1)

    def x(place: int) -> float:
        return left + across * place

    def y(fen: int) -> float:
        return top + tall * (1 - float(fen) / FEN_PER_WAN / highest)

    parts = []
    for level in range(0, highest + 1, step):
        level_y = y(level * FEN_PER_WAN)
        parts.append(_line(left, level_y, left + span, level_y, "#d5d5d5", 1))
        parts.append(_text(left - 10, level_y + 9, str(level), size=25, anchor="end", fill=_GREY))
    parts.extend(
        _text(x(place), height - 14, f"{point.month.month}月", size=25, anchor="middle", fill=_GREY)
        for place, point in enumerate(points)
    )
    scheduled = [(x(i), y(p.scheduled)) for i, p in enumerate(points) if p.scheduled is not None]
    received = [(x(i), y(p.received)) for i, p in enumerate(points) if p.received is not None]
    paid = [(x(i), y(p.paid)) for i, p in enumerate(points) if p.paid is not None]
    parts.append(_poly(scheduled, _GREY, 3, "12 8"))
    parts.append(_poly(received, _RECEIVED, 4))
    parts.append(_poly(paid, _PAID, 5))
    parts.extend(_rect(px - 8, py - 8, 16, 16, _RECEIVED) for px, py in received)
    parts.extend(f'<circle cx="{_n(px)}" cy="{_n(py)}" r="8" fill="{_PAID}"/>' for px, py in paid)
    parts.extend(_ends(points, scheduled, received, paid))
    return _svg(width, height, "财政帮扶资金计划、到位、支付（万元）", parts)


def _poly(points: Sequence[tuple[float, float]], stroke: str, width: float, dash: str = "") -> str:
    if len(points) < 2:
        return ""
    path = " ".join(f"{_n(px)},{_n(py)}" for px, py in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{_n(width)}"{dashed}/>'


def _ends(
    points: Sequence[MonthPoint],
    scheduled: Sequence[tuple[float, float]],
    received: Sequence[tuple[float, float]],
    paid: Sequence[tuple[float, float]],
) -> list[str]:
    """What each line is, written at its last point, the three kept apart."""
    labels: list[tuple[float, float, str, str]] = []
    if scheduled:
        labels.append((*scheduled[-1], "按窗口", _GREY))
    if received:
        last = next(p.received for p in reversed(points) if p.received is not None)
        labels.append((*received[-1], f"到位{figures.wan(last)}", _RECEIVED))
    if paid:
        last = next(p.paid for p in reversed(points) if p.paid is not None)
        labels.append((*paid[-1], f"支付{figures.wan(last)}", _PAID))
    shown: list[str] = []
    for place, (px, py, words, colour) in enumerate(labels):
        crowd = [other for other in labels[:place] if abs(other[0] - px) < 150 and abs(other[1] - py) < 34]
        below = bool(crowd) or words.startswith("支付")
        shown.append(_text(px + 14, py + (34 if below else -12), words, size=27, fill=colour))
    return shown
