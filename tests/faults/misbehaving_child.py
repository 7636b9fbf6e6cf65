"""The reading process, with a reader that does what the file's name says."""

from __future__ import annotations

import os
import signal
import sys
import time

from ledger.reading import child
from ledger.reading.model import Filing, Submission


def read_submission(data: bytes, name: str, sha256: str, filing: Filing) -> Submission:
    if "abort" in name:
        os.abort()
    elif "segfault" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    elif "kill" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    elif "hang" in name:
        while True:
            time.process_time()
    elif "sleep" in name:
        time.sleep(600)
    elif "memory" in name:
        bytearray(8 << 30)
    elif "bug" in name:
        raise RuntimeError("a fault of ours")
    elif "exit" in name:
        os._exit(0)
    elif "noise" in name:
        print("noise among the answers", flush=True)
        os.write(1, b"\x01" * 64)
    return Submission(
        name, sha256, cover={"pid": str(os.getpid()), "bytes": str(len(data)), "month": str(filing.month)}
    )


if __name__ == "__main__":
    if os.environ.get("READER_DOES_NOT_START"):
        raise SystemExit("broken installation")
    child.read_submission = read_submission
    sys.exit(child.main())
