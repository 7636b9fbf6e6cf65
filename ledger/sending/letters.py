"""Letters: what a mail says, from templates/mail; one wording for the plain text and for the HTML.

A template's first line is the subject. Blocks stand between blank lines; a line that begins with
``· `` is an item of a list. Units' own words are put on one line before they come here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from ledger.home import CHECKOUT
from ledger.registry import Registry
from ledger.reporting.texts import shown

_TEMPLATES = CHECKOUT / "templates" / "mail"
_ITEM = "· "
_GAP = re.compile(r"\n\s*\n+")
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's words: subject, plain text, HTML page."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a list where it has items."""

    text: str
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Office:
    """Who writes: the office's name, the report's, and whom to ask (``[report] contact``, may be
    blank), as the registry has them."""

    name: str
    masthead: str
    contact: str = ""

    @classmethod
    def of(cls, registry: Registry) -> Office:
        report: Mapping[str, Any] = registry.programme.get("report", {})
        name = str(report.get("issuer") or registry.names.get(registry.coordinating_unit, ""))
        masthead = str(report.get("masthead") or f"{registry.programme.get('name', '')}月报")
        return cls(shown(name), shown(masthead), shown(str(report.get("contact") or "")))


def write(template: str, office: Office, day: date, **given: Any) -> Letter:
    """The letter of a template (``edition``, ``forms``, ``return``, ``reminder``), dated `day`."""
    words = _environment().get_template(f"{template}.txt.j2").render(masthead=office.masthead, **given)
    subject, _, body = words.partition("\n")
    blocks = _blocks(body)
    text = "\n\n".join(_text(block) for block in blocks)
    signed = [line for line in (office.name, office.contact, day_text(day)) if line]
    page = _environment().get_template("letter.html.j2")
    return Letter(
        subject=subject.strip(),
        text="\n".join([text, "", *signed, ""]),
        html=page.render(subject=subject.strip(), blocks=blocks, signed=signed),
    )


def day_text(day: date) -> str:
    """2018年10月8日."""
    return f"{day.year}年{day.month}月{day.day}日"


def due_text(day: date) -> str:
    """2018年10月8日（星期一）."""
    return f"{day_text(day)}（星期{_WEEKDAYS[day.weekday()]}）"


def short_day(day: date) -> str:
    """10月8日."""
    return f"{day.month}月{day.day}日"


def _blocks(body: str) -> Sequence[Block]:
    found = []
    for part in _GAP.split(body.strip()):
        lines = [line.strip() for line in part.splitlines()]
        if all(line.startswith(_ITEM) for line in lines):
            found.append(Block("", tuple(line.removeprefix(_ITEM) for line in lines)))
        else:
            found.append(Block("".join(lines)))
    return found


def _text(block: Block) -> str:
    return "\n".join(f"{_ITEM}{item}" for item in block.points) if block.points else block.text


@cache
def _environment() -> Environment:
    """Pages are escaped, plain text is not."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
