"""What the report costs: CPU by phase, memory, the units' reports, and growth with the plan.

    python benchmarks/report/run.py [--rounds 5] [--most 1000] [--write]

prints tables; `--write` keeps them in benchmarks/results/report.md. Measured is processor time, the
median of several rounds in one process after one that warms up (libraries, fonts, templates). Memory
is the process's own peak (VmHWM), each figure in a process of its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.report.views import MONTH, sample_home, views, with_projects
from ledger.home import Home
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from ledger.reporting.brief import build_brief
from ledger.reporting.build import build_county_report
from ledger.reporting.glyphs import settable
from ledger.reporting.html import brief_html, county_html, title_of, unit_html
from ledger.reporting.unit_report import build_unit_reports
from ledger.reporting.workbook import data_workbook
from schemas.exports import EXPORTS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "report.md"
#: The aim was named for a report of so many pages.
_AIM_SECONDS, _AIM_MEGABYTES, _AIM_PAGES = 1.3, 200, 13
_SIZES = (10, 100, 1000)
#: From so many projects on a size is set once, after a small document that warms up.
_ONCE_FROM = 1000


def timed(work: Callable[[], Any], rounds: int, *, warm: bool = True) -> tuple[float, Any]:
    """The median CPU seconds of `rounds` runs, and what the last one gave."""
    if warm:
        work()
    seconds, made = [], None
    for _ in range(rounds):
        gc.collect()
        start = process_time()
        made = work()
        seconds.append(process_time() - start)
    return statistics.median(seconds), made


def peak_megabytes() -> float:
    """This process's largest resident size so far."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def pages(pdf: bytes) -> int:
    import pypdfium2

    return len(pypdfium2.PdfDocument(pdf))


# --- one measurement each, in a process of its own


def county(home: Home, rounds: int) -> dict[str, Any]:
    """The county report by phase, in the order of the work."""
    from ledger.reporting import pdf

    registry = Registry.load(home)

    def exports() -> dict[str, Any]:
        with Ledger.open(home, registry) as ledger:
            return {table: export(ledger, MONTH, table) for table in EXPORTS}

    phases: dict[str, float] = {}
    phases["ledger → four months' views"], months = timed(lambda: views(home), rounds)
    phases["ledger → exports"], tables = timed(exports, rounds)
    phases["data workbook"], workbook = timed(lambda: data_workbook(tables), rounds)
    phases["model"], report = timed(lambda: build_county_report(months, registry), rounds)
    phases["HTML"], html = timed(lambda: county_html(report), rounds)
    phases["characters without glyphs"], html = timed(lambda: settable(html), rounds)
    attached = [pdf.Attached("数据.xlsx", workbook, "本期数据")]
    title = title_of(report)
    phases["HTML → PDF"], made = timed(
        lambda: pdf.render_pdf(html, title=title, attachments=attached), rounds
    )
    found = {"phases": phases, "pages": pages(made), "kilobytes": len(made) / 1024}
    (home.root / "county.html").write_text(html, encoding="utf-8")
    return found


def memory(home: Home, rounds: int) -> dict[str, Any]:
    """The setting process over one county report: its peak."""
    from ledger.reporting import pdf

    html = (home.root / "county.html").read_text(encoding="utf-8")
    pdf.prepare()
    before = peak_megabytes()
    pdf.render_pdf(html, title="月报")
    return {"loaded": before, "peak": peak_megabytes()}


def units(home: Home, rounds: int) -> dict[str, Any]:
    """The units' reports and the brief: all set anew, warm; and the HTML alone."""
    from ledger.reporting import pdf

    registry = Registry.load(home)
    months = views(home)
    report = build_county_report(months, registry)

    def compose() -> list[str]:
        made = [unit_html(each) for each in build_unit_reports(report, months[-1], registry)]
        return [settable(html) for html in [*made, brief_html(build_brief(report))]]

    composing, texts = timed(compose, rounds)
    setting, made = timed(lambda: [pdf.render_pdf(html, title="月报") for html in texts], max(1, rounds // 2))
    one = timed(lambda: pdf.render_pdf(texts[-1], title="月报"), rounds)[0]
    return {
        "documents": len(texts),
        "composing": composing,
        "setting": setting,
        "brief": one,
        "pages": sum(map(pages, made)),
    }


def written(home: Home, rounds: int) -> dict[str, Any]:
    """The step as `run` takes it, processes and files included: first, and with nothing changed."""
    from flows import steps
    from ledger.reporting.press import close_press

    def spent() -> float:
        times = os.times()
        return process_time() + times.children_user + times.children_system

    found = {}
    for name in ("first", "again"):
        cpu, clock = spent(), perf_counter()
        files = steps.draft(home, MONTH)
        close_press()
        found[name] = spent() - cpu
        found[f"{name}_clock"] = perf_counter() - clock
        found["files"] = len(files)
    return found


def growth(home: Home, rounds: int, size: int) -> dict[str, Any]:
    """A county report with `size` projects: CPU of composing and setting, pages, peak."""
    from ledger.reporting import pdf

    registry = Registry.load(home)
    months = views(home)
    small = county_html(build_county_report(months, registry))
    pdf.render_pdf(small, title="月报")
    large = with_projects(months, size)
    once = size >= _ONCE_FROM
    composing, html = timed(
        lambda: settable(county_html(build_county_report(large, registry))), 1 if once else rounds
    )
    setting, made = timed(lambda: pdf.render_pdf(html, title="月报"), 1 if once else rounds, warm=not once)
    return {
        "composing": composing,
        "setting": setting,
        "pages": pages(made),
        "kilobytes": len(made) / 1024,
        "peak": peak_megabytes(),
    }


def alone(kind: str, home: Home, rounds: int, size: int = 0) -> dict[str, Any]:
    """Take one measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", kind, str(home.root), str(rounds), str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(kind: str, home: Home, rounds: int, size: int) -> dict[str, Any]:
    work: dict[str, Callable[[Home, int], dict[str, Any]]] = {
        "county": county,
        "memory": memory,
        "units": units,
        "written": written,
    }
    return growth(home, rounds, size) if kind == "growth" else work[kind](home, rounds)


# --- the result


def result(found: dict[str, dict[str, Any]], sizes: dict[int, dict[str, Any]]) -> str:
    """The result as Markdown."""
    county, memory, units, written = (found[k] for k in ("county", "memory", "units", "written"))
    total = sum(county["phases"].values())
    page, aimed = total / county["pages"], _AIM_SECONDS / _AIM_PAGES
    lines = [
        "# The report",
        "",
        "The sample programme's September 2018, made by `python benchmarks/report/run.py --write`. CPU seconds, medians, warm;",
        "memory is the peak of a process of its own.",
        "",
        f"{date.today()}, {platform.python_implementation()} {platform.python_version()}, weasyprint {version('weasyprint')}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (other work on the machine shows in the figures).",
        "",
        f"## The county's report: {county['pages']} pages, {county['kilobytes']:.0f} KB with the data workbook inside",
        "",
        "| phase | CPU s | share |",
        "|---|---:|---:|",
        *(f"| {name} | {s:.3f} | {100 * s / total:.0f}% |" for name, s in county["phases"].items()),
        f"| **all** | **{total:.2f}** | |",
        "",
        f"The setting process holds {memory['loaded']:.0f} MB when it is ready and {memory['peak']:.0f} MB at the most.",
        f"Aim: {_AIM_SECONDS} s for {_AIM_PAGES} pages ({aimed:.2f} s a page), {_AIM_MEGABYTES} MB. Memory: "
        f"{_met(memory['peak'] <= _AIM_MEGABYTES)}. A page takes {page:.3f} s: {_met(page <= aimed)}; the whole report, which "
        f"has {county['pages']} pages with contents and tags, {total:.2f} s: {_met(total <= _AIM_SECONDS)}.",
        "",
        f"## The units' reports and the brief: {units['documents']} documents, {units['pages']} pages",
        "",
        "| | CPU s |",
        "|---|---:|",
        f"| composing all (model, HTML) | {units['composing']:.2f} |",
        f"| setting all | {units['setting']:.2f} |",
        f"| a document, on average | {(units['composing'] + units['setting']) / units['documents']:.2f} |",
        f"| the brief alone | {units['brief']:.2f} |",
        f"| the whole step of `ledger run`, {written['files']} files, cold (processes and files included) | {written['first']:.1f} |",
        f"| the same again, nothing changed: nothing is set | {written['again']:.1f} |",
        "",
        "## Growth with the plan",
        "",
        "The sample's projects over and over, each under its section; needs and indicators stay.",
        "",
        "| projects | composing s | setting s | pages | s a page | KB | peak MB |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {size:,} | {s['composing']:.2f} | {s['setting']:.2f} | {s['pages']} | {s['setting'] / s['pages']:.3f} "
        f"| {s['kilobytes']:.0f} | {s['peak']:.0f} |"
        for size, s in sizes.items()
    ]
    lines += [
        "",
        "The time goes into setting type, and with the pages: a tenth of it is tagging, two fifths lines of type. A document of",
        "more than 400,000 characters is given more time than the usual 60 s (ledger/reporting/press.py), so that 1,000 projects",
        "are set too; memory grows by 1.3 MB a project, and the setting process may have 3 GB. Every box of every page is held until the",
        "file is written, as the typesetter tags a document at its end; running the collector meanwhile gives nothing back.",
    ]
    return "\n".join(lines) + "\n"


def _met(reached: bool) -> str:
    return "reached" if reached else "**not reached**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=_SIZES[-1], help="the largest plan")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = sample_home(Path(folder))
        found = {kind: alone(kind, home, given.rounds) for kind in ("county", "memory", "units", "written")}
        sizes = {size: alone("growth", home, given.rounds, size) for size in _SIZES if size <= given.most}
    text = result(found, sizes)
    print(text)
    if given.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if "--one" in sys.argv:
        kind, root, rounds, size = sys.argv[2:6]
        print(json.dumps(one(kind, Home(Path(root)), int(rounds), int(size))))
    else:
        main()
