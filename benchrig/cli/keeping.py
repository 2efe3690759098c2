"""The tasks that care for runs: list, label, remove, export, import and publish them."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from benchrig import console
from benchrig.agent.text import one_line
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command
from benchrig.errors import BenchrigError, Hint, InputError, Inv
from benchrig.yamlfile import shown

if TYPE_CHECKING:
    from benchrig.results.removal import Doomed

REPORTS = ROOT / "reports"

OWN_RUN = "a folder of reports/, its path, the beginning of only one's name, or `latest`"
"""The help of an argument that names a run, and no published figures."""

STANDARD = "-"
"""Means standard output or input in place of a file."""

MOST_QUESTIONED = 20
"""Runs that a question names one by one."""


@command(help={"suite": "the runs of this suite", "json": "print the list as JSON"})
def runs(ctx: ChainContext, suite: str = "", json: bool = False) -> Iterator[None]:
    """List the runs, the newest last: when, where, state, label.

    Example: ./inv runs --suite web-frameworks
    """
    from dataclasses import asdict

    from benchrig.report import listing, width_of
    from benchrig.report.export.json import text_of

    yield
    found = listing.listing(REPORTS, suite)
    if json:
        console.document(text_of(asdict(found)))
    else:
        console.result(listing.render(found, width_of(sys.stdout)))


@command(
    help={
        "run": f"{OWN_RUN}; or the folder of an A/B session",
        "text": "one line of at most 200 characters, in one word or several: all words behind RUN belong to it",
        "remove": "remove the label",
    },
    words=("text",),
    iterable=["text"],
    takes_rest=True,
)
def label(ctx: ChainContext, run: str, text: list[str] | None = None, remove: bool = False) -> Iterator[None]:
    """Give a run a label, which lists and reports show.

    Example: ./inv label latest before the kernel update
    """
    from benchrig.results import labels, store

    if remove and text:
        raise InputError("--remove takes no text: leave out one of them")
    if not (remove or text):
        raise InputError("task 'label' lacks TEXT; --remove removes a label")
    said = labels.checked(" ".join(text or [])) if text else ""
    if run != store.LATEST:
        _labelled(run)
    yield
    folder = _labelled(run)
    if remove:
        had = labels.remove(folder)
        console.line(f"{folder.name}: the label is removed" if had else f"{folder.name} has no label")
    else:
        labels.write(folder, said)
        console.line(f"{folder.name}: {said}")


def _labelled(name: str) -> Path:
    """Return the folder of a run or a session. Raises InputError."""
    from benchrig.results import sessions, store

    session = next((one for one in sessions.folders(REPORTS) if one.name == name), None)
    return session or store.find_run(REPORTS, name)


@command(
    help={"runs": "folders of reports/ by their whole names, `latest`, or paths", "yes": "remove them without a question"},
    words=("runs",),
    iterable=["runs"],
)
def rm(ctx: ChainContext, runs: list[str] | None = None, yes: bool = False) -> Iterator[None]:
    """Remove runs with all that was measured; ask before.

    Example: ./inv rm 20261130-170140-web-frameworks
    """
    from benchrig.report import history, published
    from benchrig.results import removal

    if not runs:
        raise InputError("task 'rm' lacks RUNS; see ./inv rm --help")
    if not (yes or (_is_terminal(sys.stdin) and _is_terminal(sys.stderr))):
        hint = Hint(Inv("rm", *runs, "--yes", on_inventory=False), " removes them without a question.")
        raise InputError("there is no terminal to ask on", hint)
    yield
    found = {one.path: one for one in (removal.find(REPORTS, name, published.names(ROOT)) for name in runs)}
    doomed = list(found.values())
    if not (yes or _agreed(doomed)):
        console.line("nothing was removed")
        return
    removal.remove(doomed, REPORTS, lambda one: console.line(f"removed {shown(one.path)}"))
    history.forget([one.name for one in doomed if one.path.parent == REPORTS.resolve()], REPORTS)


def _is_terminal(stream: TextIO | None) -> bool:
    """Say whether a stream is a terminal; one that was closed is None."""
    return stream is not None and stream.isatty()


def _agreed(doomed: Sequence[Doomed]) -> bool:
    """Ask on the terminal whether runs are to be removed, and return the answer."""
    from benchrig.results import labels
    from benchrig.units import size

    for one in doomed[:MOST_QUESTIONED]:
        known = f" '{text}'" if (text := labels.read(one.path)) and not one.is_link else ""
        what = "a link; what it leads to stays" if one.is_link else f"{_rows(one.path)}{size(one.size)}"
        console.line(f"{shown(one.path)}{known}: {what}")
    if len(doomed) > MOST_QUESTIONED:
        console.line(f"and {len(doomed) - MOST_QUESTIONED:,} more")
    count = "this run" if len(doomed) == 1 else f"these {len(doomed):,} runs"
    total = size(sum(one.size for one in doomed))
    print(f"Remove {count}, {total}, for good? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _rows(folder: Path) -> str:
    """Return how many rows and cells a run has, as the beginning of a sentence; empty where that is not known."""
    from benchrig import reading
    from benchrig.results import store

    with suppress(reading.ReadError):
        cells = sum(1 for line in reading.lines(folder / store.CELLS) if line.strip())
        return f"{cells} measured {'cell' if cells == 1 else 'cells'}, " if cells else ""
    return ""


def _see_run(name: str) -> None:
    """Raise InputError for a run that there is not, and that no task before in the chain can make."""
    from benchrig.results import store

    if name != store.LATEST:
        store.find_run(REPORTS, name)


@command(help={"run": OWN_RUN, "file": "the archive to write, such as run.tar.gz; - is standard output"})
def export(ctx: ChainContext, run: str, file: str) -> Iterator[None]:
    """Write a run with its raw texts as one archive.

    Example: ./inv export latest run.tar.gz
    """
    from benchrig.results import archive, store
    from benchrig.units import size

    if file == STANDARD and _is_terminal(sys.stdout):
        raise InputError("an archive is not for a terminal: name a file, or send it to a program")
    path = Path(file)
    if file != STANDARD and os.path.lexists(path):
        raise InputError(f"{shown(path)} exists already: an archive replaces nothing")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {shown(path.parent)}")
    _see_run(run)
    yield
    folder = store.find_run(REPORTS, run)
    with _output(path, to_standard=file == STANDARD) as to:
        packed = archive.pack(folder, to)
    if packed.left_out:
        console.line(f"left out, as not of the run: {one_line(', '.join(packed.left_out), 500)}")
    where = "standard output" if file == STANDARD else shown(path)
    console.line(f"{folder.name} is in {where}: {packed.files} files, {size(packed.size)}")


@contextmanager
def _output(path: Path, *, to_standard: bool) -> Iterator[BinaryIO]:
    """Open an archive to be written: it is there as a whole, or not at all."""
    if to_standard:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise BenchrigError("the reader of the archive ended before all of it was written") from None
        except OSError as error:
            error.filename = error.filename or "standard output"
            raise
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.lexists(path):
            raise InputError(f"{shown(path)} exists by now: an archive replaces nothing")
        beside.rename(path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


@command(name="import", help={"file": "an archive that ./inv export wrote; - is standard input"})
def import_run(ctx: ChainContext, file: str) -> Iterator[None]:
    """Bring a run of another project into reports/.

    Example: ./inv import run.tar.gz
    """
    from benchrig.report import history, published
    from benchrig.results import archive, removal

    if file == STANDARD and _is_terminal(sys.stdin):
        raise InputError("standard input is a terminal: name a file")
    yield
    with _input(file) as source:
        try:
            found = archive.unpack(source, REPORTS, published.names(ROOT))
        except archive.ArchiveError as error:
            where = "standard input" if file == STANDARD else shown(Path(file))
            raise InputError(f"{one_line(where)} is not imported: {error}", error.hint) from None
    name = found.folder.name
    if found.was_there:
        console.line(f"{shown(found.folder)} is here already, with the same content")
        return
    removal.relink(REPORTS)
    history.enter(found.folder, REPORTS)
    if found.lost:
        console.warn(f"{found.lost} lines of its cells were damaged when it was exported: they are left out of reports")
    console.line(f"imported {shown(found.folder)}; its table: ./inv report {name}")


@contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    """Open an archive to be read twice: what is no regular file is copied to a temporary one first."""
    from benchrig.results.archive import layout

    if file == STANDARD:
        if sys.stdin is None:
            raise InputError("standard input is closed: name a file")
        source = sys.stdin.buffer
    else:
        path = Path(file)
        try:
            kind = path.stat().st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
                raise InputError(f"{shown(path)} is no file")
            source = path.open("rb")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "its name has a NUL character"
            raise InputError(f"{one_line(shown(path))} cannot be read: {why}") from None
        if stat.S_ISREG(kind):
            with source:
                yield source
            return
    with tempfile.TemporaryFile() as copy:
        left = layout.MOST_PACKED_BYTES + 1
        while left and (chunk := source.read(min(left, 1 << 20))):
            copy.write(chunk)
            left -= len(chunk)
        yield copy


@command(help={"run": OWN_RUN, "name": "names configs/published/NAME.yml, which must not be there yet"})
def publish(ctx: ChainContext, run: str, name: str) -> Iterator[None]:
    """Make a run a set of published figures to compare with.

    Example: ./inv publish latest our-baseline
    """
    from benchrig.report import publishing
    from benchrig.results import store

    publishing.check_name(name, ROOT)
    _see_run(run)
    yield
    made = publishing.publish(store.find_run(REPORTS, run), name, ROOT)
    for one in made.left_out:
        console.warn(f"row {one.row} is left out: it {one.reason}")
    rows = "1 row" if made.rows == 1 else f"{made.rows} rows"
    console.line(f"wrote {shown(made.path)}: {rows}, {made.texts} with the load generator's text")
    console.line(f"next: ./inv compare {name} latest")
