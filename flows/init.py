"""`ledger init`: the folders of a home, a registry to fill in, the settings with their defaults."""

from __future__ import annotations

import shutil

from ledger.errors import UsageError
from ledger.home import CHECKOUT, Home


def make_home(home: Home) -> list[str]:
    """Make what is missing of a home; never overwrites. Returns what was made, relative paths."""
    made = []
    for folder in (
        home.raw,
        home.inbox,
        home.plans,
        home.own_registry,
        home.processed,
        home.root / "reports",
    ):
        if not folder.is_dir():
            try:
                folder.mkdir(parents=True)
            except OSError as error:
                raise UsageError(f"建不了文件夹 {folder}，请核对路径和权限。") from error
            made.append(home.relative(folder) + "/")
    sample = CHECKOUT / "data" / "raw" / "registry"
    for source in sorted(sample.iterdir()):
        target = home.own_registry / source.name
        if source.is_file() and not target.exists():
            shutil.copyfile(source, target)
            made.append(home.relative(target))
    if not home.settings.exists():
        shutil.copyfile(CHECKOUT / "templates" / "ledger.toml", home.settings)
        made.append(home.relative(home.settings))
    return made
