"""Keeps a run while it is measured: each cell is on a disk before the next one starts, on another disk if it must be.

The folder is made for the first cell, so a run that measures nothing leaves nothing. The cells' lines are also kept in
memory (about 2 kB each), because `reports/` may be full, removed or read-only when the next one is to be written.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from benchrig import console, reading
from benchrig.errors import Hint, Inv, ResultsError
from benchrig.results import labels, store
from benchrig.results.lock import RunLock
from benchrig.results.model import Cell, Ended, Run
from benchrig.yamlfile import shown

NEEDED_BYTES = 4 << 20
"""What must be free before a cell: its record, the load generator's output, perhaps a journal, and later the reports."""

NEEDED_FILES = 16


class Recorder:
    """The folder of a run that is being measured. No other process can measure the same run at the same time.

    `reports` is the folder of all runs; `lock` is that of a run that is resumed, and is given up with the recorder.
    """

    def __init__(self, reports: Path, run: Run, lock: RunLock | None = None) -> None:
        # Now, because no cell may wait for a scan of all runs.
        self.run = run if lock else replace(run, number=store.next_number(reports))
        self.folder = lock.folder if lock else None
        self._reports = reports
        self._described = False
        self._lock = lock
        if self.folder:
            store.drop_half_line(self.folder)
        self._lines = _lines(self.folder)
        self._size = _size(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock:
            self._lock.release()

    @property
    def name(self) -> str:
        """How a command names the run: its folder's name, or its path outside of `reports/`. Empty before the first cell."""
        if self.folder is None:
            return ""
        return self.folder.name if self.folder.parent.resolve() == self._reports.resolve() else str(self.folder)

    @property
    def is_stored(self) -> bool:
        """All that was measured is in the folder, and can be read there."""
        return bool(self._lines) and _lines(self.folder) == self._lines

    @property
    def part(self) -> int:
        """Which part of the run is measured now: 1, or 2 after it was resumed once."""
        return 1 + len(self.run.parts)

    @property
    def resume(self) -> Inv:
        """The command that resumes the run, and no other that was interrupted later."""
        return Inv("bench", "--resume", *filter(None, [self.name]))

    def check(self) -> None:
        """See that the next cell can be stored. Raises ResultsError; what was measured is then on a disk, or printed."""
        try:
            check_room(self.folder or self._reports)
            if _size(self.folder) != self._size:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        except OSError as error:
            raise self._saved(error, {}) from None

    def keep(self, cell: Cell, texts: Mapping[str, str]) -> None:
        """Store a cell, and texts as files below `raw/`, by their names. Raises ResultsError as `check` does."""
        with _uninterrupted():
            self._lines.append(store.line_of(cell))
            try:
                folder = self._begun()
                for name, text in texts.items():
                    store.write_raw(folder, name, text)
                self._size = store.append_line(folder, self._lines[-1])
            except OSError as error:
                raise self._saved(error, texts) from None

    def finish(self, ended: Ended | None = None) -> Path:
        """Write that the run is complete, and how it ended if that was open; return its folder.

        Raises ResultsError as `check` does.
        """
        self.run = replace(self.run, ended=ended)
        try:
            folder = self._begun()
            store.finish(folder, self.run)
        except OSError as error:
            raise self._saved(error, {}) from None
        return folder

    def _begun(self) -> Path:
        """Return the folder, with the run's record in it; make it for the first cell."""
        if self.folder is None:
            self.folder = store.create(self._reports, self.run.suite, self.run.name)
            self.run = replace(self.run, name=self.folder.name)
            self._lock = RunLock(self.folder)
        if not self._described:
            store.write_run(self.folder, self.run)
            self._described = True
        return self.folder

    def _saved(self, error: OSError, texts: Mapping[str, str]) -> ResultsError:
        """Store elsewhere what is not where it belongs, and return the error that says where it is."""
        folder = self.folder or self._reports
        stored = set(_lines(self.folder))
        if not (missing := [line for line in self._lines if line not in stored]):
            there = f"; {_count(len(self._lines))} stored there" if self._lines else ""
            return _refused(folder, error, there, Hint(" Then go on: ", self.resume) if self._lines else "")
        why = f"{shown(folder)}: results cannot be written: {error.strerror or error}"
        for place in _other_places():
            with suppress(OSError):
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.folder = self._copied(place, texts)
                return ResultsError(
                    f"{why}; {_count(len(self._lines))} stored in {self.folder}",
                    Hint("See them: ", Inv("report", self.name, on_inventory=False), ". Go on there: ", self.resume),
                )
        for line in missing:
            console.result(line.decode().rstrip("\n"))
        return ResultsError(f"{why}, nor can another place; {_count(len(missing))} printed, as lines of {store.CELLS}")

    def _copied(self, place: Path, texts: Mapping[str, str]) -> Path:
        """Write the whole run to a new folder below `place`, and return it. Raises OSError; then nothing is left there."""
        target = store.create(place, self.run.suite, self.run.name)
        try:
            if self.folder is not None:
                with suppress(OSError):
                    shutil.copytree(self.folder / store.RAW, target / store.RAW, dirs_exist_ok=True)
                if label := labels.read(self.folder):
                    labels.write(target, label)
            for name, text in texts.items():
                store.write_raw(target, name, text)
            self.run = replace(self.run, name=target.name)
            store.write_run(target, self.run)
            store.append_line(target, b"".join(self._lines))
        except OSError:
            shutil.rmtree(target, ignore_errors=True)
            raise
        return target


def check_room(folder: Path, needed_bytes: int = NEEDED_BYTES, needed_files: int = NEEDED_FILES) -> None:
    """See that files can be written to a folder, or to the one that it will be made in: those of a cell, or so many.

    Raises OSError.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    disk = os.statvfs(folder)
    if disk.f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    is_root = os.geteuid() == 0
    free = (disk.f_bfree if is_root else disk.f_bavail) * disk.f_frsize
    # A file system without a fixed number of files says 0.
    files = (disk.f_ffree if is_root else disk.f_favail) if disk.f_files else needed_files
    if free < needed_bytes or files < needed_files:
        what = f"{free / 1e6:.1f} MB" if free < needed_bytes else f"room for {files} files"
        need = "a cell needs up to" if needed_bytes == NEEDED_BYTES else "needed are"
        raise OSError(errno.ENOSPC, f"only {what} free; {need} {needed_bytes / 1e6:.0f} MB", str(folder))


def check_reports(folder: Path) -> None:
    """See that results can be stored in a folder, before anything is measured. Raises ResultsError."""
    try:
        check_room(folder)
    except OSError as error:
        raise _refused(folder, error) from None


def _refused(folder: Path, error: OSError, there: str = "", again: str | Hint = "") -> ResultsError:
    hint = Hint("Make room on its disk, and see that you may write there.", again)
    return ResultsError(f"{shown(folder)}: results cannot be written: {error.strerror or error}{there}", hint)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Have a first Ctrl-C or other signal wait: a measured cell is stored before it ends the program.

    A second one does not wait, because a disk that hangs may take for ever.
    """
    waiting: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    # A mask would not do: another thread would take the signal, and Python would interrupt this one.
    ours = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}

    def restore() -> None:
        for number, handler in ours.items():
            signal.signal(number, handler)

    def hold(got: int, _: object) -> None:
        waiting.append(got)
        if len(waiting) > 1:
            waiting.clear()
            restore()
            signal.raise_signal(got)

    for number in ours:
        signal.signal(number, hold)
    try:
        yield
    finally:
        restore()
        if waiting:
            signal.raise_signal(waiting[0])


def _lines(folder: Path | None) -> list[bytes]:
    """Return the lines that a run has stored, each with its end; none where they cannot be read."""
    try:
        return [line + b"\n" for line in reading.lines(folder / store.CELLS) if line.strip()] if folder else []
    except reading.ReadError:
        return []


def _size(folder: Path | None) -> int:
    """Return the size of a run's cells in bytes; 0 where there are none."""
    try:
        return (folder / store.CELLS).stat().st_size if folder else 0
    except FileNotFoundError:
        return 0


def _other_places() -> Iterator[Path]:
    """Yield the folders that a run is stored in where `reports/` cannot be written: the user's state, a temporary folder.

    The temporary folder is removed again when no run is stored in it.
    """
    yield store.other_runs()
    with suppress(OSError):
        place = Path(tempfile.mkdtemp(prefix="benchrig-"))
        try:
            yield place
        finally:
            if not any(place.glob(f"*/{store.CELLS}")):
                shutil.rmtree(place, ignore_errors=True)


def _count(cells: int) -> str:
    return "1 measured cell is" if cells == 1 else f"{cells} measured cells are"
