"""The recorder and signals: a cell is stored before the first one ends the program, and a second one does not wait."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchrig.results import store
from benchrig.results.recorder import Recorder
from tests.support.reports import a_cell, a_run

write_raw = store.write_raw


@pytest.mark.parametrize(("signals", "cells"), [(1, 1), (2, 0)])
def test_a_first_signal_waits_until_the_cell_is_stored_and_a_second_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: int, cells: int
) -> None:
    def pressing(folder: Path, name: str, text: str) -> str:
        for _ in range(signals):
            signal.raise_signal(signal.SIGINT)
        return write_raw(folder, name, text)

    monkeypatch.setattr(store, "write_raw", pressing)
    texts: Mapping[str, str] = {"go-1.txt": "raw"}
    before = signal.getsignal(signal.SIGINT)
    with Recorder(tmp_path, a_run("go-2000", finished=False)) as recorder:
        with pytest.raises(KeyboardInterrupt):
            recorder.keep(a_cell(), texts)
        assert recorder.folder
        assert len(store.read(recorder.folder)[1]) == cells
    assert signal.getsignal(signal.SIGINT) is before
