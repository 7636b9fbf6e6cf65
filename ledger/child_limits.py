"""What a child process may use: hostile files and long documents are worked on within these bounds.

A bound that the surroundings set already (ulimit, a container) is never raised. No core is dumped.
"""

from __future__ import annotations

import resource
import sys


def limit_memory(most: int) -> None:
    """At most so many bytes of address space in this process, from here on."""
    for what, bound in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CORE, 0)):
        soft, hard = resource.getrlimit(what)
        resource.setrlimit(what, (min(bound, *_set(soft, hard)), hard))


def limit_time(seconds: int) -> None:
    """From here on so many seconds of computing, then the kernel ends this process. May be called
    again: the time counts anew."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = int(used.ru_utime + used.ru_stime) + 1 + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (min(wanted, *_set(hard)), hard))


def _set(*bounds: int) -> list[int]:
    """Those of `bounds` that are any; one that bounds nothing where none is."""
    return [bound for bound in bounds if bound != resource.RLIM_INFINITY] or [sys.maxsize]
