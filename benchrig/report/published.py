"""Published figures: the tables of documents, as data in `configs/published/`, to compare runs with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass, replace
from pathlib import Path
from typing import Any

from benchrig import reading, yamlfile
from benchrig.bench.generators.base import LoadGenerator, OutputError, Printed
from benchrig.bench.generators.registry import DEFAULT, GENERATORS
from benchrig.errors import unknown
from benchrig.mistakes import Mistakes, check_title
from benchrig.report.metrics import METRICS, REQUESTS, THROUGHPUT
from benchrig.report.translations import Translations, Translator
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
    generator: str = DEFAULT.name
    """The load generator whose text the raw files are."""
    cores: int = 0
    """CPU cores of the machine that the systems ran on; 0 where the article does not say."""
    run: str = ""
    """The run of benchrig that was published: its figures are medians of its repeats, with latencies as measured, and the
    raw files are the texts of one repeat. Empty of an article."""


@dataclass(frozen=True, kw_only=True)
class _RowKeys:
    """The keys of a row in a published file that are not metrics."""

    title: str
    """The title of the row, in the article's language."""
    connections: int
    found_in: str
    """The place of the figures in the article."""
    route: str = ""
    """The request that was sent, where it differs between the rows of the article: `GET /films/`."""
    timeouts: int = 0
    """Replies slower than the load generator's timeout, by its raw text."""
    timeouts_remarked: bool = False
    """The table mentions them."""
    sleep_seconds: float = 0.0
    """How long the handler waits on purpose; it limits throughput to connections / sleep."""
    raw: str = ""
    """The load generator's output as the article prints it: the path of a file below `configs/published/`."""


@dataclass(frozen=True, kw_only=True)
class PublishedRow(_RowKeys):
    """One row of a published table."""

    figures: Mapping[str, float]
    """The values in the table, by the names of the metrics."""

    @property
    def counts_timeouts(self) -> bool:
        """Whether the article counts timeouts, even if there were none: it has the generator's text, or its counts."""
        return bool(self.raw or self.timeouts or REQUESTS.name in self.figures)


PublishedRowFile: Any = make_dataclass(
    "PublishedRowFile",
    [
        (metric.name, metric.value_type, field(metadata={"description": metric.meaning}))
        if metric is THROUGHPUT
        else (metric.name, metric.value_type | None, field(default=None, metadata={"description": metric.meaning}))
        for metric in METRICS
        if metric.published
    ],
    bases=(_RowKeys,),
    frozen=True,
    kw_only=True,
    namespace={"__module__": __name__, "__doc__": "One row in a file: a key for each metric that a table may give."},
)


@dataclass(frozen=True, kw_only=True)
class Headings:
    """Headings in the article's language of the columns that are not metrics; an empty one stays English."""

    system: str = ""
    route: str = ""
    connections: str = ""
    spread: str = ""
    interval: str = ""
    published_requests_per_second: str = ""
    ratio: str = ""
    rank: str = ""
    warnings: str = ""


HeadingsFile: Any = make_dataclass(
    "HeadingsFile",
    [(metric.name, str, "") for metric in METRICS],
    bases=(Headings,),
    frozen=True,
    kw_only=True,
    namespace={
        "__module__": __name__,
        "__doc__": "Headings in the article's language, by the names of the columns; an empty one stays English.",
    },
)


@dataclass(frozen=True)
class PublishedFile:
    """What `configs/published/NAME.yml` holds."""

    title: str
    source: Source
    rows: Mapping[str, PublishedRowFile]
    headings: HeadingsFile = field(default_factory=HeadingsFile)
    translations: Translations = field(default_factory=dict)
    """By language, such as `zh`: the title, the document and the machine, each with its translation."""


@dataclass(frozen=True)
class Published:
    """A published table: its name here, its source, its rows by the names in our suite, and its headings."""

    name: str
    title: str
    source: Source
    rows: Mapping[str, PublishedRow]
    headings: Headings = field(default_factory=Headings)
    printed: Mapping[str, Printed] = field(default_factory=dict)
    """The values in the load generator's output, of each row that has it."""


def folder(root: Path) -> Path:
    """Return the folder of a project's published figures."""
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
    mistakes = Mistakes()
    file = document.build_with(PublishedFile, mistakes)
    translator = Translator(document, file.translations)
    title, about, machine = map(translator.text, (file.title, file.source.document, file.source.machine))
    translator.check(mistakes)
    rows = {row: _row(written) for row, written in file.rows.items()}
    _check_figures(document, rows, mistakes)
    check_title(mistakes, document.where(("title",)), file.title)
    for row_name, one in rows.items():
        check_title(mistakes, document.where(("rows", row_name, "title")), one.title)
    generator = GENERATORS.get(file.source.generator)
    if generator is None:
        wrong = str(unknown("load generator", file.source.generator, GENERATORS))
        mistakes.add(document.where(("source", "generator")), wrong)
    elif generator.corrects_latency and not file.source.run:
        _check_latencies(document, rows, generator, mistakes)
    printed: dict[str, Printed] = {}
    for name_of_row, row in rows.items():
        if row.raw and generator:
            try:
                printed[name_of_row] = _read_raw(folder(root) / row.raw, generator)
            except _RawError as error:
                mistakes.add(document.where(("rows", name_of_row, "raw")), f"{row.raw}: {error}")
    mistakes.raise_all()
    source = replace(file.source, document=about, machine=machine)
    return Published(name, title, source, rows, file.headings, printed)


def _row(written: _RowKeys) -> PublishedRow:
    keys = {key.name: getattr(written, key.name) for key in fields(_RowKeys)}
    figures = {metric.name: getattr(written, metric.name) for metric in METRICS if metric.published}
    return PublishedRow(**keys, figures={name: value for name, value in figures.items() if value is not None})


def _check_figures(document: Document, rows: Mapping[str, PublishedRow], mistakes: Mistakes) -> None:
    for row, published in rows.items():
        for key, value in {"connections": published.connections, **published.figures}.items():
            if value <= 0:
                mistakes.add(document.where(("rows", row, key)), f"'{key}' must be above 0, found {value:g}")


def _check_latencies(
    document: Document, rows: Mapping[str, PublishedRow], generator: LoadGenerator, mistakes: Mistakes
) -> None:
    """Refuse latencies as measured of a load generator whose text has only corrected ones."""
    corrected = {metric.instead_of: metric.name for metric in METRICS if metric.instead_of}
    for row, published in rows.items():
        for key in published.figures.keys() & corrected.keys():
            wrong = f"'{key}' is latency as measured, and {generator.name} prints it corrected; write '{corrected[key]}'"
            mistakes.add(document.where(("rows", row, key)), wrong)


class _RawError(Exception):
    """A raw text is missing, or is not an output of the load generator."""


def _read_raw(path: Path, generator: LoadGenerator) -> Printed:
    try:
        return generator.read_printed(reading.text(path))
    except reading.ReadError as error:
        raise _RawError(f"cannot be read: {error}") from None
    except OutputError as error:
        raise _RawError(str(error)) from None
