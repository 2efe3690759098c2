"""`./inv audit` on a terminal: each text with its place, its main figures, its verdict and the reasons."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from benchrig.agent.text import short
from benchrig.report.sentences import sentence, title
from benchrig.report.texts import written
from benchrig.report.texts.judge import Judged, Verdict
from benchrig.report.texts.source import Source
from benchrig.units import milliseconds

_WIDTH = 100

MOST_UNREAD = 10
"""Lines that are named on a terminal; `--json` has them all."""


def render_terminal(sources: Sequence[Source]) -> str:
    """Return all texts of all files, and how many there are of each verdict."""
    blocks = ["\n".join(lines) for source in sources for lines in _source(source)]
    counted = Counter(judged.verdict for source in sources for judged in source.texts)
    texts = sum(counted.values())
    counts = ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict])
    total = [f"{texts} text{'' if texts == 1 else 's'}: {counts}"] if texts > 1 else []
    without = sum(bool(source.refused) for source in sources)
    total += [f"{without} of {len(sources)} files: no text could be read"] if without and len(sources) > 1 else []
    return "\n\n".join([*blocks, *(["\n".join(total)] if total else [])])


def _source(source: Source) -> Iterator[list[str]]:
    if source.refused:
        yield [f"{source.name}: {Verdict.UNREADABLE}", *_indented(f"{source.refused}.")]
    if source.skipped:
        yield [f"{source.name}: skipped", *_indented(f"{source.skipped}.")]
    for judged in source.texts:
        yield [*_text(source.name, judged)]


def _text(file: str, judged: Judged) -> Iterator[str]:
    pasted = judged.pasted
    yield f"{file}:{pasted.first_line}: {judged.verdict}"
    yield from _indented(", ".join(_figures(judged)))
    if pasted.refused:
        yield from _indented(f"{pasted.refused}.")
    if pasted.load:
        yield from _indented(f"{written.NOTE}.")
    for warning in judged.warnings:
        yield from _indented(f"{title(warning.code)}{' (invalid)' if warning.invalid else ''}: {sentence(warning)}")
    for unchecked in judged.unchecked:
        yield from _indented(f"not checked: {unchecked.check.replace('_', ' ')}, because {unchecked.reason}.")
    for unread in pasted.unread[:MOST_UNREAD]:
        yield from _indented(f"line {unread.line} cannot be read: {short(unread.text)}")
    if (more := len(pasted.unread) - MOST_UNREAD) > 0:
        yield from _indented(f"and {more} more lines")


def _figures(judged: Judged) -> Iterator[str]:
    printed = judged.pasted.printed
    if printed.connections is not None:
        yield f"{printed.connections:,} connection{'' if printed.connections == 1 else 's'}"
    if printed.requests is not None:
        yield f"{printed.requests:,} request{'' if printed.requests == 1 else 's'}"
    if printed.requests_per_second is not None:
        yield f"{printed.requests_per_second:,.2f} requests/s"
    latencies = {"mean": printed.latency_mean_us, **{f"p{name}": value for name, value in printed.percentiles_us.items()}}
    for name, value in {**latencies, "max": printed.latency_max_us}.items():
        if value is not None:
            yield f"{name} {milliseconds(value / 1e3)}"


def _indented(text: str) -> Iterable[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
