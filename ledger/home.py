"""Where every file of a programme lives. The only place that builds paths (CONTRACT §4)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from schemas.month import Month

#: The checkout this code stands in: the default home, and where the sample programme is.
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one programme. Paths stored anywhere are relative to it."""

    root: Path

    @classmethod
    def find(cls, given: str | Path | None = None) -> Home:
        """The home named on the command line, else by ``LEDGER_HOME``, else the checkout."""
        return cls(Path(given or os.environ.get("LEDGER_HOME") or CHECKOUT).resolve())

    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw"

    @property
    def originals(self) -> Path:
        return self.raw / "originals"

    @property
    def journal(self) -> Path:
        return self.raw / "journal"

    @property
    def plans(self) -> Path:
        return self.raw / "plan"

    @property
    def own_registry(self) -> Path:
        return self.raw / "registry"

    @property
    def registry(self) -> Path:
        """This home's registry, or the sample programme's where it has none."""
        own = self.own_registry
        return own if (own / "programme.toml").is_file() else CHECKOUT / "data" / "raw" / "registry"

    @property
    def inbox(self) -> Path:
        """Watched for workbooks of any month; its files are never changed or deleted."""
        return self.raw / "inbox"

    @property
    def settings(self) -> Path:
        return self.root / "ledger.toml"

    @property
    def logs(self) -> Path:
        return self.root / "data" / "logs"

    @property
    def last_backup(self) -> Path:
        """When the last backup was made, for `ledger doctor`."""
        return self.logs / "last-backup.json"

    @property
    def processed(self) -> Path:
        return self.root / "data" / "processed"

    @property
    def database(self) -> Path:
        return self.processed / "ledger.db"

    @property
    def journal_head(self) -> Path:
        """The journal's last event as last seen; see ledger/recording/head.py."""
        return self.processed / "journal.head"

    @property
    def locks(self) -> Path:
        """Locks of months; not in ``data/processed``, which may be deleted during a run."""
        return self.root / "data" / ".locks"

    @property
    def prefect(self) -> Path:
        """Prefect's own files: its SQLite database, its results, its server's log."""
        return self.processed / "prefect"

    @property
    def schedule(self) -> Path:
        """What of the calendar is done; see flows/duties.py."""
        return self.processed / "schedule"

    def drop(self, month: Month) -> Path:
        """The drop folder of a month; its files are never changed or deleted."""
        return self.raw / str(month)

    def drop_months(self) -> list[Month]:
        """The months that have a drop folder, in order."""
        if not self.raw.is_dir():
            return []
        months = []
        for folder in self.raw.iterdir():
            try:
                month = Month.parse(folder.name)
            except ValueError:
                continue
            if folder.is_dir() and str(month) == folder.name:
                months.append(month)
        return sorted(months)

    def returns(self, month: Month) -> Path:
        return self.processed / str(month) / "returns"

    def forms(self, month: Month) -> Path:
        return self.processed / str(month) / "forms"

    def reports(self, month: Month) -> Path:
        return self.root / "reports" / str(month)

    def unit_reports(self, month: Month) -> Path:
        """The units' own reports of a month."""
        return self.reports(month) / "单位"

    def outbox(self, month: Month) -> Path:
        """Mails as .eml files, where no mail server is set."""
        return self.reports(month) / "outbox"

    def relative(self, path: Path) -> str:
        """A path as it may be stored or shown: relative to the home where it lies inside."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return path.name


def homes_below(folder: Path) -> list[Home]:
    """The homes below `folder`, however deep, by path: every folder that has ``data/raw``.

    What lies inside a home is not looked through, nor are hidden folders. Links are not followed.
    """
    found: list[Home] = []
    for name, folders, _ in os.walk(folder):
        root = Path(name)
        if (root / "data" / "raw").is_dir():
            found.append(Home(root.resolve()))
            folders.clear()
        else:
            folders[:] = [each for each in folders if not each.startswith(".")]
    return sorted(found, key=lambda home: home.root.parts)
