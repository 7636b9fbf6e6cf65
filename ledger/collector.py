"""How often Python looks for garbage in cycles.

Loading Prefect, pandas and the typesetter makes some million objects and no garbage; with Python's
own pace the collector goes through them hundreds of times, which was a third of the time that loading
took (4.8 s of which 1.5 to 2 were the collector's), and once more at the end (0.9 s).
"""

from __future__ import annotations

import atexit
import gc

#: New objects between two looks (Python: 700), and how many of those before older ones are looked at.
PACE = (50_000, 20, 50)


def calm() -> None:
    """Let the collector of this process look less often, and not at all when the process ends.
    Programs call it first, before they load anything large."""
    gc.set_threshold(*PACE)
    atexit.register(gc.freeze)
