"""A run over many seeds: in pieces, and on from where it was stopped."""

import math
import os
from pathlib import Path

import pytest

from truth.running import PIECES_OF_A_PROCESS, Run, in_processes


class RunStopped(Exception):
    """Somebody pressed Ctrl-C."""


def test_a_run_that_was_stopped_goes_on_and_begins_anew_when_it_is_done(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    said: list[str] = []

    def stop_at_the_end(text: str) -> None:
        if "27 stories in" in text:
            raise RunStopped
        said.append(text)

    with pytest.raises(RunStopped):
        Run(0, 27, 1, state, say=stop_at_the_end).play()
    assert state.exists()

    assert Run(0, 27, 1, state, say=said.append).play() == 0
    assert "goes on after 27 stories" in said
    assert not state.exists()


def test_fresh_processes_take_over_until_all_is_called() -> None:
    number = 2 * 2 * PIECES_OF_A_PROCESS + 1
    assert list(in_processes(math.sqrt, [(one,) for one in range(number)], 2)) == [math.sqrt(n) for n in range(number)]
    assert len(set(in_processes(os.getpid, [()] * number, 2))) > 2
