"""The reading process: hostile files are read here, within limits, away from everything else.

Started by ledger.reading.batch as ``python -m ledger.reading.child``; never forked, for a forked
process would inherit locks and threads in mid-motion. It takes requests from standard input and
answers on standard output, and ends when its input does. An exception that nobody expected is not
caught here: it ends the process, and its death is the answer.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from pathlib import Path
from typing import BinaryIO

from ledger.child_limits import limit_memory
from ledger.reading.model import Filing, Submission
from ledger.reading.submission import read_submission, set_aside
from ledger.reading.wire import OUT_OF_MEMORY, READY, Request, receive, send
from schemas.finding import finding

#: Address space: what no honest workbook needs. CONTRACT, F04.
MEMORY_LIMIT = 2 << 30

#: Cycles are collected after a file when so many objects have stayed since the last time.
_COLLECT_FROM = 50_000


def _read(path: str, name: str, sha256: str, filing: Filing) -> Submission:
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        message = f"文件打不开：{fault.strerror or '读取失败'}。"
        return set_aside(name, sha256, finding("F01", message), filing)
    return read_submission(data, name, sha256, filing)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    filing: Filing | None = None
    send(answers, READY)
    while (message := receive(requests)) is not None:
        request: Request = pickle.loads(message)  # noqa: S301  from our own parent
        filing = request.filing or filing
        if filing is None:
            raise ValueError("the first request names no filing")
        for path, name, sha256 in request.files:
            send(answers, pickle.dumps(_read(path, name, sha256, filing), pickle.HIGHEST_PROTOCOL))
            if gc.get_count()[0] > _COLLECT_FROM:
                gc.collect()


def main() -> int:
    """Run the reading process on standard input and output."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Nothing that a library prints may get among the answers.
    os.dup2(2, 1)
    limit_memory(MEMORY_LIMIT)
    # What is read holds hardly any cycles; looking for them while a file is read costs a tenth of
    # the time, and more in a large one. `serve` does it between files.
    gc.freeze()
    gc.disable()
    try:
        serve(requests, answers)
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
