"""A home with an issued edition to send, made in no time: its pages are a few bytes each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ledger.calendar import parse_moment
from ledger.home import Home
from ledger.recording.editions import approve, issue
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition
from ledger.registry import Registry
from schemas.month import Month
from tests.office import make_home

MARCH = Month(2019, 3)
#: Who gets the edition: leadership, a partner, one township its own report.
GETTING = ("leader@office.example", "partner@office.example", "songjian@office.example")
SENDER = "云岚县结对合作办公室 <office@yunlan.example>"


def planned_home(folder: Path) -> Home:
    """A programme's home with its plan, nothing issued."""
    home = make_home(folder)
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.take_in_plans(MARCH)
    return home


def issued_home(folder: Path) -> Home:
    """A programme's home with its plan, March's first edition issued."""
    home = planned_home(folder)
    with Ledger.open(home, Registry.load(home)) as ledger:
        issue_next(ledger)
    return home


def issue_next(ledger: Ledger, at: str = "2019-04-12T10:00", *, then_send: bool = False) -> Edition:
    """Issue March's next edition, with pages of its own."""
    ledger.catch_up()
    edition = approve(ledger, MARCH, "王主任", parse_moment(at), then_send=then_send)
    folder = ledger.home.root / "pages"
    return issue(ledger, edition, pages(folder, edition.number))


def pages(folder: Path, number: int) -> Mapping[str, Path]:
    mark = f"2019-03-第{number}版"
    names = [f"月报-{mark}.pdf", f"月报-{mark}.html", f"月报-{mark}.xlsx", f"一页纸-{mark}.pdf"]
    names += [f"单位/月报-2019-03-松涧乡-第{number}版.pdf"]
    made = {}
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name} \n.dot\n..dots\n".encode() * 40)
        made[name] = path
    return made


def smtp(port: int, **given: object) -> dict[str, str]:
    """The environment's settings for a server on this machine."""
    stated = {"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER}
    stated |= {"timeout_seconds": 1, "retry_seconds": "[0.05, 0.05]"} | given
    return {f"LEDGER_SMTP__{name.upper()}": str(value) for name, value in stated.items()}


def set_recipients(home: Home, **addresses: str | None) -> None:
    """Change addresses in the list by key; None takes the line out."""
    path = home.own_registry / "recipients.csv"
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split(",")
        if fields[0] in addresses:
            address = addresses[fields[0]]
            if address is None:
                continue
            fields[3] = address
        lines.append(",".join(fields))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
