"""Figures that someone else published, as data in `configs/published/`, so that ours can be set beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchrig import yamlfile
from benchrig.errors import InputError, unknown


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
    """One row of a published table."""

    title: str
    """The row's own title, in the document's language."""
    connections: int
    requests: int
    requests_per_second: float
    latency_mean_ms: float
    latency_max_ms: float
    timeouts: int = 0
    """Replies slower than the load generator's timeout, by its raw text."""
    timeouts_remarked: bool = False
    """The table itself remarks on them."""


@dataclass(frozen=True)
class Headings:
    """Headings of a report's columns in the document's language, by our names of them; an empty one stays English."""

    system: str = ""
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
    server_cpu_percent: str = ""
    published_requests_per_second: str = ""
    ratio: str = ""
    rank: str = ""
    remarks: str = ""


@dataclass(frozen=True)
class Published:
    """A published table: its source, its rows by the names in our suite, and its headings."""

    title: str
    source: Source
    rows: Mapping[str, PublishedRow]
    headings: Headings = field(default_factory=Headings)


def read(name: str, root: Path) -> Published:
    """Read `configs/published/NAME.yml`.

    Raises InputError with the nearest names when there is no such file, and with `file:line` for each mistake in it.
    """
    folder = root / "configs" / "published"
    names = {path.stem for path in folder.glob("*.yml")}
    if name not in names:
        raise unknown("published figures", name, names)
    document = yamlfile.read(folder / f"{name}.yml")
    published = document.build(Published)
    problems = [
        document.problem(("rows", row, key), f"'{key}' must be above 0, found {value:g}")
        for row, figures in published.rows.items()
        for key in ("connections", "requests", "requests_per_second", "latency_mean_ms", "latency_max_ms")
        if (value := getattr(figures, key)) <= 0
    ]
    if problems:
        raise InputError(problems=problems)
    return published
