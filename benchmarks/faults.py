"""kill -9, hundreds of times: every durable step once, then random moments of the real commands.

    python benchmarks/faults.py --turns 150 --prefect 40 --send 150

Each turn kills one `receive` and one `run --plain`; each of `--prefect` but every tenth one `run` while
its flow is at work on a server that stands for all of them (one more with a server of its own comes
before); each of `--send` one `send` to a mail server on this machine. Printed is how often each was
caught in the midst of it. Any loss, half version or difference from a rebuild, and any mail that came
twice without its record saying so, ends it with a traceback. docs/reliability.md has the counts.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.faults.test_kill_everywhere import rebuilding, receiving_and_correcting
from tests.faults.test_kill_fetching import inbox_killed, mailbox_killed
from tests.faulty import real_home
from tests.killing import kill_commands, kill_runs_on_prefect, kill_sending
from tests.mailing import issued_home, set_recipients


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=150)
    parser.add_argument("--prefect", type=int, default=40, help="kills of `run` with its Prefect server")
    parser.add_argument("--send", type=int, default=150, help="kills of `send`")
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
                ("fetching from the inbox", inbox_killed),
                ("fetching from a mailbox", mailbox_killed),
            ):
                (folder / what).mkdir()
                say(f"{what}, every durable step: {kill(folder / what, 1)} kills")
        tallies = []
        if given.turns:
            tallies.append(kill_commands(real_home(folder / "home"), folder, given.turns, given.seed, say))
        if given.prefect:
            home = real_home(folder / "prefect")
            tallies.append(kill_runs_on_prefect(home, folder, given.prefect, given.seed, say))
        if given.send:
            base = issued_home(folder / "issued")
            set_recipients(base, songjian=None)
            tallies.append(kill_sending(base, folder / "sending", given.send, given.seed, say))
        for tally in tallies:
            say(f"{tally}" + (f"; {tally.doubled} mails came twice, as recorded" if tally.doubled else ""))
        kills = sum(tally.kills for tally in tallies)
        took = time.monotonic() - started
        say(f"{kills} random kills; {took:.0f} s at load {os.getloadavg()[0]:.0f}; nothing lost")


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
