"""The reader of what wrk, wrk2 and their forks print, wherever it was pasted.

wrk prints mean, standard deviation, percentiles and maximum of one histogram: version 4 of the corrected one, whose maximum
is as before the correction, versions 2 and 3 of random samples and the maximum of all. In each, a percentile p is the value
at rank round(p·n + 1/2) of n. wrk2 prints them of one HdrHistogram, which keeps three digits of each value. With pipelining,
wrk 4 counts corrected latencies below the shortest measured one and does not add them up, so its figures are wrong there.

All figures are rounded. Where a text has a figure twice, the first one counts and the second is named. A line within a text
that cannot be read is returned with its number: no figure is lost without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from benchrig.agent.text import one_line
from benchrig.bench.generators.base import OutputError, Pasted, Printed, Spread, Unread
from benchrig.bench.generators.wrk import grammar, words
from benchrig.bench.generators.wrk.called import called
from benchrig.bench.generators.wrk.grammar import Part
from benchrig.bench.generators.wrk.groups import MOST_PARTS, Group, groups, row_name
from benchrig.bench.generators.wrk.pasted import Lines, clean
from benchrig.results.model import LoadErrors

MOST_UNREAD = 1000
"""Lines of a text that are named; a text that is none of wrk's further down has no end of them."""

_BEFORE = 2000
"""Characters before a text in which its command line may stand."""

_LETTERS = re.compile(r"[^\W_]")


def read_printed(text: str) -> Printed:
    """Return the figures of wrk's own text. Raises OutputError when it is none, or lacks what every text of wrk has."""
    for found in find_printed(text):
        printed = found.printed
        if None not in (printed.requests, printed.requests_per_second, printed.rows.get("latency")):
            return printed
    raise OutputError("this is not what wrk prints")


def find_printed(text: str) -> tuple[Pasted, ...]:
    """Return the texts of wrk and wrk2 in a file of any kind, in their order."""
    lines = clean(text)
    found: list[Pasted] = []
    end = 0
    for group in groups(grammar.parts(lines.text), lines.text):
        if group.is_text():
            start = group.parts[0].start
            found.append(_pasted(group, lines, lines.text[max(end, start - _BEFORE) : start]))
            end = group.parts[-1].end
    return tuple(found)


def _pasted(group: Group, lines: Lines, before: str) -> Pasted:
    first, last = lines.number(group.parts[0].start), lines.number(group.parts[-1].end - 1)
    if program := group.program():
        return Pasted(first, last, Printed(), (), f"it is of {program}, whose figures mean something else than wrk's")
    if group.left_out:
        return Pasted(first, last, Printed(), (), f"it has more than {MOST_PARTS:,} figures: wrk prints fewer")
    maker = _Maker(lines)
    for part in group.parts:
        try:
            maker.add(part)
        except OutputError as error:
            maker.unread.append(Unread(lines.number(part.start), str(error)))
    maker.see_rest(group.parts)
    printed = maker.printed(before)
    unread = tuple(sorted(maker.unread, key=lambda one: one.line))[:MOST_UNREAD]
    return Pasted(first, last, printed, unread, _refused(printed))


def _refused(printed: Printed) -> str:
    if printed.requests is None and printed.requests_per_second is None and not _has_latencies(printed):
        return "it ends before its figures, which wrk prints at the end of a run"
    return ""


def _has_latencies(printed: Printed) -> bool:
    found = (printed.rows, printed.percentiles_us, printed.uncorrected_us, printed.spectrum, printed.uncorrected_spectrum)
    return any(map(bool, found))


class _Maker:
    """Makes the figures of a text from its parts."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.unread: list[Unread] = []
        self._one: dict[str, str] = {}
        self._rows: dict[str, Spread] = {}
        self._percentiles: dict[str, dict[str, float]] = {"recorded": {}, "uncorrected": {}}
        self._which = "recorded"
        self._spectra: dict[str, list[tuple[float, float, float]]] = {"recorded": [], "uncorrected": []}
        self._wrk2 = False
        self._key = False

    def add(self, part: Part) -> None:
        """Take a part. Raises OutputError for a figure that cannot be read."""
        match part.kind:
            case "row":
                name = row_name(part)
                self._rows[name] = self._spread(part, name)
            case "distribution":
                self._which = part.words.get("which", "recorded").lower()
                self._wrk2 = self._wrk2 or "which" in part.words
            case "percentile":
                self._add_percentile(part)
            case "point":
                self._add_point(part)
            case "calibration" | "spectrum":
                self._wrk2 = True
            case "footer":
                self._add_footer(part)
            case "key":
                self._key = True
            case _:
                self._see_words(part)

    def _see_words(self, part: Part) -> None:
        """Read all words of a part once. Raises OutputError for one that is no figure."""
        wrong: OutputError | None = None
        for name, word in part.words.items():
            try:
                _check(name, word)
                if self._one.setdefault(name, word) != word:
                    raise OutputError(f"it is there twice: {one_line(word, 200)}")
            except OutputError as error:
                # The other words of the part are read all the same.
                wrong = error
        if wrong:
            raise wrong

    def _add_percentile(self, part: Part) -> None:
        name, value = words.percentile(part.words["percent"]), words.microseconds(part.words["value"])
        # wrk2 prints three digits.
        self._wrk2 = self._wrk2 or bool(re.search(r"\.\d{3}$", part.words["percent"]))
        if value is not None and self._percentiles[self._which].setdefault(name, value) != value:
            raise OutputError(f"p{name} is there twice: {part.words['value']}")

    def _add_point(self, part: Part) -> None:
        at, share, seen = (words.count(part.words[name]) or 0.0 for name in ("at", "share", "seen"))
        self._spectra[self._which].append((at * 1e3, share, seen))

    def _add_footer(self, part: Part) -> None:
        """Take mean and maximum of the uncorrected latencies; those of the others are in the statistics already."""
        if self._which != "uncorrected":
            return
        text = self.lines.text[part.start : part.end]
        values = {name: float(value) * 1e3 for name, value in re.findall(r"(Mean|StdDeviation|Max)\s*=\s*(\d+\.\d+)", text)}
        before = self._rows.get("uncorrected latency", Spread())
        if values:
            self._rows["uncorrected latency"] = Spread(
                mean=values.get("Mean", before.mean),
                stdev=values.get("StdDeviation", before.stdev),
                max=values.get("Max", before.max),
            )

    def _spread(self, part: Part, name: str) -> Spread:
        """Return a row of the statistics, each value by the name of its column. Raises OutputError."""
        read = words.count if name == "req/sec" else words.microseconds
        values: dict[str, float | None] = {}
        percentiles: dict[str, float] = {}
        for column, word in part.words.items():
            if column == "name":
                continue
            if column.startswith("+/-"):
                values["within"] = words.count(word.removesuffix("%"))
            elif re.fullmatch(r"\d{1,3}(?:\.\d{1,6})?%", column) and (value := read(word)) is not None:
                percentiles[words.percentile(column[:-1])] = value
            elif column.lower() in _COLUMNS:
                values[_COLUMNS[column.lower()]] = read(word)
            else:
                self.unread.append(Unread(self.lines.number(part.start), f"{part.words['name']}, column {column}: {word}"))
        if name != "req/sec" and None in (values.get("mean", 0.0), values.get("stdev", 0.0), values.get("max", 0.0)):
            self.unread.append(Unread(self.lines.number(part.start), f"{part.words['name']}: nan is not a number"))
        # wrk2 that never sampled a rate prints `-nan` for it; wrk prints 0.00.
        self._wrk2 = self._wrk2 or (name == "req/sec" and "mean" in values and values["mean"] is None)
        within = values.get("within")
        return Spread(values.get("mean"), values.get("stdev"), values.get("max"), values.get("min"), within, percentiles)

    def see_rest(self, group: list[Part]) -> None:
        """Note what stands between the parts and was not read; punctuation alone says nothing."""
        for part, after in pairwise(group):
            for number, piece in self.lines.pieces(part.end, after.start):
                if _LETTERS.search(piece) and len(self.unread) < MOST_UNREAD:
                    self.unread.append(Unread(number, one_line(piece.strip(), 200)))

    def printed(self, before: str) -> Printed:
        """Return the figures."""
        latency = self._rows.get("latency", Spread())
        command = called(before)
        asked = asked_seconds(self._one["asked"]) if "asked" in self._one else None
        ran = self._read("ran", words.microseconds)
        if desired := self._whole("desired"):
            command = replace(command, requests_per_second=desired)
        return Printed(
            requests=self._whole("requests"),
            requests_per_second=self._read("rate", words.count),
            bytes=self._read("bytes", words.amount),
            latency_mean_us=latency.mean,
            latency_stdev_us=latency.stdev,
            latency_max_us=latency.max,
            errors=self._errors(),
            percentiles_us={**latency.percentiles, **self._percentiles["recorded"]},
            url=self._one.get("url") or self._one.get("making", ""),
            asked_seconds=asked,
            duration_seconds=None if ran is None else ran / 1e6,
            threads=self._whole("of_threads"),
            connections=self._whole("of_connections"),
            bytes_per_second=self._read("transfer", words.amount),
            rows=self._rows,
            uncorrected_us=self._percentiles["uncorrected"],
            spectrum=tuple(self._spectra["recorded"]),
            uncorrected_spectrum=tuple(self._spectra["uncorrected"]),
            open_loop=self._wrk2 or command.requests_per_second is not None,
            interrupted=self._key,
            command=command,
        )

    def _read(self, name: str, read: words.Reader) -> float | None:
        return read(self._one[name]) if name in self._one else None

    def _whole(self, name: str) -> int | None:
        return words.whole(self._one[name]) if name in self._one else None

    def _errors(self) -> LoadErrors:
        found = grammar.error_counts(self._one.get("kinds", ""))
        return LoadErrors(**{kind: words.whole(number) for kind, number in found.items()}, status=self._whole("other") or 0)


def asked_seconds(word: str) -> tuple[float, float] | None:
    """Return the bounds of the duration in wrk's first line: it prints whole minutes from 51 s on; None where it is none."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?", word)
    if not match:
        return None
    value, unit = float(match[1]), {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}[match[2]]
    if unit < 60:
        return value * unit, value * unit
    return max(value - 0.5, 0.85) * unit, (value + 0.5) * unit


def _check(name: str, word: str) -> None:
    """Raise OutputError for a word that is no figure."""
    if read := _READERS.get(name):
        read(word)
    elif name == "kinds":
        for number in grammar.error_counts(word).values():
            words.whole(number)


_COLUMNS: Mapping[str, str] = {"avg": "mean", "mean": "mean", "stdev": "stdev", "max": "max", "min": "min"}
_READERS: Mapping[str, words.Reader] = {
    "ran": words.microseconds,
    "bytes": words.amount,
    "rate": words.count,
    "transfer": words.amount,
    "requests": words.whole,
    "of_threads": words.whole,
    "of_connections": words.whole,
    "desired": words.whole,
    "other": words.whole,
}
