"""`ledger verify`: journal, originals and ledger proved against each other."""

from __future__ import annotations

from collections.abc import Callable

from ledger.home import Home
from ledger.recording.proof import prove
from ledger.recording.proof_words import Proof
from ledger.registry import Registry


def verify_home(home: Home, *, quick: bool, progress: Callable[[str], None]) -> Proof:
    """Prove a home; with `quick` without building the ledger again."""
    return prove(home, Registry.load(home), quick=quick, progress=progress)


def told(proof: Proof) -> list[str]:
    """The proof in Chinese, for people: what was proved, then the first thing wrong."""
    lines = [f"✓ {line}" for line in proof.lines]
    lines += [f"  {note}" for note in proof.notes]
    if proof.fault is None:
        return [*lines, "核对完毕，没有发现问题。"]
    return [*lines, f"✗ {proof.fault.what}", f"  {proof.fault.remedy}"]
