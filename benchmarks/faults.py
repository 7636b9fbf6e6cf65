"""kill -9, hundreds of times: every durable step once, then random moments of the real commands.

    python benchmarks/faults.py --turns 150

Each turn kills one `receive` and one `run`; benchmarks/faults.py prints how often each was caught in
the midst of it. Any loss, half version or difference from a rebuild ends it with a traceback.
docs/reliability.md has the counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.faults.test_kill_everywhere import rebuilding, receiving_and_correcting
from tests.faulty import real_home
from tests.killing import kill_commands


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=150)
    parser.add_argument("--no-steps", action="store_true", help="only the random moments")
    parser.add_argument("--seed", type=int, default=2018)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        started = time.monotonic()
        if not given.no_steps:
            for what, kill in (
                ("receiving and correcting", receiving_and_correcting),
                ("rebuilding", rebuilding),
            ):
                (folder / what).mkdir()
                say(f"{what}, every durable step: {kill(folder / what, 1)} kills")
        tally = kill_commands(real_home(folder / "home"), folder, given.turns, given.seed, say)
        say(str(tally))
        say(f"{tally.kills} random kills; {time.monotonic() - started:.0f} s; nothing lost")


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
