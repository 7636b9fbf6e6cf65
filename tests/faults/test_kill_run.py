"""The real receive and run, killed at random moments, corrections coming in all the while."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faulty import real_home
from tests.killing import kill_commands


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_moments(tmp_path: Path) -> None:
    tally = kill_commands(real_home(tmp_path / "home"), tmp_path, turns=5, at_least=4)
    assert tally.kills >= 4, tally
