"""Figures that someone else published, as data in `configs/published/`, so that ours can be set beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchrig import yamlfile
from benchrig.errors import InputError, Problem, unknown
from benchrig.results.wrk_output import OutputError, Printed, read_printed
from benchrig.yamlfile import Document


@dataclass(frozen=True)
class Source:
    """Where published figures come from, and under what conditions they were taken."""

    document: str
    language: str
    """The language its headings and row titles are in, e.g. `zh`."""
    machine: str
    command: str
    """The load generator's command line; `{connections}` is the row's."""
    threads: int
    duration_seconds: float
    timeout_seconds: float
    versions: Mapping[str, str]


@dataclass(frozen=True)
class PublishedRow:
    """One row of a published table. A figure that the document does not give is None."""

    title: str
    """The row's own title, in the document's language."""
    connections: int
    requests_per_second: float
    found_in: str
    """Where in the document the figures stand."""
    route: str = ""
    """The request that was sent, where the document's rows differ in it: `GET /films/`."""
    requests: int | None = None
    latency_mean_ms: float | None = None
    latency_max_ms: float | None = None
    timeouts: int = 0
    """Replies slower than the load generator's timeout, by its raw text."""
    timeouts_remarked: bool = False
    """The table itself remarks on them."""
    sleep_seconds: float = 0.0
    """How long the handler waits on purpose; bounds throughput to connections / sleep."""
    raw: str = ""
    """The load generator's own text as the document prints it: a file, by its path below `configs/published/`."""

    @property
    def timeouts_told(self) -> bool:
        """The document tells of timeouts, if only that there were none: it has the generator's text, or its counts."""
        return bool(self.raw or self.timeouts or self.requests is not None)


@dataclass(frozen=True)
class Headings:
    """Headings of a report's columns in the document's language, by our names of them; an empty one stays English."""

    system: str = ""
    route: str = ""
    connections: str = ""
    requests: str = ""
    requests_per_second: str = ""
    spread: str = ""
    interval: str = ""
    latency_mean_ms: str = ""
    latency_max_ms: str = ""
    latency_p50_ms: str = ""
    latency_p99_ms: str = ""
    errors: str = ""
    stored: str = ""
    server_cpu_percent: str = ""
    published_requests_per_second: str = ""
    ratio: str = ""
    rank: str = ""
    remarks: str = ""


@dataclass(frozen=True)
class PublishedFile:
    """What `configs/published/NAME.yml` holds."""

    title: str
    source: Source
    rows: Mapping[str, PublishedRow]
    headings: Headings = field(default_factory=Headings)


@dataclass(frozen=True)
class Published:
    """A published table: its name here, its source, its rows by the names in our suite, and its headings."""

    name: str
    title: str
    source: Source
    rows: Mapping[str, PublishedRow]
    headings: Headings = field(default_factory=Headings)
    printed: Mapping[str, Printed] = field(default_factory=dict)
    """The load generator's own text, read, of each row that has it."""


def folder(root: Path) -> Path:
    """Return where the published figures of a project lie."""
    return root / "configs" / "published"


def names(root: Path) -> frozenset[str]:
    """Return the names of all published sets."""
    return frozenset(path.stem for path in folder(root).glob("*.yml"))


def read(name: str, root: Path) -> Published:
    """Read `configs/published/NAME.yml`, and the raw texts that it names.

    Raises InputError with the nearest names when there is no such file, and with `file:line` for each mistake in it.
    """
    if name not in names(root):
        raise unknown("published figures", name, names(root))
    document = yamlfile.read(folder(root) / f"{name}.yml")
    file = document.build(PublishedFile)
    problems = [*_not_above_nothing(document, file)]
    printed: dict[str, Printed] = {}
    for row, figures in file.rows.items():
        if figures.raw:
            try:
                printed[row] = _read_raw(folder(root) / figures.raw)
            except _RawError as error:
                problems.append(document.problem(("rows", row, "raw"), f"{figures.raw}: {error}"))
    if problems:
        raise InputError(problems=problems)
    return Published(name, file.title, file.source, file.rows, file.headings, printed)


def _not_above_nothing(document: Document, file: PublishedFile) -> Iterator[Problem]:
    for row, figures in file.rows.items():
        for key in ("connections", "requests", "requests_per_second", "latency_mean_ms", "latency_max_ms"):
            value = getattr(figures, key)
            if value is not None and value <= 0:
                yield document.problem(("rows", row, key), f"'{key}' must be above 0, found {value:g}")


class _RawError(Exception):
    """A raw text is not there, or is not what the load generator prints."""


def _read_raw(path: Path) -> Printed:
    try:
        return read_printed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _RawError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _RawError("not UTF-8 text") from None
    except OutputError as error:
        raise _RawError(str(error)) from None
