"""The setting process: `ledger.reporting.press` starts it as ``python -m …``, never by a fork.

It takes documents from standard input and answers on standard output, and ends when its input does.
What nobody expected is not caught: it ends the process, and its death is the answer.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from contextlib import suppress
from typing import BinaryIO

from ledger import collector
from ledger.child_limits import limit_memory, limit_time
from ledger.reading.wire import receive, send
from ledger.reporting import pdf

#: Address space. A report of 1,000 projects stays below it.
MEMORY_LIMIT = 3 << 30


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Set documents until there are no more."""
    with suppress(pdf.PdfError):  # said again, to whoever asks for a document
        pdf.prepare()
    while (message := receive(requests)) is not None:
        html, title, attachments, seconds = pickle.loads(message)  # noqa: S301  from our own parent
        limit_time(seconds)
        try:
            answer: tuple[str, bytes | str] = (
                "done",
                pdf.render_pdf(html, title=title, attachments=attachments),
            )
        except pdf.PdfError as refused:
            answer = ("refused", refused.message)
        send(answers, pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
        gc.collect()


def main() -> int:
    """Run the setting process on standard input and output."""
    collector.calm()
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # nothing that a library prints may get among the answers
    os.dup2(2, 1)
    limit_memory(MEMORY_LIMIT)
    serve(requests, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
