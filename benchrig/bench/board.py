"""The board of a bench: what it does now, renewed once a second on the terminal and in the file that `./inv watch` reads.

Nothing of it can harm the bench: what cannot be written is left out, with one line.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from benchrig import console
from benchrig.agent.text import short
from benchrig.results.running import FOLDER, MOST_FINISHED, MOST_SECONDS, Finished, Running, StateFile
from benchrig.results.store import now

SECONDS = 1.0
"""Between two states."""

LONGEST_END = 500
"""Characters of how a bench ended."""

Look = Callable[[Running], Running]
"""Returns a state with what is known now."""


class Board:
    """Shows a bench, from entering to leaving it."""

    def __init__(self, root: Path, suite: str, run: str = "") -> None:
        self._root = root
        self._state = Running(os.getpid(), suite, now(), run, step="preparing the hosts")
        self._look: Look = lambda state: state
        self._rates: deque[float | None] = deque(maxlen=MOST_SECONDS)
        self._finished: deque[Finished] = deque(maxlen=MOST_FINISHED)
        self._file: StateFile | None = None
        self._complained = False
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        try:
            self._file = StateFile(self._root)
        except OSError as error:
            self._complain(error)
        self._show()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._left.set()
        self._thread.join()
        if error is not None:
            said = "interrupted" if isinstance(error, KeyboardInterrupt) else short(str(error), LONGEST_END)
            self.end(said or type(error).__name__, failed=True)
        self._look = lambda state: replace(state, title="", count="", step="", rate=None, notices=(), seconds_left=None)
        self._show()
        if self._file:
            self._file.close()

    def follow(self, look: Look) -> None:
        """Have each state made by `look`, in a thread of its own."""
        self._look = look

    def add(self, finished: Finished, run: str) -> None:
        """Add a cell that is over; `run` is the name of its run."""
        with self._lock:
            self._finished.append(replace(finished, number=1 + self._state.cells))
            self._state = replace(self._state, run=run, cells=1 + self._state.cells, finished=tuple(self._finished))

    def end(self, said: str, *, failed: bool) -> None:
        """Say how the bench ends; the first to say it is right."""
        with self._lock:
            if not self._state.ended:
                self._state = replace(self._state, ended=said, failed=failed)

    def _renew(self) -> None:
        while not self._left.wait(SECONDS):
            self._show()

    def _show(self) -> None:
        seen = self._look(self._state)
        self._rates.append(None if seen.rate is None else round(seen.rate, 1))
        with self._lock:
            # What was added meanwhile stays.
            kept = self._state
            self._state = state = replace(
                seen,
                rates=tuple(self._rates),
                **{name: getattr(kept, name) for name in ("run", "cells", "finished", "ended", "failed")},
            )
        try:
            if self._file:
                self._file.write(state)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        """Say once why `./inv watch` does not see this bench, or not all of it."""
        if not self._complained:
            self._complained = True
            console.warn(f"./inv watch cannot follow this bench: {FOLDER}: {error.strerror or error}")
