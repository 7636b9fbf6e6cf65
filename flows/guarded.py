"""``python -m flows.guarded MODULE ARGUMENTS…``: run a module that ends with whoever started it.

A killed `ledger serve` (kill -9, the machine's memory killer) can't stop its Prefect server; so the
kernel does. On systems other than Linux the module simply runs.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

from ledger import collector

_PR_SET_PDEATHSIG = 1


def end_with_parent(sign: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send this process `sign` when its parent is gone."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(sign))
    if os.getppid() != parent:  # gone in the meantime
        os.kill(os.getpid(), sign)


def main() -> None:
    end_with_parent()
    collector.calm()
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
